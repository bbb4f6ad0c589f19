"""Real worker processes, real sockets, both databases: what no test client in one process can show.

Double spends, rotations under load, outages, signals, and bytes on the wire. Spec: RFC 6749 §4.1.2, §6; RFC 9112; OIDC Core §10.1.1.
"""

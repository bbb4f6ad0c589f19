"""Clients that others wrote, against a running server: what their authors read in the specifications, and not we."""

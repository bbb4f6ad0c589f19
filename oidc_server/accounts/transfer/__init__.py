"""People who come along from another system, or move to one: `flask accounts import` and `flask accounts export`.

One line is one person, in CSV or as a JSON object; COLUMNS says what may stand in it. Both ways are streams: neither a file nor a table
is ever in memory as a whole. Endpoints: none.
"""

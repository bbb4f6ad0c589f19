"""What strangers build on the server, and `make run`, which starts it all: run.py, seed.py, web_app/, api/."""

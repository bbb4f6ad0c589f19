"""Serves an example app on this machine. For trying out: in production use an application server such as granian."""

from __future__ import annotations

import contextlib
import logging

from flask import Flask
from werkzeug.serving import make_server


def serve(app: Flask, port: int) -> None:
    """Answer at 127.0.0.1:port until the process is told to stop."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with contextlib.suppress(KeyboardInterrupt):
        make_server("127.0.0.1", port, app, threaded=True).serve_forever()

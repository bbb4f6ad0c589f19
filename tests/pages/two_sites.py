"""Our pages on one host and a stranger's site on another, for a real browser."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Response, make_response, redirect, render_template, request
from werkzeug.serving import make_server

from oidc_server import csrf, headers, strict_form

from ..ground import make_ground
from ..live import free_port
from .samples import PAGES, app_of_strangers, form_post


class Site:
    """Our pages on localhost and a stranger's site on 127.0.0.1, and what was posted to either."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        port, strangers_port = free_port(), free_port()
        self.url, self.stranger = f"http://localhost:{port}", f"http://127.0.0.1:{strangers_port}"
        ours, strangers = make_ground(issuer=self.url), Flask("stranger")
        ours.add_url_rule("/show/<name>", view_func=self.show)
        ours.add_url_rule("/post", view_func=self.receive, methods=["POST"])
        ours.add_url_rule("/form/<kind>", view_func=self.form)
        strangers.add_url_rule("/<path:page>", view_func=self.stranger_says, methods=["GET", "POST"])
        self.servers = [make_server("127.0.0.1", port, ours, threaded=True)]
        self.servers.append(make_server("127.0.0.1", strangers_port, strangers, threaded=True))
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def show(self, name: str) -> str:
        template, values = self.page(name)
        language = {"request_locale": "ar", "request_direction": "rtl"} if request.query_string == b"rtl" else {}
        return render_template(template, **values, **language)

    def page(self, name: str) -> tuple[str, dict[str, Any]]:
        # Logos and forms must lead to this machine: the tests need no network.
        if name == "form post":
            return form_post(action=f"{self.stranger}/callback", params=[("code", "c-1"), ("submit", "x")])
        if name.startswith("consent"):
            template, values = PAGES[name]
            return template, values | {"client": app_of_strangers(logo_uri=None)}
        return PAGES[name]

    def form(self, kind: str) -> Response:
        """A form of ours whose answer leads to the stranger, as sign-in and consent do."""
        if kind == "form-post":
            headers.allow_form_action(self.stranger, instead_of_self=True)
            return make_response(self.show("form post"))
        if kind != "unlisted":
            headers.allow_form_action(f"{self.stranger}/callback")
        if kind == "popup":
            headers.keep_opener()
        return make_response(
            f"<!doctype html><title>x</title><form method=post action=/post>{csrf.csrf_field('post')}<button>go</button></form>"
        )

    def receive(self) -> Response:
        self.posted.append({"origin": request.headers.get("Origin", ""), "referer": request.headers.get("Referer", "")})
        csrf.check(strict_form.read_page_form(request), "post")
        return redirect(f"{self.stranger}/callback", code=303)  # type: ignore[return-value]

    def stranger_says(self, page: str) -> str:
        if request.method == "POST":
            self.posted.append(dict(strict_form.read_page_form(request)))
        if page == "frame":
            return f"<iframe src='{self.url}/login'></iframe>"
        if page == "forge":
            return (
                f"<form method=post action='{self.url}/login'><input name=csrf_token value=x><button>go</button></form>"
            )
        return f"<h1>{page}</h1>"

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()

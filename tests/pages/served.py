"""The whole server in this process behind a real port, and a person in front of it with a browser."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Request
from werkzeug.serving import WSGIRequestHandler, make_server

from oidc_server import create_app

from .. import flows, live
from ..conftest import PASSWORD, settings_for


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Nothing: the tests ask for thousands of pages."""


class Served:
    """A server on http://localhost:<port> with Alice, Bob and the apps of the template."""

    def __init__(self, template: Path, folder: Path) -> None:
        port = live.free_port()
        self.url = f"http://localhost:{port}"
        shutil.copytree(template, folder / "server")
        self.app: Flask = create_app(**settings_for(folder / "server", issuer=self.url, sign_up="open"))
        self._issuing = self.app.extensions["oidc_server"]
        self._settings = self._issuing.settings
        self._server = make_server("127.0.0.1", port, self.app, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def decide(self, **settings: Any) -> None:
        """Let the server have these settings beside its own, until the next person comes."""
        self._issuing.settings = dataclasses.replace(self._settings, **settings)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        live.close(self.app)


class Person:
    """Somebody with a fresh browser that speaks a language. Whatever leads to an app's site stays where it is."""

    _numbers = itertools.count(1)

    def __init__(self, chromium: Browser, served: Served, language: str = "en", **options: Any) -> None:
        self.served = served
        served.decide()
        self.number = next(self._numbers)
        self.context: BrowserContext = chromium.new_context(base_url=served.url, reduced_motion="reduce", **options)
        self.context.route(re.compile(f"^(?!{re.escape(served.url)}/)"), lambda route: route.fulfill(status=204))
        self.tab: Page = self.context.new_page()
        self.came_by = "GET"
        self.tab.on("request", self._remember)
        self.speak(language)

    def _remember(self, request: Request) -> None:
        if request.is_navigation_request() and request.url.startswith(self.served.url):
            self.came_by = request.method

    def speak(self, language: str) -> None:
        """From the next page on, everything is in this language."""
        # The choice of the person, because accounts have a language too; the header for who has lost the cookie.
        self.context.set_extra_http_headers({"Accept-Language": language})
        self.context.add_cookies([{"name": "oidc_language", "value": language, "url": self.served.url}])

    def forget(self) -> None:
        """Become somebody who has never been here."""
        self.served.decide()
        self.context.clear_cookies()
        self.tab.goto("about:blank")
        self.number = next(self._numbers)

    def open(self, path: str) -> None:
        self.tab.goto(path)

    def press(self, identifier: str) -> None:
        self.tab.click(f"#{identifier}")

    def fill(self, **fields: str) -> None:
        for identifier, value in fields.items():
            self.tab.fill(f"#{identifier}", value)

    def authorize(self, **parameters: Any) -> None:
        """Come from the app `web`, or from another."""
        self.open("/authorize?" + urlencode(flows.request_of(**parameters)))

    def sign_in(self, username: str = "alice", password: str = PASSWORD) -> None:
        """Fill in the form of the page that is open; without one, of the sign-in page."""
        if not self.tab.locator("#login-form").count():
            self.open("/login")
        self.fill(username=username, password=password)
        self.press("login-submit")

    def close(self) -> None:
        self.context.close()

"""A person with a browser and an authenticator."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.flows import Browser, base_url

from .authenticator import Authenticator

CSRF = re.compile(r'data-passkey="\w+".*?name="csrf_token" value="([^"]+)"', re.DOTALL)


@dataclass
class Person:
    """Alice at a browser with an authenticator; what the page's script does is done here."""

    app: Flask
    device: Authenticator = field(init=False)
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(self.app)
        self.device = self.new_device()

    def new_device(self, **changes: Any) -> Authenticator:
        origin = base_url(self.app)
        host = origin.split("//")[1].split(":")[0]
        return Authenticator(origin=origin, rp_id=host, **changes)

    def csrf_of(self, url: str) -> str:
        page = self.browser.get(url)
        found = CSRF.search(page.text)
        assert found, page.text
        return found[1]

    def creation_options(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The options of the account page, and the fields of its form."""
        fields = {"csrf_token": self.csrf_of("/account/passkeys")}
        answer = self.browser.post("/account/passkeys/options", fields)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/json"
        return json.loads(answer.text), fields

    def add_passkey(self, device: Authenticator | None = None, name: str = "", **changes: Any) -> TestResponse:
        options, fields = self.creation_options()
        created = (device or self.device).create(options, **changes)
        return self.browser.post("/account/passkeys/add", fields | {"credential": created, "name": name})

    def request_options(self, url: str = "/login?prompt=login", **more: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The options of the sign-in page, and the fields of its form."""
        fields = {"csrf_token": self.csrf_of(url)} | more
        answer = self.browser.post("/login/passkey/options", fields)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text), fields

    def sign_in(self, device: Authenticator | None = None, **changes: Any) -> TestResponse:
        options, fields = self.request_options()
        return self.send(fields, (device or self.device).get(options, **changes))

    def send(self, fields: dict[str, str], credential: str) -> TestResponse:
        return self.browser.post("/login/passkey", fields | {"credential": credential})

    def sign_out(self) -> None:
        self.browser = Browser(self.app)

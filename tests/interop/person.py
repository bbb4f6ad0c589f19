"""Alice at her browser: she goes where she is sent, fills in the forms, and stops where the server sends her on to an app."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin

import requests

from tests import flows

from .site import PASSWORD


@dataclass
class Person:
    """A browser without JavaScript over real HTTP; `pages` are the titles of what she saw."""

    issuer: str
    session: requests.Session = field(default_factory=requests.Session)
    pages: list[str] = field(default_factory=list)

    def visit(self, url: str, *, decision: str = "allow") -> str:
        """Follow a link of an app to the end: the address that the app is called back at."""
        answer = self._go(url, decision)
        assert answer.is_redirect, answer.text
        return answer.headers["Location"]

    def visit_for_form_post(self, url: str) -> tuple[str, dict[str, str]]:
        """Follow a link of an app that wants its answer as a form: the form's address and fields."""
        page = self._go(url, "allow")
        assert 'id="form-post"' in page.text, page.text
        return flows.form_of(page.text)

    def _go(self, url: str, decision: str) -> requests.Response:
        answer = self._get(url)
        for _ in range(10):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if not target.startswith(self.issuer + "/"):
                    return answer
                answer = self._get(target)
            elif 'id="login-form"' in answer.text:
                answer = self._submit(answer, username="alice", password=PASSWORD)
            elif 'id="consent-allow"' in answer.text:
                answer = self._submit(answer, decision=decision)
            else:
                return answer
        raise AssertionError(f"she is sent in circles: {self.pages}")

    def _get(self, url: str) -> requests.Response:
        return self._seen(self.session.get(url, allow_redirects=False, timeout=10))

    def _submit(self, page: requests.Response, **values: str) -> requests.Response:
        action, fields = flows.form_of(page.text)
        url = urljoin(page.url, action)
        headers = {"Origin": self.issuer, "Sec-Fetch-Site": "same-origin"}
        return self._seen(
            self.session.post(url, data=fields | values, headers=headers, allow_redirects=False, timeout=10)
        )

    def _seen(self, answer: requests.Response) -> requests.Response:
        title = answer.text.partition("<title>")[2].partition("</title>")[0].strip()
        if title:
            self.pages.append(unescape(title))
        return answer

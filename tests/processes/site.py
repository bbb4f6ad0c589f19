"""A server of several worker processes, with Alice, her apps and an API."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import requests

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from oidc_server.resources import store as resources
from oidc_server.serve import server_command
from tests import flows
from tests.live import BIN, ROOT, LiveServer

from . import swarm
from .requests_as_text import API, CALLBACK, Requests
from .swarm import Answer, batched

PASSWORD = "correct horse battery staple"

_BACKGROUND = ThreadPoolExecutor(8)


class Site(Requests, LiveServer):
    """Several workers over one database; `kind` is sqlite or postgresql. `app` is the same database and keys in this process."""

    #: The application that the workers load.
    target = "wsgi:app"

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 4,
        database_url: str | None = None,
        under: str = "granian",
        **settings: Any,
    ) -> None:
        # A slow machine must not see codes expire before they were sent.
        slow = {"authorization_code_lifetime": 300}
        super().__init__(folder, workers=workers, database_url=database_url, under=under, **slow | settings)
        self.kind = "postgresql" if database_url else "sqlite"
        #: For a look at PostgreSQL past everything that stands between it and the server.
        self.direct_url = (database_url or "").replace("postgresql+psycopg://", "postgresql://")
        self.secrets: dict[str, str] = {}
        with self.app.app_context():
            self._populate()

    def _populate(self) -> None:
        accounts.create(username="alice", email="alice@example.test", password=PASSWORD)
        resources.create(API, "Photo API", {"photos:read": "See your photos"}, introspection_client_ids=["api"])
        self.register("web", is_trusted=True, redirect_uris=[CALLBACK])
        self.register("stranger", redirect_uris=[CALLBACK])
        self.register("api", grant_types=["client_credentials"], response_types=[])
        self.register("machine", grant_types=["client_credentials"], response_types=[])

    def register(self, client_id: str, *, is_trusted: bool = False, **metadata: Any) -> None:
        registered = clients.create(
            {
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "scope": "openid profile offline_access photos:read",
                **metadata,
            },
            client_id=client_id,
            is_trusted=is_trusted,
        )
        if registered.client_secret:
            self.secrets[client_id] = registered.client_secret

    def command(self) -> list[str]:
        """The command of `make serve`, so that what is tested is what is deployed."""
        if self.under == "gunicorn":
            return super().command()
        command = server_command(replace(self.app.extensions["oidc_server"].settings, workers=self.workers))
        return [self.target if part == "wsgi:app" else part for part in command]

    def start(self, seconds: float = 30) -> Site:
        try:
            super().start(seconds)
            self.wait_for_workers(seconds)
        except BaseException:
            self.stop()
            raise
        for client_id in self.secrets:
            # Its first use is written down; not in the middle of a test.
            self.ask(self.post("/token", client_id, grant_type="refresh_token", refresh_token="none"))
        return self

    def wait_for_workers(self, seconds: float = 10) -> None:
        """Return when every worker is there and answers."""
        deadline = time.monotonic() + seconds
        healthz = [self.get("/healthz")] * self.workers
        while time.monotonic() < deadline:
            pids = self.worker_pids()
            if len(pids) == self.workers:
                answers = self.spread(healthz)[0]
                if {answer.worker for answer in answers if answer.status == 200} == set(pids):
                    return
            time.sleep(0.05)
        raise AssertionError(f"not every worker answers: {self.log}")

    def worker_pids(self) -> list[int]:
        """The processes that answer: children of the server that have started to serve."""
        assert self.process is not None
        if self.log.count("Started worker") < self.workers and self.under == "granian":
            return []
        children = psutil.Process(self.process.pid).children()
        return [child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE]

    def send(self, waves: Sequence[Sequence[str]], **options: Any) -> list[list[Answer]]:
        """Send waves of simultaneous requests from a process of their own."""
        return swarm.send(self.port, self.worker_pids(), waves, **options)

    def answers(self, waves: Sequence[Sequence[str]]) -> list[list[Answer]]:
        """Send waves of requests from this process, when it does not matter how exactly they meet."""
        return asyncio.run(swarm.answers(self.port, [], waves))

    def begin(self, *texts: str) -> Future[list[Answer]]:
        """Send these requests at one instant, and do not wait for their answers."""
        connections = max(len(texts), 3 * self.workers)
        asking = swarm.answers(self.port, self.worker_pids(), [texts], connections)
        return _BACKGROUND.submit(lambda: asyncio.run(asking)[0])

    def spread(self, *waves: Sequence[str]) -> list[list[Answer]]:
        """Send waves over connections that go to the workers in turn: four requests reach all four workers."""
        return asyncio.run(swarm.answers(self.port, self.worker_pids(), list(waves), 3 * self.workers))

    def to_every_worker(self, *texts: str) -> list[list[Answer]]:
        """Send each of these requests to every worker; answer what each of the workers said to it."""
        answered = self.spread(*([text] * self.workers for text in texts))
        for answers in answered:
            assert {answer.worker for answer in answers} == set(self.worker_pids())
        return answered

    def ask(self, text: str) -> Answer:
        """Send one request."""
        return self.answers([[text]])[0][0]

    def run_flask(self, *arguments: str) -> str:
        """Run a `flask` command as an operator does, in a process of its own; answer what it printed."""
        ran = subprocess.run(
            [str(BIN / "flask"), "--app", self.target, *arguments],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def ask_patiently(self, text: str, *, seconds: float) -> Answer:
        """Send a request until somebody answers it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.ask(text)
            except (OSError, EOFError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    # What Alice does.

    def sign_in(self) -> requests.Session:
        """Alice's browser, signed in."""
        browser = requests.Session()
        browser.headers["Origin"] = self.url
        _, fields = flows.form_of(browser.get(f"{self.url}/login").text)
        page = browser.post(f"{self.url}/login", data=fields | {"username": "alice", "password": PASSWORD})
        assert page.status_code == 200, page.text
        return browser

    def obtain_codes(self, count: int, browser: requests.Session | None = None, **parameters: str) -> list[str]:
        """Codes of the app `web`, which Alice is not asked about."""
        cookies = cookies_of(browser or self.sign_in())
        waves = batched([self.authorization(cookies, **parameters)] * count, 25)
        return [code_of(answer) for wave in self.answers(waves) for answer in wave]

    def obtain_tokens(self, count: int) -> list[dict[str, Any]]:
        codes = self.obtain_codes(count)
        waves = batched([self.redemption(code) for code in codes], 25)
        answers = [answer for wave in self.answers(waves) for answer in wave]
        assert {answer.status for answer in answers} == {200}, answers[0]
        return [answer.json for answer in answers]


def cookies_of(browser: requests.Session) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)


def code_of(answer: Answer) -> str:
    assert answer.status == 303, answer
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

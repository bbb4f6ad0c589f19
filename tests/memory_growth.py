"""`python -m tests.memory_growth FOLDER [keep]`: the growth of a server's memory by objects, in a process of its own.

FOLDER is a copy of the template that tests/conftest.py makes. With `keep` each request leaves one object behind.
Prints JSON: the requests made, by how many objects the process grew, and of which types most of them are.
"""

from __future__ import annotations

import gc
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from flask import Flask

from oidc_server import create_app

from . import flows
from .conftest import API, settings_for

WARM_UP, MEASURED = 200, 400


def one_round(app: Flask) -> None:
    """Requests as they come: people, apps, APIs, and those that go wrong."""
    alice, machine, base = flows.Browser(app), flows.machine_of(app), flows.base_url(app)
    parameters = {"client_id": "spa", "resource": API}
    code = alice.obtain_code(scope="openid profile offline_access photos:read", **parameters)
    tokens: Any = flows.redeem(app, code, client_id="spa").json
    refreshed: Any = flows.refresh(app, tokens["refresh_token"], client_id="spa").json
    machine.post("/token", data={"grant_type": "client_credentials"}, headers=flows.basic("api", "x"), base_url=base)
    flows.userinfo(app, alice.obtain_tokens(client_id="spa", scope="openid profile")["access_token"])
    flows.userinfo(app, refreshed["access_token"])
    flows.refresh(app, "rt1.made-up", client_id="spa")
    machine.post("/revoke", data={"token": refreshed["refresh_token"], "client_id": "spa"}, base_url=base)
    machine.get("/.well-known/openid-configuration", base_url=base)
    machine.get("/jwks.json", base_url=base)
    machine.get("/nowhere", base_url=base)
    alice.get("/authorize?client_id=nobody")
    alice.submit(alice.get("/logout"), decision="confirm")


def objects() -> Counter[str]:
    for _ in range(3):
        gc.collect()
    return Counter(type(found).__name__ for found in gc.get_objects())


def main(folder: Path, leave: bool) -> dict[str, Any]:
    app = create_app(**settings_for(folder))
    made = 0
    kept: list[list[Any]] = []

    @app.before_request
    def count() -> None:
        nonlocal made
        made += 1
        if leave:
            kept.append([made])

    while made < WARM_UP:
        one_round(app)
    before, start = objects(), made
    while made - start < MEASURED:
        one_round(app)
    after = objects()
    grown = sum(after.values()) - sum(before.values())
    return {"requests": made - start, "grown": grown, "types": (after - before).most_common(8)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), "keep" in sys.argv[2:])))

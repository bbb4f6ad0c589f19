"""The kinds of work, each as a job file for wrk: what is sent, what counts as done."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .pairs import Pair, as_lua
from .servers import API, CALLBACK, HERE, LOAD_CORE, Target

FORM = "application/x-www-form-urlencoded"
CONNECTIONS = 8
#: More than a run can use up, so that no challenge comes twice.
PAIRS = 60_000


@dataclass(frozen=True)
class Figures:
    """One run of one kind of work: `rate` units a second, latencies in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Work:
    """One kind of work. `script` is a file in load/, `job` writes the Lua table that it reads."""

    name: str
    script: str
    job: Callable[[Target], str]
    #: Whether node-oidc-provider does the same.
    on_node: bool = False
    threads: int = 2

    def run(self, target: Target, seconds: float) -> Figures:
        """Put the load on for a while. Raises RuntimeError when anything but the expected answer came."""
        with tempfile.TemporaryDirectory() as folder:
            job = Path(folder) / "job.lua"
            job.write_text(self.job(target), "utf-8")
            command = ["taskset", "-c", LOAD_CORE, "wrk", "-t", str(self.threads), "-c", str(CONNECTIONS)]
            command += ["-d", f"{seconds:.0f}s", "--timeout", "10s", "-s", str(HERE / "load" / self.script), target.url]
            environ = os.environ | {"JOB": str(job), "REPORT": str(HERE / "load" / "report.lua")}
            ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        found = json.loads(ran.stdout.rpartition("FIGURES ")[2])
        if found["wrong"] or not found["done"]:
            raise RuntimeError(f"{self.name} on {target.name}: {ran.stdout}")
        return Figures(found["done"] / found["seconds"], found["p50_ms"], found["p99_ms"])


def steady(method: str, path: str, headers: dict[str, str], body: str = "") -> str:
    pairs = ",".join(f'["{name}"]="{value}"' for name, value in headers.items())
    return f'return {{method="{method}",path="{path}",headers={{{pairs}}},body={json.dumps(body)}}}'


def client_credentials(target: Target) -> str:
    body = f"grant_type=client_credentials&scope=photos%3Aread&resource={quote(API, safe='')}"
    return steady("POST", target.token_path, {"Authorization": target.authorization, "Content-Type": FORM}, body)


def code_flow(target: Target) -> str:
    pairs = as_lua([Pair.make() for _ in range(PAIRS)])
    return (
        f'return {{authorize="{target.authorize_path}{target.authorize_query()}",cookie="{target.cookie}",token="{target.token_path}",'
        f'authorization="{target.authorization}",redirect_uri="{quote(CALLBACK, safe="")}",pairs={pairs}}}'
    )


def refresh(target: Target) -> str:
    live = ",".join(f'"{target.tokens(Pair.make())["refresh_token"]}"' for _ in range(CONNECTIONS))
    return f'return {{token="{target.token_path}",authorization="{target.authorization}",tokens={{{live}}}}}'


def introspection(target: Target) -> str:
    token = target.tokens(Pair.make())["access_token"]
    headers = {"Authorization": target.api_authorization, "Content-Type": FORM}
    return steady("POST", "/introspect", headers, f"token={token}")


def userinfo(target: Target) -> str:
    token = target.tokens(Pair.make(), resource="", scope="openid profile")["access_token"]
    return steady("GET", "/userinfo", {"Authorization": f"Bearer {token}"})


def jwks(target: Target) -> str:
    return steady("GET", "/jwks" if target.name == "node" else "/jwks.json", {})


def discovery(target: Target) -> str:
    return steady("GET", "/.well-known/openid-configuration", {})


WORK = (
    Work("client credentials", "steady.lua", client_credentials, on_node=True),
    Work("code flow", "code_flow.lua", code_flow, on_node=True, threads=CONNECTIONS),
    Work("refresh", "refresh.lua", refresh, on_node=True, threads=CONNECTIONS),
    Work("introspection", "steady.lua", introspection),
    Work("userinfo", "steady.lua", userinfo),
    Work("JWKS", "steady.lua", jwks, on_node=True),
    Work("discovery", "steady.lua", discovery, on_node=True),
)

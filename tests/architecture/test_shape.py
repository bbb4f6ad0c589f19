"""The shape of the source tree: tiers, file length, refused names, and the doorways that nobody may go around."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from oidc_server import FEATURES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "oidc_server"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py"))
MOST_LINES = 250
REFUSED_NAMES = re.compile(r"^(utils?|helpers?|common|core|misc|managers?)$")
TOP_LEVEL = {"oidc_server", "templates", "keys", "tests", "config", "docs", "examples", "benchmarks", "instance"}
API = ("register", "login", "logout", "verify", "recover", "reset", "password", "grant", "revoke")


def test_upper_tiers_import_lower_ones_and_answers_never_each_other() -> None:
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


def test_no_name_says_nothing() -> None:
    names = [part for path in SOURCES for part in (path.stem, *path.relative_to(ROOT).parent.parts)]
    assert not [name for name in names if REFUSED_NAMES.match(name)]


def test_the_top_level_holds_what_the_map_says() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {name.split("/")[0] for name in listed if "/" in name}
    assert {name for name in folders if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_opens_by_saying_what_it_is(path: Path) -> None:
    if "versions" not in path.parts:
        assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_every_feature_mounts_itself() -> None:
    assert all(callable(feature.mount) for feature in FEATURES)


DOORWAYS = [
    # (what, where alone it may stand)
    (r"\bjwt\.decode|\bjws\.deserialize|\bjws\.extract", {"inbound_jwt.py"}),
    (r"\bimport (requests|httpx2?|urllib3)\b|urllib\.request|http\.client", {"breached.py"}),
    (r"render_template_string|\|\s*safe\b|Markup\(f", set[str]()),
    (r"\butcnow\b|\bdatetime\.now\(\)", set[str]()),
    (r"(?<!def )\btime\.time\(\)", set[str]()),
]


@pytest.mark.row("WB-03", "HT-01")
@pytest.mark.parametrize(("pattern", "allowed"), DOORWAYS, ids=[pattern for pattern, _ in DOORWAYS])
def test_each_doorway_is_the_only_one(pattern: str, allowed: set[str]) -> None:
    offenders = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in SOURCES
        if path.name not in allowed
        for line in path.read_text("utf-8").splitlines()
        if re.search(pattern, line.split("  #")[0]) and not line.lstrip().startswith("#")
    ]
    assert not offenders


@pytest.mark.row("HT-01")
def test_parameters_are_read_by_strict_form_alone() -> None:
    offenders = []
    for path in SOURCES:
        tree = ast.parse(path.read_text("utf-8"))
        flask_names = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "flask"
            for alias in node.names
            if alias.name in ("request", "Request")
        }
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                own = {argument.arg for argument in function.args.args}
                offenders += [
                    f"{path.relative_to(ROOT)}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Attribute)
                    and node.attr in ("values", "args", "form", "get_json", "json", "data")
                    and isinstance(node.value, ast.Name)
                    and node.value.id in flask_names - own
                ]
    assert not offenders


@pytest.mark.spec("RFC 8414 §2")
def test_discovery_names_exactly_the_endpoints_that_are_mounted(app: Flask) -> None:
    server = app.extensions["oidc_server"]
    advertised = {
        value.removeprefix(server.settings.issuer)
        for name, value in server.metadata.items()
        if name.endswith("_endpoint") or name == "jwks_uri"
    }
    mounted = {rule.rule for rule in app.url_map.iter_rules()}
    pages = {
        "/login",
        "/login/passkey",
        "/login/passkey/options",
        *("/login/second-factor", "/login/second-factor/new"),
        *("/account/factors", "/account/factors/app", "/account/factors/recovery-codes", "/account/factors/remove"),
        *("/account", "/account/profile", "/account/password", "/account/secure", "/account/activity"),
        *("/account/email", "/account/email/verify", "/account/email/code"),
        *("/account/sessions", "/account/sessions/end", "/account/sessions/end-others"),
        *("/account/apps", "/account/apps/remove"),
        *("/account/data", "/account/data/export", "/account/data/delete"),
        "/account/passkeys",
        "/account/passkeys/options",
        "/account/passkeys/add",
        "/account/passkeys/rename",
        "/account/passkeys/remove",
        "/api",
        "/api/openapi.json",
        *(f"/api/v1/accounts/{name}" for name in API),
        "/signup",
        "/verify",
        "/verify/<any(confirmed, changed, undone, disowned):done>",
        "/recover",
        "/reset",
        "/reset/done",
        "/consent",
        "/language",
        "/themes/<name>",
        "/logged-out",
        "/dev/mails",
        "/dev/mails/<mail_id>",
        "/healthz",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    }
    assert advertised == mounted - pages - {"/static/<path:filename>"}


@pytest.mark.row("WB-10")
def test_no_get_changes_anything_but_the_sign_out_that_the_protocol_asks_for(app: Flask) -> None:
    """A route audit: each address that answers GET, reviewed by hand. A new one has to be added here, with the question asked."""
    reviewed = {
        "/.well-known/oauth-authorization-server": "reads",
        "/.well-known/openid-configuration": "reads",
        "/authorize": "parks a request, or issues a code to a person who consented: OIDC Core §3.1.2.1 demands GET",
        "/consent": "reads",
        "/dev/mails": "reads",
        "/dev/mails/<mail_id>": "reads",
        "/healthz": "reads",
        "/jwks.json": "reads",
        "/logged-out": "reads",
        "/login": "reads",
        "/login/second-factor": "reads",
        "/login/second-factor/new": "reads: the picture was made when the password was right",
        "/account/factors": "reads",
        "/account/factors/app": "reads: the picture was made when the button was pressed",
        "/account/factors/recovery-codes": "reads: the button makes them",
        "/account": "reads",
        "/account/activity": "reads",
        "/account/apps": "reads",
        "/account/data": "reads",
        "/account/data/delete": "reads: what deleting would do, and the question",
        "/account/email": "reads",
        "/account/passkeys": "reads",
        "/account/password": "reads",
        "/account/profile": "reads",
        "/account/secure": "reads: what it would end, and the question",
        "/account/sessions": "reads",
        "/api": "reads",
        "/api/openapi.json": "reads",
        "/signup": "reads",
        "/verify": "reads: the link of a mail shows a page with a button",
        "/verify/<any(confirmed, changed, undone, disowned):done>": "reads",
        "/recover": "reads",
        "/reset": "reads: the link of a mail shows a form",
        "/reset/done": "reads",
        "/logout": "ends the session only with its own ID token as a hint: RP-Initiated Logout §2 demands GET",
        "/static/<path:filename>": "reads",
        "/themes/<name>": "reads",
        "/userinfo": "reads",
    }
    assert {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())} == set(reviewed)

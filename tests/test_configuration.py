"""What is written about the settings is what settings.py says, and every example in it works when it is copied."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from oidc_server import serve, settings, settings_docs
from oidc_server.settings import Settings, SettingsError, load

SECRET = {"OIDC_SECRET_KEY": "0123456789abcdef" * 4}
DEFAULTS = {declared.name: declared.default for declared in fields(Settings)}


@pytest.mark.parametrize("path", settings_docs.render(), ids=lambda path: path.name)
def test_the_generated_files_are_as_make_config_writes_them(path: Path) -> None:
    assert path.read_text("utf-8") == settings_docs.render()[path], "run `make config`"


def test_every_line_of_the_toml_example_is_a_setting_at_its_default() -> None:
    text = (settings.ROOT / "config" / "example.toml").read_text("utf-8")
    found = tomllib.loads("\n".join(assignments(text, r"[a-z_]+ = ")))
    assert set(found) == set(DEFAULTS)
    made = load({}, **(found | {"secret_key": SECRET["OIDC_SECRET_KEY"]}))
    assert_defaults(made)


def test_every_line_of_the_env_example_is_a_setting_at_its_default() -> None:
    text = (settings.ROOT / ".env.example").read_text("utf-8")
    pairs = (line.split("=", 1) for line in assignments(text, r"OIDC_[A-Z_]+="))
    environ = {name: value.strip("'") for name, value in pairs}
    assert len(environ) == len(DEFAULTS)
    assert_defaults(load(environ | SECRET))


@pytest.mark.parametrize("environment", settings.ENVIRONMENTS)
def test_the_settings_of_each_environment_are_read(environment: str) -> None:
    found = tomllib.loads((settings.ROOT / "config" / f"{environment}.toml").read_text("utf-8"))
    made = load(SECRET | {"OIDC_ENVIRONMENT": environment, "OIDC_ISSUER": "https://id.example.test"})
    assert found
    assert {name: getattr(made, name) for name in found} == found


def test_the_environment_overrides_the_file() -> None:
    environ = SECRET | {"OIDC_ENVIRONMENT": "testing"}
    assert load(environ).bcrypt_cost == 4
    assert load(environ | {"OIDC_BCRYPT_COST": "5"}).bcrypt_cost == 5
    assert load(environ | {"OIDC_BCRYPT_COST": "5"}, bcrypt_cost=6).bcrypt_cost == 6


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f" * 40 + "\n")
    assert load({"OIDC_SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == "f" * 40
    with pytest.raises(SettingsError, match="OIDC_SECRET_KEY_FILE"):
        load({"OIDC_SECRET_KEY_FILE": str(tmp_path / "nowhere")})


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"OIDC_ISUER": "https://id.example.test"}, "OIDC_ISUER"),
        ({"OIDC_WORKERS": "many"}, "OIDC_WORKERS"),
        ({"OIDC_RATELIMIT_ENABLED": "perhaps"}, "OIDC_RATELIMIT_ENABLED"),
        ({"OIDC_SIGNING_ALGORITHMS": "HS256"}, "OIDC_SIGNING_ALGORITHMS"),
        ({"OIDC_ISSUER": "https://id.example.test/"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "http://id.example.test"}, "OIDC_ISSUER"),
        ({"OIDC_ENVIRONMENT": "staging"}, "OIDC_ENVIRONMENT"),
        ({"OIDC_ENVIRONMENT": "production", "OIDC_ISSUER": "http://localhost:8000"}, "OIDC_ISSUER"),
        ({"OIDC_SECRET_KEY": "short"}, "OIDC_SECRET_KEY"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_setting_that_cannot_be_refuses_the_start_and_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load(SECRET | environ)


def test_production_does_not_make_up_a_secret_key() -> None:
    with pytest.raises(SettingsError, match="OIDC_SECRET_KEY"):
        load({"OIDC_ENVIRONMENT": "production", "OIDC_ISSUER": "https://id.example.test"})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("127.0.0.1", 8000)),
        ({"OIDC_ISSUER": "http://localhost:9000"}, ("127.0.0.1", 9000)),
        ({"OIDC_ISSUER": "https://id.example.test"}, ("127.0.0.1", 8000)),
        ({"PORT": "9000"}, ("127.0.0.1", 9000)),
        ({"PORT": "9000", "OIDC_BIND": "0.0.0.0:80"}, ("0.0.0.0", 80)),
        ({"OIDC_BIND": "[::1]:8443"}, ("::1", 8443)),
    ],
    ids=str,
)
def test_where_the_server_listens(environ: dict[str, str], expected: tuple[str, int]) -> None:
    environ = SECRET | environ
    serve.adopt_port(environ)
    assert serve.address(load(environ)) == expected


def test_the_port_of_a_platform_moves_the_issuer_of_a_trial_only() -> None:
    environ = SECRET | {"PORT": "9000"}
    serve.adopt_port(environ)
    assert load(environ).issuer == "http://localhost:9000"
    environ = {"PORT": "9000", "OIDC_ENVIRONMENT": "production"}
    serve.adopt_port(environ)
    assert "OIDC_ISSUER" not in environ


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "80 80", "٨٠"])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(SettingsError, match="PORT"):
        serve.adopt_port({"PORT": port})
    with pytest.raises(SettingsError, match="OIDC_BIND"):
        serve.address(load(SECRET | {"OIDC_BIND": f"0.0.0.0:{port}"}))


def assignments(text: str, start: str) -> Iterator[str]:
    """The commented-out settings of an example, as they are when somebody uncomments them."""
    return (line.removeprefix("# ") for line in text.splitlines() if re.match(f"# {start}", line))


def assert_defaults(made: Settings) -> None:
    for name, default in DEFAULTS.items():
        if name != "secret_key":
            assert getattr(made, name) == default, name

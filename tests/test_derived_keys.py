"""One secret key is given; every use has a key of its own, so that none of them can be played against another."""

from __future__ import annotations

import ast
import hashlib

import pytest
from flask import Flask

from oidc_server import settings
from oidc_server.accounts.passwords import Peppers
from oidc_server.clients.secret import SEALING_PURPOSE
from oidc_server.settings import Settings, SettingsError, load

pytestmark = pytest.mark.row("KY-11")

KNOWN = {"flask", "csrf", "consent", "refresh-token", SEALING_PURPOSE, "password pepper"}
SECRET = "0123456789abcdef" * 4


def made(**overrides: object) -> Settings:
    return load({}, **({"secret_key": SECRET} | overrides))


def purposes() -> dict[str, list[str]]:
    """Purpose -> the files that derive a key for it."""
    found: dict[str, list[str]] = {}
    for path in sorted((settings.ROOT / "oidc_server").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        texts = {
            ast.unparse(node.targets[0]): node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("derive_key", "derive_keys")
                and path.name != "settings.py"
            ):
                (argument,) = node.args
                name = (
                    argument.value
                    if isinstance(argument, ast.Constant)
                    else texts.get(ast.unparse(argument), ast.unparse(argument))
                )
                found.setdefault(str(name), []).append(str(path))
    return found


def test_each_purpose_is_of_one_file_alone() -> None:
    found = purposes()
    assert found.keys() >= KNOWN
    for purpose, files in found.items():
        assert len(set(files)) == 1, f"{purpose} is derived in {files}"


def test_the_keys_of_all_purposes_differ_and_none_is_the_secret_key() -> None:
    of_these = made()
    names = purposes().keys()
    keys = [of_these.derive_key(name) for name in names]
    assert len(set(keys)) == len(names) >= 6
    assert all(len(key) == 32 for key in keys)
    for key in keys:
        assert key not in (SECRET.encode()[:32], hashlib.sha256(SECRET.encode()).digest())
        assert SECRET.encode() not in key


def test_the_pepper_is_derived_when_none_is_set_and_its_own_when_one_is() -> None:
    derived, own = made(), made(password_pepper="a pepper of its own, long enough to be one")
    assert Peppers(derived).current_id != Peppers(own).current_id
    assert Peppers(derived).apply("x", Peppers(derived).current_id) != Peppers(own).apply("x", Peppers(own).current_id)


@pytest.mark.parametrize("fallbacks", [(), ("f" * 40,)])
def test_a_pepper_that_is_the_secret_key_refuses_the_start(fallbacks: tuple[str, ...]) -> None:
    for same in (SECRET, *fallbacks):
        with pytest.raises(SettingsError, match="OIDC_PASSWORD_PEPPER"):
            made(secret_key_fallbacks=fallbacks, password_pepper=same)


def test_another_secret_key_gives_other_keys_and_fallbacks_keep_theirs() -> None:
    old, new = made(), made(secret_key="f" * 40, secret_key_fallbacks=(SECRET,))
    for purpose in KNOWN:
        assert new.derive_key(purpose) != old.derive_key(purpose)
        assert new.derive_keys(purpose)[1] == old.derive_key(purpose)


def test_no_derived_key_signs_tokens(app: Flask) -> None:
    """Tokens are signed by asymmetric keys alone, from files that the secret key has no part in."""
    server = app.extensions["oidc_server"]
    assert {entry["kty"] for entry in server.keyring.public()["keys"]} <= {"RSA", "EC", "OKP"}
    private = [path.read_bytes() for path in server.settings.keys_path.glob("*.pem")]
    assert private
    for purpose in KNOWN:
        assert not any(server.settings.derive_key(purpose) in content for content in private)


def test_the_apps_own_key_is_derived_too(app: Flask) -> None:
    assert app.config["SECRET_KEY"] == app.extensions["oidc_server"].settings.derive_key("flask")

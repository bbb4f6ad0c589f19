"""One command, and a stolen key is worth nothing (KY-02)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jwt as pyjwt
import pytest

from oidc_server.signing import Keyring
from oidc_server.signing.stores.files import FileStore

from .conftest import Clock


def kid_of(token: str) -> str:
    return str(pyjwt.get_unverified_header(token)["kid"])


def published(keyring: Keyring) -> set[str]:
    return {key["kid"] for key in keyring.public()["keys"]}


@pytest.mark.row("KY-02", "KY-12", "JW-26")
def test_the_stolen_key_leaves_the_key_set_at_once_and_its_tokens_die(clock: Clock, keyring: Keyring) -> None:
    clock.advance(1000)
    stolen = kid_of(keyring.sign({}, typ="JWT"))
    assert keyring.find_verification_key(stolen, "RS256")
    change = keyring.rotate("emergency")
    assert change.refused_kids == [stolen]
    assert stolen not in published(keyring)
    assert keyring.find_verification_key(stolen, "RS256") is None
    assert stolen not in {key.kid for key in keyring.verification_keys()}


@pytest.mark.row("KY-02")
def test_the_key_that_verifiers_already_have_signs_at_once(clock: Clock, keyring: Keyring) -> None:
    clock.advance(1000)
    cached = published(keyring)
    keyring.rotate("emergency")
    assert kid_of(keyring.sign({}, typ="JWT")) in cached
    assert len(published(keyring) - cached) == 1


@pytest.mark.row("KY-02")
def test_the_key_whose_switch_was_planned_comes_before_the_one_behind_it(clock: Clock, keyring: Keyring) -> None:
    clock.advance(10)
    planned = keyring.rotate().after.last("RS256")
    assert planned
    clock.advance(10)
    keyring.rotate("emergency")
    assert kid_of(keyring.sign({}, typ="JWT")) == planned.kid


@pytest.mark.row("KY-02")
def test_every_worker_obeys_within_a_second(
    clock: Clock, keyring: Keyring, make_keyring: Callable[..., Keyring]
) -> None:
    other = make_keyring()
    stolen = kid_of(other.sign({}, typ="JWT"))
    keyring.rotate("emergency")
    assert stolen not in published(other)  # the key set is never served from what a worker remembers
    third = make_keyring()
    keyring.rotate("emergency")
    clock.advance(1)
    assert kid_of(third.sign({}, typ="JWT")) == kid_of(keyring.sign({}, typ="JWT"))


@pytest.mark.row("KY-02")
def test_a_token_by_a_key_made_a_moment_ago_elsewhere_is_verified(
    keyring: Keyring, make_keyring: Callable[..., Keyring]
) -> None:
    other = make_keyring()
    keyring.rotate("everything")
    assert other.find_verification_key(kid_of(keyring.sign({}, typ="JWT")), "RS256")


@pytest.mark.row("KY-02")
def test_the_private_part_is_deleted_and_the_refusal_kept(clock: Clock, keyring: Keyring, keys_folder: Path) -> None:
    stolen = kid_of(keyring.sign({}, typ="JWT"))
    keyring.rotate("emergency")
    assert not (keys_folder / f"{stolen}.pem").exists()
    kept = [key for key in json.loads((keys_folder / "keyring.json").read_text())["keys"] if key["kid"] == stolen]
    assert [key["emergency"] for key in kept] == [True]


@pytest.mark.row("KY-02")
def test_a_private_key_put_back_from_a_backup_stays_refused(
    clock: Clock, keyring: Keyring, keys_folder: Path, make_keyring: Callable[..., Keyring]
) -> None:
    stolen = keys_folder / f"{kid_of(keyring.sign({}, typ='JWT'))}.pem"
    content = stolen.read_bytes()
    keyring.rotate("emergency")
    stolen.write_bytes(content)
    stolen.chmod(0o600)
    again = make_keyring()
    assert kid_of(again.sign({}, typ="JWT")) != stolen.stem
    assert stolen.stem not in published(again)


@pytest.mark.row("KY-02")
def test_all_replaces_what_was_waiting_too(clock: Clock, make_keyring: Callable[..., Keyring]) -> None:
    keyring = make_keyring(signing_algorithms=("RS256", "ES256"))
    clock.advance(1000)
    keyring.rotate()
    before = published(keyring)
    assert len(before) == 6
    keyring.rotate("everything")
    after = published(keyring)
    assert len(after) == 4
    assert not after & before
    for alg in ("RS256", "ES256"):
        assert keyring.find_verification_key(kid_of(keyring.sign({}, typ="JWT", algorithm=alg)), alg)


@pytest.mark.row("KY-02")
def test_an_emergency_does_not_wait_for_the_database(clock: Clock, keyring: Keyring) -> None:
    def unreachable() -> float:
        raise ConnectionError("the database is away")

    keyring.outlive(unreachable)
    assert keyring.rotate("emergency").done
    with pytest.raises(ConnectionError):
        keyring.rotate()


@pytest.mark.row("KY-02")
def test_an_emergency_is_not_taken_for_done_by_a_planned_rotation(
    clock: Clock, keyring: Keyring, make_keyring: Callable[..., Keyring], keys_folder: Path
) -> None:
    # Both were asked for at once; the planned one got the lock first, after the other had read the ring.
    stolen = kid_of(keyring.sign({}, typ="JWT"))

    class Overtaken(FileStore):
        def change(self, work):  # type: ignore[no-untyped-def]
            make_keyring().rotate()
            return super().change(work)

    store = Overtaken(keys_folder)
    keyring.changes._store = store
    assert keyring.rotate("emergency").refused_kids == [stolen]
    assert not keyring.rotate().done

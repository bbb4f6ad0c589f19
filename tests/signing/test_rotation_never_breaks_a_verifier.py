"""Verifiers that cache the key set as long as they may never meet a key they do not know (F-10)."""

from __future__ import annotations

from collections.abc import Callable

import jwt as pyjwt
import pytest

from oidc_server.signing import Keyring
from oidc_server.signing.keys import Key

from .conftest import Clock

MAX_AGE = 300
LIFETIME = 900


class Verifier:
    """A resource server that fetches the JWKS only when its copy is as old as max-age allows, from one of the workers."""

    def __init__(self, worker: Keyring, first_fetch: float) -> None:
        self.worker = worker
        self.fetched_at = first_fetch - MAX_AGE
        self.keys: dict[str, pyjwt.PyJWK] = {}

    def verify(self, token: str, at: float) -> None:
        if at >= self.fetched_at + MAX_AGE:
            self.keys = {key.key_id or "": key for key in pyjwt.PyJWKSet.from_dict(self.worker.public()).keys}
            self.fetched_at = at
        key = self.keys[pyjwt.get_unverified_header(token)["kid"]]
        pyjwt.decode(token, key, algorithms=[key.algorithm_name], options={"verify_exp": False})


def travel(
    clock: Clock, workers: list[Keyring], seconds: float, *, algorithm: str | None = None
) -> tuple[int, set[str]]:
    """Let time pass in steps of 20 s: every worker signs, every verifier verifies what is new and what is nearly over.

    Answers how many verifications succeeded, and which keys signed; the first failure raises.
    """
    verifiers = [Verifier(workers[n % len(workers)], clock.now - MAX_AGE * n / 7) for n in range(7)]
    tokens: list[tuple[float, str]] = []
    kids: set[str] = set()
    verified = 0
    end = clock.now + seconds
    while clock.now < end:
        for worker in workers:
            token = worker.sign({"at": clock.now}, typ="at+jwt", algorithm=algorithm)
            kids.add(pyjwt.get_unverified_header(token)["kid"])
            tokens.append((clock.now, token))
        tokens = [(issued, token) for issued, token in tokens if issued > clock.now - LIFETIME]
        for verifier in verifiers:
            for _, token in (tokens[0], tokens[-1]):
                verifier.verify(token, clock.now)
                verified += 1
        clock.advance(20)
        for worker in workers:
            worker.upkeep()
    return verified, kids


@pytest.mark.row("KY-01")
def test_three_rotations_by_command_are_not_noticed(clock: Clock, make_keyring: Callable[..., Keyring]) -> None:
    workers = [make_keyring(jwks_max_age=MAX_AGE), make_keyring(jwks_max_age=MAX_AGE)]
    verified, signed_by = travel(clock, workers, 400)
    for _ in range(3):
        assert workers[0].rotate().done
        more, kids = travel(clock, workers, MAX_AGE + 10)
        verified, signed_by = verified + more, signed_by | kids
    more, kids = travel(clock, workers, 2 * LIFETIME)
    assert len(signed_by | kids) == 4
    assert verified + more > 1500


@pytest.mark.row("KY-01")
def test_scheduled_rotations_are_not_noticed(clock: Clock, make_keyring: Callable[..., Keyring]) -> None:
    settings = {"jwks_max_age": MAX_AGE, "key_rotation_days": 2000 / 86400, "signing_algorithms": ("ES256",)}
    workers = [make_keyring(**settings), make_keyring(**settings)]
    _, signed_by = travel(clock, workers, 3 * 2000 + 100)
    assert len(signed_by) == 4


def test_a_new_default_algorithm_takes_over_only_when_verifiers_can_know_it(
    clock: Clock, make_keyring: Callable[..., Keyring]
) -> None:
    old = make_keyring(signing_algorithms=("RS256",))
    travel(clock, [old], 400)
    verifier = Verifier(old, clock.now)
    verifier.verify(old.sign({}, typ="JWT"), clock.now)  # fetches just before the worker is started anew
    new = make_keyring(signing_algorithms=("EdDSA", "RS256"))
    kinds = []
    for _ in range(40):
        token = new.sign({}, typ="at+jwt")
        verifier.verify(token, clock.now)
        kinds.append(pyjwt.get_unverified_header(token)["alg"])
        clock.advance(10)
    assert kinds == ["RS256"] * 36 + ["EdDSA"] * 4


@pytest.mark.row("KY-01")
def test_a_key_is_published_long_enough_before_it_signs_even_when_it_is_rotated_at_once(
    clock: Clock, keyring: Keyring
) -> None:
    born = clock.now
    waiting = standby(keyring)
    clock.advance(10)
    keyring.rotate()
    assert state(keyring, waiting.kid) == "next"
    clock.now = born + MAX_AGE + 60 - 0.001
    assert state(keyring, waiting.kid) == "next"
    clock.now = born + MAX_AGE + 60
    assert state(keyring, waiting.kid) == "active"
    assert pyjwt.get_unverified_header(keyring.sign({}, typ="JWT"))["kid"] == waiting.kid


@pytest.mark.row("KY-01", "KY-12", "JW-26")
def test_a_retired_key_verifies_until_the_last_token_it_signed_has_ended_and_no_longer(
    clock: Clock, make_keyring: Callable[..., Keyring]
) -> None:
    keyring = make_keyring(access_token_lifetime=600, id_token_lifetime=700)
    keyring.outlive(lambda: 1200)
    clock.advance(1000)
    old = keyring.public()["keys"][0]["kid"]
    keyring.rotate()
    assert state(keyring, old) == "retired"
    clock.advance(1200 + 60 - 1)
    assert keyring.find_verification_key(old, "RS256")
    assert old in {key["kid"] for key in keyring.public()["keys"]}
    clock.advance(1)
    assert keyring.find_verification_key(old, "RS256") is None
    assert old not in {key.kid for key in keyring.verification_keys()}
    assert old not in {key["kid"] for key in keyring.public()["keys"]}


def test_the_switch_of_a_schedule_is_known_before_and_happens_everywhere_at_one_instant(
    clock: Clock, make_keyring: Callable[..., Keyring]
) -> None:
    first, second = make_keyring(key_rotation_days=1), make_keyring(key_rotation_days=1)
    start = clock.now
    clock.now = start + 86400 - 360
    first.upkeep()
    clock.advance(1)
    second.sign({}, typ="JWT")  # has seen the plan; from here on it looks at no file
    first._look_after = second._look_after = float("inf")
    for at, moved in ((start + 86400 - 0.001, False), (start + 86400, True)):
        clock.now = at
        kids = {pyjwt.get_unverified_header(worker.sign({}, typ="JWT"))["kid"] for worker in (first, second)}
        assert len(kids) == 1
        assert (kids != {active_at(first, start)}) is moved


def test_without_a_schedule_nothing_rotates_by_itself(clock: Clock, make_keyring: Callable[..., Keyring]) -> None:
    keyring = make_keyring(key_rotation_days=0)
    before = keyring.public()
    clock.advance(400 * 86400)
    keyring.upkeep()
    assert keyring.public() == before


def standby(keyring: Keyring) -> Key:
    found = keyring.changes.ring().standby("RS256")
    assert found
    return found


def state(keyring: Keyring, kid: str) -> str:
    from oidc_server.database import now

    return next(key.state(now()) for key in keyring.changes.ring().keys if key.kid == kid)


def active_at(keyring: Keyring, at: float) -> str:
    signer = keyring.changes.ring().signer("RS256", at)
    assert signer
    return signer.kid

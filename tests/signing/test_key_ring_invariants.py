"""Whatever is asked of the keys in whatever order, some things hold at every instant."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oidc_server.signing.keys import Key, Ring, ring_from_json
from oidc_server.signing.rotation import Policy, complete, rotate, rotate_due, rotate_in_emergency, tidy

POLICY = Policy(algorithms=("EdDSA",), rsa_bits=2048, lead=360.0, stay=960.0, period=5000.0)

steps = st.lists(
    st.tuples(st.floats(0, 2500), st.sampled_from(("wait", "upkeep", "upkeep", "rotate", "emergency", "everything"))),
    max_size=25,
)


@settings(deadline=None, max_examples=150)
@given(steps)
def test_one_key_signs_it_was_published_and_tokens_outlive_no_key(steps: list[tuple[float, str]]) -> None:
    at = 1000.0
    ring = complete(Ring(), POLICY, at)
    excused = {key.kid for key in ring.keys}  # the first keys, and those that an emergency calls early
    for seconds, action in steps:
        before = at
        at += seconds
        for instant in sorted({before, at, *(moment for moment in switches(ring) if before <= moment <= at)}):
            check(ring, instant, excused)
        known = {key.kid: key for key in ring.keys}
        match action:
            case "upkeep":
                ring = tidy(rotate_due(complete(ring, POLICY, at), POLICY, at, "test"), at)
            case "rotate":
                ring = tidy(rotate(ring, POLICY, at, "test"), at)
            case "emergency" | "everything":
                ring = tidy(rotate_in_emergency(ring, POLICY, at, "test", everything=action == "everything"), at)
                excused |= {key.kid for key in ring.keys if key.active_from == at}
                for key in known.values():
                    if key.state(at) in ("active", "retired") or action == "everything":
                        after = next((each for each in ring.keys if each.kid == key.kid), None)
                        assert after is None or after.state(at) == "gone"
        check(ring, at, excused)
        assert all(key.kid in known or key.state(at) != "retired" for key in ring.keys)


def check(ring: Ring, at: float, excused: set[str]) -> None:
    active = [key for key in ring.keys if key.state(at) == "active"]
    assert len(active) == 1
    signer = ring.signer("EdDSA", at)
    assert signer == active[0]
    assert signer.has_private
    assert signer.active_from is not None
    assert signer.kid in excused or signer.active_from >= signer.created_at + POLICY.lead
    assert any(key.state(at) == "next" and key.has_private for key in ring.keys)
    assert len({key.kid for key in ring.keys}) == len(ring.keys)
    for key in ring.keys:
        if key.active_from is not None and key.retired_at is not None and not key.emergency:
            assert key.gone_at == key.retired_at + POLICY.stay
            assert key.active_from <= key.retired_at
        if key.emergency:
            assert key.state(at) == key.state(0.0) == "gone"
            assert not key.has_private
    assert ring_from_json(ring.to_json()) == ring


def switches(ring: Ring) -> set[float]:
    times: list[Any] = [time for key in ring.keys for time in (key.active_from, key.retired_at, key.gone_at)]
    return {time for time in times if time is not None}


def test_a_clock_behind_the_one_that_made_the_first_keys_has_a_key_to_sign_with() -> None:
    ring = complete(Ring(), POLICY, 1000.0)
    signer = ring.signer("EdDSA", 970.0)
    assert signer == ring.signer("EdDSA", 1000.0)
    assert signer


def test_an_emergency_refuses_for_clocks_that_are_behind_too() -> None:
    ring = complete(Ring(), POLICY, 1000.0)
    stolen = ring.signer("EdDSA", 5000.0)
    assert stolen
    after = rotate_in_emergency(ring, POLICY, 5000.0, "test")
    assert next(key for key in after.keys if key.kid == stolen.kid).state(4000.0) == "gone"
    assert after.signer("EdDSA", 4000.0) == after.signer("EdDSA", 5000.0)


def test_an_emergency_right_after_a_rotation_refuses_the_key_before_too() -> None:
    ring = rotate(complete(Ring(), POLICY, 1000.0), POLICY, 5000.0, "test")
    stolen = [key.kid for key in ring.keys if key.state(5000.0) == "retired"]
    after = rotate_in_emergency(ring, POLICY, 5010.0, "test")
    assert stolen
    assert all(key.emergency for key in after.keys if key.kid in stolen)


def test_an_algorithm_no_longer_configured_retires_after_its_successor_is_known() -> None:
    both = Policy(("EdDSA", "ES256"), 2048, 360.0, 960.0, 5000.0)
    ring = rotate(complete(Ring(), both, 0.0), POLICY, 1000.0, "test")
    dropped = ring.of("ES256")
    assert [key.state(1359.0) for key in dropped] == ["active", "gone"]
    assert [key.state(1360.0) for key in dropped] == ["retired", "gone"]
    assert [key.state(1360.0 + 960.0) for key in dropped] == ["gone", "gone"]


def test_an_algorithm_configured_again_keeps_its_key() -> None:
    both = Policy(("EdDSA", "ES256"), 2048, 360.0, 960.0, 5000.0)
    first = complete(Ring(), both, 0.0)
    ring = complete(rotate(first, POLICY, 1000.0, "test"), both, 1100.0)
    assert ring.signer("ES256", 2000.0) == first.signer("ES256", 0.0)
    assert ring.standby("ES256")


def test_keys_are_forgotten_a_month_after_they_went_but_never_a_refused_one() -> None:
    ring = rotate(complete(Ring(), POLICY, 0.0), POLICY, 1000.0, "test")
    old = ring.keys[0].kid
    ring = rotate_in_emergency(ring, POLICY, 3000.0, "test")
    refused = {key.kid for key in ring.keys if key.emergency}
    later = tidy(ring, 3000.0 + 31 * 86400)
    assert old not in refused
    assert old not in {key.kid for key in later.keys}
    assert refused
    assert refused <= {key.kid for key in later.keys}


def test_a_rotation_that_a_graver_one_overtook_is_not_repeated_but_the_graver_is_done() -> None:
    seen = complete(Ring(), POLICY, 0.0)
    planned = rotate(seen, POLICY, 1.0, "test")
    emergency = rotate_in_emergency(seen, POLICY, 1.0, "test")
    assert planned.rotated_since(seen, "planned")
    assert not planned.rotated_since(seen, "emergency")
    assert emergency.rotated_since(seen, "planned")
    assert not emergency.rotated_since(seen, "everything")


def test_a_key_shows_no_private_part_of_itself() -> None:
    key: Key = complete(Ring(), POLICY, 0.0).keys[0]
    assert key.private_pem
    assert "PRIVATE" not in repr(key)
    assert set(key.published()) == {"kty", "crv", "x", "kid", "use", "alg"}

"""How the ring of keys turns: next → active → retired → gone, as pure functions from a ring to the ring after.

A key is published for `lead` before it signs, so that every verifier's cached JWKS holds it (OIDC Core §10.1.1), and
for `stay` after its last signature, so that every token it signed can still be verified. The exceptions are the first
key of an algorithm and an emergency with nothing published long enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .algorithms import generate
from .keys import Key, Ring, Rotated

#: Seconds by which clocks, reloads and network file systems may lag behind one another.
SKEW = 60.0
#: Seconds for which a key that is gone is still listed; one refused in an emergency is listed for ever.
REMEMBERED = 30 * 86400.0


@dataclass(frozen=True)
class Policy:
    """What rotation goes by; `lead`, `stay` and `period` are seconds, a `period` of 0 means no schedule."""

    algorithms: tuple[str, ...]
    rsa_bits: int
    lead: float
    stay: float
    period: float


def is_complete(ring: Ring, policy: Policy) -> bool:
    """Whether every algorithm has a key that signs and one that waits, published."""
    return all(ring.last(alg) and ring.standby(alg) for alg in policy.algorithms)


def complete(ring: Ring, policy: Policy, at: float) -> Ring:
    """The ring with the keys it lacks: at the first start, or when an algorithm was added."""
    for alg in policy.algorithms:
        if not ring.last(alg):
            ring = _with_signer(ring, alg, policy, at)
        if not ring.standby(alg):
            ring = _add(ring, _new_key(alg, policy, at))
    return ring


def due(ring: Ring, policy: Policy, at: float) -> tuple[str, ...]:
    """The algorithms whose scheduled switch is so near that the key after next must be published now."""
    if policy.period <= 0:
        return ()
    lasts = {alg: ring.last(alg) for alg in policy.algorithms}
    return tuple(alg for alg, last in lasts.items() if last and _scheduled(last, policy) - policy.lead <= at)


def rotate(ring: Ring, policy: Policy, at: float, by: str) -> Ring:
    """Every standby takes over as soon as its lead has passed; keys of algorithms no longer configured retire."""
    ring = complete(ring, policy, at)
    for alg in policy.algorithms:
        ring = _hand_over(ring, alg, policy, at, not_before=at)
    for alg in set(ring.algorithms) - set(policy.algorithms):
        ring = _drop(ring, alg, policy, at)
    return _recorded(ring, "planned", at, by)


def rotate_due(ring: Ring, policy: Policy, at: float, by: str) -> Ring:
    """Plan the scheduled switches that are near: known this early, they happen everywhere at the same instant."""
    algorithms = due(ring, policy, at)
    for alg in algorithms:
        last = ring.last(alg)
        if last:
            ring = _hand_over(ring, alg, policy, at, not_before=_scheduled(last, policy))
    return _recorded(ring, "planned", at, by) if algorithms else ring


def rotate_in_emergency(ring: Ring, policy: Policy, at: float, by: str, *, everything: bool = False) -> Ring:
    """Refuse at once every key that has signed, or `everything`; what was published first signs from now on.

    Keys already retired are refused as well: whoever rotates, then learns of the theft, means the key before.
    """
    signers = (ring.signer(alg, at) for alg in ring.algorithms)
    signing = {signer.kid for signer in signers if signer}
    for key in ring.keys:
        state = key.state(at)
        if state in ("active", "retired") or key.kid in signing or (everything and state == "next"):
            ring = _change(ring, _refused(key, at))
    for alg in policy.algorithms:
        ring = _pull_forward(ring, alg, at)
    return _recorded(complete(ring, policy, at), "everything" if everything else "emergency", at, by)


def tidy(ring: Ring, at: float) -> Ring:
    """The ring without what has served: private parts that cannot sign any more, and keys long gone."""
    keys = []
    for key in ring.keys:
        if key.gone_at is not None and not key.emergency and at >= key.gone_at + REMEMBERED:
            continue
        # A node whose clock is behind may still sign with it, and may be starting just now: hence the skew.
        spent = key.emergency or any(end is not None and at >= end + SKEW for end in (key.retired_at, key.gone_at))
        keys.append(replace(key, has_private=False) if spent and key.has_private else key)
    return replace(ring, keys=tuple(keys)) if tuple(keys) != ring.keys else ring


def _hand_over(ring: Ring, alg: str, policy: Policy, at: float, *, not_before: float) -> Ring:
    last, standby = ring.last(alg), ring.standby(alg)
    if not last or not standby or last.active_from is None:
        return complete(ring, policy, at)
    switch = max(not_before, standby.created_at + policy.lead, last.active_from)
    ring = _change(ring, replace(last, retired_at=switch, gone_at=switch + policy.stay))
    ring = _change(ring, replace(standby, active_from=switch))
    return _add(ring, _new_key(alg, policy, at))


def _with_signer(ring: Ring, alg: str, policy: Policy, at: float) -> Ring:
    """Give an algorithm its signer: call back a key on its way out, else wake the standby, else make one."""
    leaving = [key for key in ring.of(alg) if not key.emergency and key.retired_at is not None and key.retired_at > at]
    if leaving:
        latest = max(leaving, key=lambda key: key.retired_at or 0.0)
        return _change(ring, replace(latest, retired_at=None, gone_at=None))
    standby = ring.standby(alg)
    if standby:
        return _change(ring, replace(standby, active_from=at))
    return _add(ring, replace(_new_key(alg, policy, at), active_from=at))


def _pull_forward(ring: Ring, alg: str, at: float) -> Ring:
    """In an emergency, let the key whose turn is next sign at once: verifiers have had it the longest."""
    if any(key.state(at) == "active" for key in ring.of(alg)):
        return ring
    waiting = [key for key in ring.of(alg) if key.state(at) == "next" and key.active_from is not None]
    first = min(waiting, key=lambda key: key.active_from or 0.0, default=ring.standby(alg))
    return _change(ring, replace(first, active_from=at)) if first else ring


def _drop(ring: Ring, alg: str, policy: Policy, at: float) -> Ring:
    last, standby = ring.last(alg), ring.standby(alg)
    if last:
        # Not before verifiers can know the keys of the algorithm that takes its place.
        end = at + policy.lead
        ring = _change(ring, replace(last, retired_at=end, gone_at=end + policy.stay))
    return _change(ring, replace(standby, gone_at=at)) if standby else ring


def _scheduled(last: Key, policy: Policy) -> float:
    return (last.active_from or 0.0) + policy.period


def _refused(key: Key, at: float) -> Key:
    return replace(key, retired_at=min(at, key.retired_at or at), gone_at=at, emergency=True, has_private=False)


def _new_key(alg: str, policy: Policy, at: float) -> Key:
    kid, jwk, pem = generate(alg, policy.rsa_bits)
    return Key(kid=kid, alg=alg, jwk=jwk, created_at=at, private_pem=pem)


def _add(ring: Ring, key: Key) -> Ring:
    return replace(ring, keys=(*ring.keys, key))


def _change(ring: Ring, changed: Key) -> Ring:
    return replace(ring, keys=tuple(changed if key.kid == changed.kid else key for key in ring.keys))


def _recorded(ring: Ring, kind: str, at: float, by: str) -> Ring:
    before = ring.rotations.get(kind)
    rotated = Rotated(count=before.count + 1 if before else 1, at=at, by=by)
    return replace(ring, rotations={**ring.rotations, kind: rotated})

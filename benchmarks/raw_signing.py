"""The limit: how many RS256 signatures of a JWT payload one core makes in a second. `python -m benchmarks.raw_signing [SECONDS]`."""

from __future__ import annotations

import json
import sys
import time

from joserfc import jws
from joserfc.jwk import RSAKey


def rate(seconds: float) -> float:
    """Signatures a second by joserfc with a key of 2048 bits."""
    key = RSAKey.generate_key(2048)
    payload = json.dumps({"iss": "https://id.example.test", "sub": "a" * 32, "exp": 1, "scope": "photos:read"}).encode()
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(50):
            jws.serialize_compact({"alg": "RS256", "kid": "key"}, payload, key)
        done += 50
    return done / (time.perf_counter() - started)


if __name__ == "__main__":
    print(rate(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0))

"""scrypt: Werkzeug's `scrypt:N:r:p$salt$hash`, passlib's `$scrypt$ln=16,r=8,p=1$salt$hash`, Django's `scrypt$N$salt$r$p$hash`. RFC 7914."""

from __future__ import annotations

import hashlib
import re

from .foreign import ForeignHash, HashRefused, base64_of, derived, digest_of, salt_of

#: N times r times p, about a second's worth; one lane takes 128 times N times r bytes, so at most 128 MiB.
MOST_WORK = 2**20

_WERKZEUG = re.compile(r"scrypt:(\d{1,9}):(\d{1,9}):(\d{1,9})\$([^$]+)\$([0-9a-f]+)", re.ASCII)
_PASSLIB = re.compile(r"\$scrypt\$((?:(?:ln|r|p)=\d{1,9},?){3})\$([^$]+)\$([^$]+)", re.ASCII)
_DJANGO = re.compile(r"scrypt\$(\d{1,9})\$([^$]+)\$(\d{1,9})\$(\d{1,9})\$([^$]+)", re.ASCII)


def read(text: str) -> ForeignHash | None:
    if text.startswith("scrypt:"):
        if found := _WERKZEUG.fullmatch(text):
            n, r, p = (int(number) for number in found.group(1, 2, 3))
            return _made(text, n, r, p, found[4].encode(), bytes.fromhex(_even(found[5])))
    elif text.startswith("$scrypt$"):
        if found := _PASSLIB.fullmatch(text):
            named = dict(pair.split("=") for pair in found[1].split(",") if pair)
            if named.keys() == {"ln", "r", "p"} and 1 <= int(named["ln"]) <= 30:
                n, r, p = 2 ** int(named["ln"]), int(named["r"]), int(named["p"])
                return _made(text, n, r, p, base64_of(found[2]), base64_of(found[3]))
    elif text.startswith("scrypt$"):
        if found := _DJANGO.fullmatch(text):
            n, r, p = (int(number) for number in found.group(1, 3, 4))
            return _made(text, n, r, p, found[2].encode(), base64_of(found[5]))
    else:
        return None
    raise HashRefused(
        "A scrypt hash is written scrypt:N:r:p$salt$hash, $scrypt$ln=16,r=8,p=1$salt$hash or scrypt$N$salt$r$p$hash."
    )


def _made(text: str, n: int, r: int, p: int, salt: bytes, digest: bytes) -> ForeignHash:
    if n < 2 or n & (n - 1) or r < 1 or p < 1:
        raise HashRefused("scrypt needs an N that is a power of two, and r and p of at least 1.")
    if n * r * p > MOST_WORK:
        raise HashRefused(
            f"scrypt of N={n}, r={r}, p={p} takes too long for a sign-in: their product may be {MOST_WORK}."
        )
    digest_of(digest)
    salt_of(salt)
    room = 128 * r * (n + p + 2)

    def derive(password: bytes) -> bytes:
        return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=room + 2**20, dklen=len(digest))

    return ForeignHash(text, f"scrypt N={n} r={r} p={p}", derived(digest, derive))


def _even(digits: str) -> str:
    if len(digits) % 2:
        raise HashRefused("The hash was cut: it has an odd number of hexadecimal digits.")
    return digits

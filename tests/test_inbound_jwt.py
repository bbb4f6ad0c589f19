"""A JWT is accepted when everything about it is right, and for no other reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from oidc_server import inbound_jwt
from oidc_server.inbound_jwt import Decoded, Refused

ISSUER = "https://id.example.test"
NOW = 1_800_000_000.0
CLAIMS = {"iss": "client", "sub": "client", "aud": ISSUER, "jti": "one", "iat": NOW, "exp": NOW + 60}

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "other"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
OCT = OctKey.generate_key(256)
ALL = ("RS256", "PS256", "ES256", "EdDSA", "HS256")


def b64(value: bytes | str | Any) -> str:
    raw = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(
    claims: Any = None, key: Key = RSA, algorithm: str = "RS256", header: dict[str, Any] | str | None = None
) -> str:
    """A token made by hand, so that it can be wrong in every way; a `header` given as text replaces the whole."""
    head = header if isinstance(header, str) else {"alg": algorithm, **(header or {})}
    signed = b64(head) + "." + b64(CLAIMS if claims is None else claims)
    return signed + "." + b64(JWSRegistry.algorithms[algorithm].sign(signed.encode(), key))


def decode(token: str, keys: Any = (RSA,), **changes: Any) -> Decoded:
    rules: dict[str, Any] = {
        "purpose": "test",
        "keys": keys,
        "algorithms": ("RS256", "PS256", "ES256", "EdDSA"),
        "issuer": "client",
        "audience": ISSUER,
        "typ": (None, "JWT"),
        "leeway": 10,
        "now": NOW,
        "require": ("iss", "sub", "aud", "exp", "jti"),
    }
    return inbound_jwt.decode(token, **(rules | changes))


def assert_refused(token: str, keys: Any = (RSA,), **changes: Any) -> str:
    with pytest.raises(Refused) as refused:
        decode(token, keys, **changes)
    assert refused.value.reason.startswith("test: ")
    return refused.value.reason


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519"), (OCT, "HS256")],
)
def test_a_good_token_is_accepted_by_every_algorithm(key: Key, algorithm: str) -> None:
    decoded = decode(sign(key=key, algorithm=algorithm), [RSA, EC, ED, OCT], algorithms=ALL)
    assert decoded.claims == CLAIMS
    assert decoded.header["alg"] == algorithm


def test_a_key_is_found_by_its_kid_or_by_trying() -> None:
    keys = [OTHER_RSA, EC, RSA]
    assert decode(sign(header={"kid": "rsa"}), keys)
    assert decode(sign(), keys)
    nameless = RSAKey.import_key({name: value for name, value in RSA.as_dict().items() if name != "kid"})
    assert decode(sign(header={"kid": "anything"}), [OTHER_RSA, nameless])


def test_a_key_of_another_kid_is_not_tried() -> None:
    assert_refused(sign(header={"kid": "other"}), [RSA, OTHER_RSA])
    assert_refused(sign(header={"kid": "nobody"}), [RSA])


def test_no_more_than_ten_keys_are_tried() -> None:
    decoys = [RSAKey.import_key(OTHER_RSA.as_dict() | {"kid": f"decoy-{number}"}) for number in range(10)]
    assert decode(sign(), [*decoys[1:], RSA])
    assert_refused(sign(), [*decoys, RSA])


@pytest.mark.row("JW-01")
@pytest.mark.parametrize("alg", ["none", "None", "noNe", "NONE", "", None, ["RS256"], 1])
def test_alg_none_is_refused_even_when_somebody_allows_it(alg: Any) -> None:
    for signature in ("", b64(b"x"), sign().split(".")[2]):
        token = f"{b64({'alg': alg})}.{b64(CLAIMS)}.{signature}"
        assert_refused(token)
        assert_refused(token, algorithms=(*ALL, "none", "None", "noNe", ""))


@pytest.mark.row("JW-01")
def test_an_empty_signature_is_refused() -> None:
    assert_refused(sign().rpartition(".")[0] + ".")


@pytest.mark.row("JW-01", "CA-12")
def test_an_algorithm_outside_the_allow_list_is_refused() -> None:
    assert_refused(sign(algorithm="PS256"), algorithms=("RS256",))
    assert_refused(sign(algorithm="RS512"), algorithms=("RS256", "RS512"))


def public_spellings() -> list[bytes]:
    native = RSA.public_key
    return [
        native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        b"\n " + native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        native.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        native.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        json.dumps(RSA.as_dict()).encode(),
    ]


@pytest.mark.row("JW-02", "CA-12")
@pytest.mark.parametrize("spelling", range(6))
def test_a_public_key_is_no_hmac_key(spelling: int) -> None:
    secret = public_spellings()[spelling]
    key = OctKey(secret, secret)
    assert_refused(sign(key=key, algorithm="HS256"), algorithms=ALL)


@pytest.mark.row("JW-03")
@pytest.mark.parametrize("length", [0, 1, 16, 31])
def test_an_empty_or_short_hmac_key_is_refused(length: int) -> None:
    short = OctKey(b"k" * length, b"k" * length)
    usable = OctKey(b"k" * 32, b"k" * 32)
    assert not inbound_jwt.suits(short, "HS256")
    signed = b64({"alg": "HS256"}) + "." + b64(CLAIMS)
    token = f"{signed}.{b64(hmac.new(b'k' * length, signed.encode(), hashlib.sha256).digest())}"
    assert_refused(token, [short], algorithms=ALL)
    assert decode(sign(key=usable, algorithm="HS256"), [usable], algorithms=ALL)


@pytest.mark.row("JW-04", "JW-05")
@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_a_key_offered_by_the_token_itself_is_ignored(name: str) -> None:
    offer = {
        "jwk": OTHER_RSA.as_dict(),
        "jku": "http://127.0.0.1:9/keys",
        "x5u": "http://127.0.0.1:9/x",
        "x5c": ["MIIB"],
        "x5t": "x",
    }
    assert_refused(sign(key=OTHER_RSA, header={name: offer[name]}))
    assert decode(sign(header={name: offer[name]}))


@pytest.mark.row("JW-06")
@pytest.mark.parametrize(
    "kid", ["../../dev/null", "' OR 1=1", "rsa\0", "x" * 256, "x" * 2**20, ["rsa"], 1, {"rsa": 1}, "", True]
)
def test_a_hostile_kid_is_refused(kid: Any) -> None:
    assert_refused(sign(header={"kid": kid}))


@pytest.mark.row("JW-07")
@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"b64": True}],
)
def test_crit_and_b64_are_refused(header: dict[str, Any]) -> None:
    assert_refused(sign(header=header))


@pytest.mark.row("JW-08")
def test_nothing_but_the_compact_form_is_read() -> None:
    protected, payload, signature = sign().split(".")
    flattened = json.dumps({"protected": protected, "payload": payload, "signature": signature})
    general = json.dumps({"payload": payload, "signatures": []})
    for token in (flattened, general, f"{protected}..{signature}", f"{protected}.{payload}", "", ".", "..", "..."):
        assert_refused(token)
    assert_refused(f"{protected}.{payload}.{signature}.{signature}")


@pytest.mark.row("JW-09")
def test_size_is_checked_before_anything_is_decoded() -> None:
    started = time.perf_counter()
    for token in ("A" * 10**7 + ".A.A", "." * 10**6, sign({**CLAIMS, "filler": "x" * 16384})):
        assert_refused(token)
    assert time.perf_counter() - started < 1
    assert assert_refused(sign(), max_bytes=100) == "test: too long"


@pytest.mark.row("JW-10", "JW-11", "JW-12")
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2 * 10**9, "p2s": "x"},
        {"alg": "RSA1_5", "enc": "A128CBC-HS256"},
        {"alg": "dir", "enc": "A128GCM"},
    ],
)
def test_encrypted_tokens_are_refused_unread(header: dict[str, Any]) -> None:
    assert assert_refused(f"{b64(header)}.AAAA.AAAA.AAAA.AAAA") == "test: not a compact JWS"
    assert_refused(f"{b64(header)}.AAAA.AAAA", algorithms=(*ALL, header["alg"]))


@pytest.mark.row("JW-13")
def test_degenerate_ecdsa_signatures_are_refused() -> None:
    signed = sign(key=EC, algorithm="ES256").rpartition(".")[0]
    raw = JWSRegistry.algorithms["ES256"].sign(signed.encode(), EC)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    wrong = [b"\0" * 64, encode_dss_signature(r, s), raw[:63], raw + b"\0", b"\0" + raw, raw[:32] + b"\0" * 32]
    wrong.append(order.to_bytes(32, "big") * 2)
    for signature in wrong:
        assert_refused(f"{signed}.{b64(signature)}", [EC])
    assert decode(f"{signed}.{b64(raw)}", [EC])


@pytest.mark.row("JW-14")
def test_weak_keys_are_not_used() -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.import_key(RSAPublicNumbers(65537, (1 << 1023) + 1155).public_key())
    small_exponent = RSAKey.import_key(RSAPublicNumbers(3, RSA.public_key.public_numbers().n).public_key())
    huge = RSAKey.import_key(RSAPublicNumbers(65537, (1 << 16383) + 1155).public_key())
    p384 = ECKey.generate_key("P-384")
    unfit: list[tuple[Key, str]] = [(weak, "RS256"), (small_exponent, "RS256"), (huge, "PS256"), (p384, "ES256")]
    for key, algorithm in unfit:
        assert not inbound_jwt.suits(key, algorithm)
    assert_refused(sign(key=p384, algorithm="ES384"), [p384], algorithms=("ES256", "ES384"))


@pytest.mark.row("JW-14")
def test_a_key_serves_its_registered_use_and_algorithm_only() -> None:
    public: dict[str, Any] = {**RSA.as_dict()}
    for limit in ({"use": "enc"}, {"alg": "PS256"}, {"key_ops": ["encrypt"]}):
        assert not inbound_jwt.suits(RSAKey.import_key(public | limit), "RS256")
    assert inbound_jwt.suits(RSAKey.import_key(public | {"use": "sig", "alg": "RS256"}), "RS256")
    assert not inbound_jwt.suits(OKPKey.generate_key("X25519"), "EdDSA")


@pytest.mark.spec("RFC 9864 §2.2")
def test_ed25519_is_one_algorithm_of_two_names() -> None:
    for named in ("EdDSA", "Ed25519"):
        key = OKPKey.import_key(ED.as_dict() | {"alg": named})
        for algorithm in ("EdDSA", "Ed25519"):
            assert inbound_jwt.suits(key, algorithm)
            for allowed in ("EdDSA", "Ed25519"):
                assert decode(sign(key=ED, algorithm=algorithm), [key], algorithms=(allowed,))
    assert_refused(sign(key=ED, algorithm="Ed25519"), [ED], algorithms=("RS256", "ES256"))
    assert not inbound_jwt.suits(OKPKey.generate_key("Ed448"), "Ed25519")
    assert not inbound_jwt.suits(OKPKey.import_key(ED.as_dict() | {"alg": "ES256"}), "Ed25519")


@pytest.mark.row("JW-15")
def test_duplicate_names_are_refused() -> None:
    doubled = json.dumps(CLAIMS)[:-1] + ', "sub": "client"}'
    assert_refused(sign(doubled))
    assert_refused(sign(header='{"alg":"RS256","alg":"RS256"}'))
    assert_refused(sign(json.dumps(CLAIMS)[:-1] + ', "x": {"a": 1, "a": 2}}'))


@pytest.mark.row("JW-16", "CA-11")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ["client", "x"]},
        {"iss": "clien"},
        {"iss": "client "},
        {"iss": None},
        {"sub": 5},
        {"sub": ["client"]},
        {"sub": ""},
        {"sub": None},
        {"jti": 7},
        {"jti": {}},
        {"aud": {ISSUER: 1}},
        {"aud": [ISSUER, 1]},
        {"aud": []},
        {"aud": None},
        {"aud": [ISSUER] * 100},
        {"client_id": 1},
        {"scope": ["a"]},
    ],
)
def test_claims_of_the_wrong_type_are_refused(changes: dict[str, Any]) -> None:
    assert_refused(sign(CLAIMS | changes))


@pytest.mark.row("JW-16")
@pytest.mark.parametrize("payload", ["[]", '"text"', "1", "null", "true", "", "{", "{}x", "\ufeff{}"])
def test_a_payload_that_is_no_object_is_refused(payload: str) -> None:
    assert_refused(sign(payload))


@pytest.mark.row("JW-17")
@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "auth_time"])
@pytest.mark.parametrize(
    "value", ['"1800000060"', "1800000060.5", "NaN", "Infinity", "1e400", "-1", "true", "253402300799", "[1]", "9" * 30]
)
def test_times_that_are_no_times_are_refused(name: str, value: str) -> None:
    assert_refused(
        sign(json.dumps({key: held for key, held in CLAIMS.items() if key != name})[:-1] + f', "{name}": {value}}}')
    )


@pytest.mark.row("JW-17")
@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "jti"])
def test_a_missing_required_claim_is_refused(name: str) -> None:
    assert_refused(sign({key: value for key, value in CLAIMS.items() if key != name}))


@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({"exp": NOW - 9}, True),
        ({"exp": NOW - 10}, False),
        ({"exp": float(NOW + 1)}, True),
        ({"nbf": NOW + 8}, True),
        ({"nbf": NOW + 60}, False),
        ({"iat": NOW + 8}, True),
        ({"iat": NOW + 60}, False),
        ({"iat": 0}, True),
        ({"exp": NOW + 310}, True),
        ({"exp": NOW + 311}, False),
    ],
)
def test_times_are_held_to_the_leeway(changes: dict[str, Any], is_good: bool) -> None:
    token = sign(CLAIMS | changes)
    if is_good:
        assert decode(token, max_lifetime=300)
    else:
        assert_refused(token, max_lifetime=300)


def test_a_hint_may_have_expired() -> None:
    token = sign(CLAIMS | {"exp": NOW - 10_000})
    assert_refused(token)
    assert decode(token, ignore_expiry=True)


@pytest.mark.row("JW-18")
def test_one_token_has_one_spelling() -> None:
    token = sign()
    header, payload, signature = token.split(".")
    spellings = [
        f"{token}=",
        f"{token}\n",
        f" {token}",
        f"{header}=.{payload}.{signature}",
        token[:-4] + "\n" + token[-4:],
    ]
    spellings += [
        f"{header}.{payload}.+{signature[1:]}",
        f"{header}.{payload}./{signature[1:]}",
        f"{header}.{payload}.{signature}A",
    ]
    # 256 bytes end in a character of which two bits count: its neighbours decode to the same bytes.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
    spellings += [
        token[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last + stray]
        for stray in (1, 2, 3)
    ]
    for spelling in spellings:
        assert_refused(spelling)
    assert decode(token)


@pytest.mark.row("JW-19")
@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "logout+jwt", "", 1, ["JWT"], "JWT\n"])
def test_a_token_of_another_type_is_refused(typ: Any) -> None:
    assert_refused(sign(header={"typ": typ}))


@pytest.mark.row("JW-19")
def test_a_type_is_a_media_type() -> None:
    for typ in ("JWT", "jwt", "application/jwt"):
        assert decode(sign(header={"typ": typ}))
    assert_refused(sign(), typ=("at+jwt",))
    assert decode(sign(header={"typ": "whatever"}), typ=None)


@pytest.mark.row("JW-20", "CA-09")
@pytest.mark.parametrize(
    "audience",
    [
        f"{ISSUER}/",
        f"{ISSUER}/token",
        ISSUER[:-1],
        ISSUER.upper(),
        "https://other.example",
        [ISSUER],
        [ISSUER, "x"],
        [],
    ],
)
def test_an_exact_audience_is_one_string(audience: Any) -> None:
    assert_refused(sign(CLAIMS | {"aud": audience}), audience_exact=True)


@pytest.mark.row("JW-20")
def test_an_audience_among_others_counts_where_that_is_allowed() -> None:
    assert decode(sign(CLAIMS | {"aud": ["x", ISSUER]}))
    assert decode(sign(CLAIMS | {"aud": "https://second.example"}), audience=[ISSUER, "https://second.example"])
    assert_refused(sign(CLAIMS | {"aud": ["x", f"{ISSUER}/"]}))
    assert_refused(sign(), issuer="client2")


@pytest.mark.row("JW-21")
@pytest.mark.parametrize(
    "payload",
    [
        "[" * 8000,
        '{"a":' * 2000,
        '{"a":' * 17 + "1" + "}" * 17,
        '{"exp":' + "9" * 10_000 + "}",
        '{"sub":"\\ud800"}',
        '{"\\udfff":1}',
        '"' + '\\"' * 5000,
        '{"a":"' + '\\"' * 5000,
        b'{"sub":"\xed\xa0\x80"}',
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_parser_bombs_are_refused_fast(payload: str | bytes) -> None:
    started = time.perf_counter()
    assert_refused(sign(payload))
    with pytest.raises(Refused):
        inbound_jwt.peek_claims(sign(payload))
    assert time.perf_counter() - started < 0.5


def test_an_escaped_character_outside_the_basic_plane_is_fine() -> None:
    assert decode(sign(json.dumps(CLAIMS | {"name": "\U0001f600"}))).claims["name"] == "\U0001f600"


def test_peeking_reads_no_more_than_the_strict_parser() -> None:
    assert inbound_jwt.peek_claims(sign())["sub"] == "client"
    for token in ("x", sign("[]"), sign(CLAIMS | {"sub": 5}), sign().replace(".", "..")):
        with pytest.raises(Refused):
            inbound_jwt.peek_claims(token)


CHARACTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é")
TOKENS = [sign(), sign(key=EC, algorithm="ES256"), sign(key=ED, algorithm="EdDSA")]


def mutate(text: str, draw: Callable[[Any], Any]) -> str:
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text) - 1))
        what = draw(st.sampled_from(["replace", "insert", "delete", "swap"]))
        if what == "replace":
            text = text[:at] + draw(CHARACTERS) + text[at + 1 :]
        elif what == "insert":
            text = text[:at] + draw(CHARACTERS) + text[at:]
        elif what == "delete":
            text = text[:at] + text[at + 1 :]
        else:
            text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    return text


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(TOKENS))
def test_a_changed_token_is_refused(data: st.DataObject, token: str) -> None:
    mutated = mutate(token, data.draw)
    if mutated == token:
        assert decode(mutated, [RSA, EC, ED])
    else:
        assert_refused(mutated, [RSA, EC, ED])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    assert_refused(text)

"""Password hashes of other systems: published vectors, bounds, and what becomes of them at the next sign-in."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
import unicodedata
from collections.abc import Callable

import bcrypt
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.security import generate_password_hash

from oidc_server import accounts
from oidc_server.accounts import Account, hashes, passwords, store
from oidc_server.accounts.hashes.pace import Pace
from oidc_server.database import db, transact

from .conftest import ELSEWHERE, PASSWORD, Attempt


def keycloak(algorithm: str, iterations: int, salt: str, value: str, **parameters: str) -> str:
    """A credential as `kc.sh export` writes it."""
    additional = {name: [text] for name, text in parameters.items()}
    return json.dumps(
        {
            "id": "4e67ce9c-1ddc-45db-b36e-db50ee1f4d9e",
            "type": "password",
            "userLabel": "My password",
            "createdDate": 1740654903754,
            "secretData": json.dumps({"value": value, "salt": salt, "additionalParameters": {}}),
            "credentialData": json.dumps(
                {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": additional}
            ),
        }
    )


# One line is one known answer of the system named.
VECTORS = {
    # OpenBSD and jBCrypt, crypt_blowfish, the manual of PHP, the tests of pyca/bcrypt.
    "bcrypt 2a": ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
    "bcrypt 2a blowfish": ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    "bcrypt 2y": ("rasmuslerdorf", "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq"),
    "bcrypt 2b": ("Kk4DQuMMfZL9o", "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"),
    # test.c of the reference implementation of argon2.
    "argon2id": (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    "argon2i": (
        "password",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    ),
    "argon2i of 2015": ("password", "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ"),
    # RFC 7914 §12 in passlib's form, as its tests have it.
    "scrypt passlib": ("password", "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"),
    # tests/auth_tests/test_hashers.py of Django.
    "scrypt Django": (
        "lètmein",
        "scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==",
    ),
    "pbkdf2 Django": ("lètmein", "pbkdf2_sha256$320000$seasalt$Toj2II2rBvFiGQcPmUml1Nlni2UtvyRWwz/jz4q6q/4="),
    # Of passlib's tests, the Django ones too.
    "pbkdf2 Django sha1": ("not a password", "pbkdf2_sha1$10000$wz5B6WkasRoF$atJmJ1o+XfJxKq1+Nu1f1i57Z5I="),
    "pbkdf2 passlib sha1": ("password", "$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI"),
    "pbkdf2 passlib sha256": (
        "password",
        "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
    ),
    "pbkdf2 passlib Greek": (
        "Ιωαννης",
        "$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI",
    ),
    "pbkdf2 passlib sha512": (
        "password",
        "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww",
    ),
    # Sample realms that tutorials and projects publish with their passwords.
    "keycloak pbkdf2": (
        "RdaRfqP7Y89vy2",
        keycloak(
            "pbkdf2-sha256",
            27500,
            "Td6XuopYK6JNfUnIlqYMOQ==",
            "ZXVC08Hf4jBOoYzVoNWYjQijsMC2oc/OUa9LciiIJ/1XHPF/qPiY1DqwLLDN2hYFmf/1kApkveD8/Pr7GVqjgw==",
        ),
    ),
    "keycloak pbkdf2 of 24": (
        "password",
        keycloak("pbkdf2-sha256", 27500, "P5rtFkGtPfoaryJ6PizUJw==", "JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k="),
    ),
    "keycloak argon2": (
        "password",
        keycloak(
            "argon2",
            5,
            "Cf9AYCE5pAbb4CKEF0GUTA==",
            "BruFLfFkjH/8erZ26NnrbkOrWiZuQyDRCHD9o0R6Scg=",
            hashLength="32",
            memory="7168",
            type="id",
            version="1.3",
            parallelism="1",
        ),
    ),
    "keycloak before 8": (
        "password",
        json.dumps(
            {
                "type": "password",
                "hashedSaltedValue": "JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k=",
                "salt": "P5rtFkGtPfoaryJ6PizUJw==",
                "hashIterations": 27500,
                "algorithm": "pbkdf2-sha256",
            }
        ),
    ),
    # Made by the libraries themselves, now.
    "scrypt Werkzeug": (PASSWORD, generate_password_hash(PASSWORD, "scrypt:16384:8:1")),
    "pbkdf2 Werkzeug": (PASSWORD, generate_password_hash(PASSWORD, "pbkdf2:sha256:1000")),
    "pbkdf2 Werkzeug sha512": (PASSWORD, generate_password_hash(PASSWORD, "pbkdf2:sha512:1000")),
    "bcrypt Django": (PASSWORD, f"bcrypt${bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}"),
    # BCryptSHA256PasswordHasher: bcrypt over the hexadecimal digits of SHA-256.
    "bcrypt_sha256 Django": (
        PASSWORD,
        "bcrypt_sha256$"
        + bcrypt.hashpw(hashlib.sha256(PASSWORD.encode()).hexdigest().encode(), bcrypt.gensalt(4)).decode(),
    ),
}


def give_alice(text: str) -> Account:
    """Alice as she is after an import with this hash."""
    alice = store.find_by_login("alice")
    assert alice is not None
    kept = passwords.current_passwords().adopt(text)
    transact(lambda: db.session.execute(sa.update(Account).where(Account.id == alice.id).values(password_hash=kept)))
    db.session.expire_all()
    return alice


@pytest.mark.row("PW-08")
@pytest.mark.parametrize(("password", "text"), VECTORS.values(), ids=VECTORS)
def test_a_known_hash_signs_in_once_and_is_then_made_anew(attempt: Attempt, password: str, text: str) -> None:
    alice = give_alice(text)
    brought = alice.password_hash
    assert attempt("alice", password + "x") == "wrong"
    assert alice.password_hash == brought

    assert attempt("alice", password) == "ok"
    assert alice.password_hash is not None
    assert alice.password_hash.startswith("bcrypt-hmac-sha256$v1$")
    assert attempt("alice", password) == "ok"
    assert attempt("alice", password + "x") == "wrong"


@pytest.mark.parametrize(("password", "text"), VECTORS.values(), ids=VECTORS)
def test_what_is_kept_fits_the_column_and_can_be_read_again(password: str, text: str) -> None:
    kept = hashes.read(text).stored

    assert len(kept) <= 255
    assert hashes.read(kept).stored == kept
    assert hashes.verify(kept, password)
    assert not hashes.verify(kept, password + "x")


TOO_COSTLY = {
    "bcrypt": f"$2b$15${'a' * 53}",
    "argon2 memory": f"$argon2id$v=19$m=2097152,t=1,p=4$c29tZXNhbHQ${'A' * 43}",
    "argon2 time": f"$argon2id$v=19$m=65536,t=9,p=1$c29tZXNhbHQ${'A' * 43}",
    "argon2 lanes": f"$argon2id$v=19$m=65536,t=1,p=64$c29tZXNhbHQ${'A' * 43}",
    "scrypt work": f"scrypt:262144:8:1$salt${'0' * 128}",
    "scrypt lanes": f"$scrypt$ln=17,r=8,p=2$c2FsdA${'A' * 43}",
    "scrypt blocks": f"$scrypt$ln=4,r=999999999,p=1$c2FsdA${'A' * 43}",
    "pbkdf2": f"pbkdf2_sha256$2000001$salt${'A' * 43}=",
    "pbkdf2 sha512": f"$pbkdf2-sha512$600000$c2FsdA${'A' * 86}",
    "pbkdf2 long digest": f"$pbkdf2-sha256$999999$c2FsdA${'A' * 128}",
    "keycloak": keycloak("pbkdf2-sha256", 99_999_999, "c2FsdA==", "A" * 43 + "="),
}
MALFORMED = {
    "nothing": "",
    "plain text": "hunter2 hunter2",
    "sha1": "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
    "md5crypt": "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
    "another script": "pbkdf2_sha256$1000$sält$" + "A" * 43,
    "bcrypt cut": "$2b$12$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD",
    "bcrypt 2x": "$2x$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
    "bcrypt line end": "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm\n",
    "argon2d": f"$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQ${'A' * 43}",
    "argon2 short salt": f"$argon2id$v=19$m=64,t=1,p=1$c2FsdA${'A' * 43}",
    "argon2 no passes": f"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ${'A' * 43}",
    "argon2 little memory": f"$argon2id$v=19$m=8,t=1,p=4$c29tZXNhbHQ${'A' * 43}",
    "scrypt odd": "scrypt:1024:8:1$salt$abc",
    "scrypt no power of two": f"scrypt:1000:8:1$salt${'0' * 128}",
    "scrypt nothing": f"scrypt:0:8:1$salt${'0' * 128}",
    "scrypt parameters": f"$scrypt$ln=4,ln=5,r=1$c2FsdA${'A' * 43}",
    "pbkdf2 no iterations": f"pbkdf2_sha256$0$salt${'A' * 43}=",
    "pbkdf2 iterations left out": f"pbkdf2:sha256$salt${'0' * 64}",
    "pbkdf2 digits": f"pbkdf2_sha256${'9' * 5000}$salt${'A' * 43}",
    "pbkdf2 no base64": "pbkdf2_sha256$1000$salt$!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    "pbkdf2 short": "pbkdf2_sha256$1000$salt$AAAA",
    "pbkdf2 long salt": f"pbkdf2_sha256$1000${'s' * 65}${'A' * 43}",
    "pbkdf2 md5": f"pbkdf2_md5$1000$salt${'A' * 43}",
    "keycloak no json": "{",
    "keycloak nothing": "{}",
    "keycloak masked": keycloak("pbkdf2-sha256", 27500, "**********", "**********"),
    "keycloak without secrets": json.dumps({"credentialData": '{"hashIterations":5,"algorithm":"argon2"}'}),
    "keycloak negative": keycloak("pbkdf2-sha256", -1, "c2FsdA==", "A" * 43 + "="),
    "keycloak bcrypt": keycloak("bcrypt", 10, "c2FsdA==", "A" * 43 + "="),
    "keycloak argon2 bare": keycloak("argon2", 5, "c2FsdHNhbHQ=", "A" * 43 + "="),
    "keycloak deep": '{"additionalParameters":' + "[" * 5000,
}


@pytest.mark.row("PW-06")
@pytest.mark.parametrize("text", [*TOO_COSTLY.values(), *MALFORMED.values()], ids=[*TOO_COSTLY, *MALFORMED])
def test_a_hash_that_cannot_be_is_refused_at_once_with_a_reason(text: str) -> None:
    started = time.process_time()
    with pytest.raises(hashes.HashRefused) as refused:
        hashes.read(text)

    assert time.process_time() - started < 0.1
    assert len(str(refused.value)) < 250
    assert "A" * 40 not in str(refused.value)


@pytest.mark.parametrize("text", [TOO_COSTLY["argon2 memory"], MALFORMED["bcrypt cut"], MALFORMED["plain text"]])
def test_one_that_is_in_the_database_all_the_same_is_a_wrong_password(
    attempt: Attempt, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None
    transact(lambda: db.session.execute(sa.update(Account).where(Account.id == alice.id).values(password_hash=text)))

    assert attempt("alice", PASSWORD) == "wrong"
    assert "cannot be verified" in caplog.text
    assert text not in caplog.text


def test_a_password_in_decomposed_characters_is_the_same(attempt: Attempt) -> None:
    password, text = VECTORS["pbkdf2 Django"]
    give_alice(text)

    assert attempt("alice", unicodedata.normalize("NFD", password)) == "ok"


@pytest.mark.row("PW-01")
def test_bcrypt_reads_72_bytes_until_the_next_sign_in_hashes_all_of_them(attempt: Attempt) -> None:
    long = "0123456789" * 8
    give_alice(bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode())

    assert attempt("alice", long) == "ok"
    assert attempt("alice", long[:72]) == "wrong"
    assert attempt("alice", long) == "ok"


def test_our_own_hash_comes_back_under_the_same_pepper_alone(context: None, make_app: Callable[..., Flask]) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None and alice.password_hash is not None
    assert passwords.current_passwords().adopt(alice.password_hash) == alice.password_hash

    with pytest.raises(hashes.HashRefused):
        passwords.current_passwords().adopt(alice.password_hash[:-9])
    other = make_app(secret_key="another " + "0123456789abcdef" * 3)
    with other.app_context(), pytest.raises(hashes.HashRefused, match="PEPPER"):
        passwords.current_passwords().adopt(alice.password_hash)


@pytest.mark.row("EN-01")
def test_who_came_along_is_not_told_from_the_others_by_time(context: None) -> None:
    """Wrong passwords for somebody with a slow foreign hash, somebody with ours (fast in tests), and nobody at all."""
    give_alice(generate_password_hash(PASSWORD, "pbkdf2:sha256:150000"))

    def timed(login: str, number: int) -> float:
        started = time.perf_counter()
        with pytest.raises(accounts.WrongCredentials):
            accounts.authenticate(login, "wrong", network=f"{ELSEWHERE.rpartition('.')[0]}.{number}", device=None)
        return time.perf_counter() - started

    for number in range(3):
        timed("alice", number)
    taken = {login: [timed(login, 10 + number) for number in range(7)] for login in ("alice", "bob", "nobody")}
    middle = {login: statistics.median(times) for login, times in taken.items()}

    assert middle["alice"] > 0.03  # so that there is a difference to hide
    # Without waiting it would be fifty times.
    assert max(middle.values()) < 1.6 * min(middle.values()), middle


def test_nobody_waits_while_there_is_one_kind_of_hash() -> None:
    pace = Pace()

    assert pace.rest("ours", 0.2) == 0
    assert pace.rest("ours", 0.1) == 0


def test_the_quick_kind_waits_for_the_slow_one_within_bounds() -> None:
    pace = Pace()
    pace.rest("slow", 0.5)

    assert pace.rest("quick", 0.1) == pytest.approx(0.4)
    assert pace.rest("quick", 0.1, spellings=2) == pytest.approx(0.9)
    assert pace.rest("slow", 0.5) == 0
    pace.rest("slower", 60)
    assert pace.rest("quick", 0.1) == pytest.approx(1.9)


def test_a_kind_that_was_not_seen_for_a_day_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    pace, at = Pace(), [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    pace.rest("slow", 0.5)
    assert pace.rest("quick", 0.1) > 0
    at[0] += 90_000

    assert pace.rest("quick", 0.1) == 0

"""A link works once, for its purpose, until its time is over or a newer one comes; and an old one is still known."""

from __future__ import annotations

import re

import pytest

from oidc_server import confirmations
from oidc_server.confirmations import Begun, Refused, begin, end, look, redeem
from oidc_server.database import db, now, transact
from oidc_server.storage.sql import ShortLivedValue

from ..flows import Clock

pytestmark = pytest.mark.usefixtures("context")
PURPOSE = "reset_password"


def begun(
    purpose: str = PURPOSE, account_id: str | None = "a1", email: str = "alice@example.test", **data: object
) -> Begun:
    return begin(purpose, account_id=account_id, email=email, data=data, lifetime=3600)


def refusal(proof: object, purpose: str = PURPOSE) -> str:
    with pytest.raises(Refused) as looked:
        look(purpose, proof)  # type: ignore[arg-type]
    with pytest.raises(Refused) as redeemed:
        redeem(purpose, proof)  # type: ignore[arg-type]
    assert looked.value.reason == redeemed.value.reason
    assert looked.value.reason in confirmations.REASONS
    return str(looked.value.reason)


def test_a_link_brings_back_what_it_was_begun_with() -> None:
    made = begun(new_email="new@example.test", keep=True)
    found = redeem(PURPOSE, made.link_secret)
    assert (found.purpose, found.account_id, found.email) == (PURPOSE, "a1", "alice@example.test")
    assert found.data == {"new_email": "new@example.test", "keep": True}
    assert found.expires_at == made.expires_at == pytest.approx(now() + 3600, abs=5)


@pytest.mark.row("RC-08")
def test_looking_spends_nothing() -> None:
    made = begun()
    before = rows()
    assert [look(PURPOSE, made.link_secret).email for _ in range(3)] == ["alice@example.test"] * 3
    assert rows() == before
    assert redeem(PURPOSE, made.link_secret)


@pytest.mark.row("RC-02", "RC-09")
def test_a_link_works_once_and_is_then_known_as_used() -> None:
    made = begun()
    redeem(PURPOSE, made.link_secret)
    assert refusal(made.link_secret) == "used"


@pytest.mark.row("RC-14")
def test_a_link_ends_to_the_second(clock: Clock) -> None:
    made = begun()
    clock.advance(3599.5)
    assert look(PURPOSE, made.link_secret)
    clock.advance(0.6)
    assert refusal(made.link_secret) == "expired"


def test_an_old_link_is_known_for_a_week_and_then_forgotten(clock: Clock) -> None:
    late, used = begun(account_id="a1"), begun(account_id="a2")
    redeem(PURPOSE, used.link_secret)
    clock.advance(7 * 86400 - 60)
    assert (refusal(late.link_secret), refusal(used.link_secret)) == ("expired", "used")
    clock.advance(3600 + 61)
    assert (refusal(late.link_secret), refusal(used.link_secret)) == ("unknown", "unknown")


@pytest.mark.parametrize("secret", ["", "x", "../..", "\ud800", "é" * 5000])
def test_what_is_no_link_is_unknown(secret: str) -> None:
    begun()
    assert refusal(secret) == "unknown"


@pytest.mark.row("RC-03")
def test_a_link_of_one_purpose_opens_no_other() -> None:
    made = begun("verify_email")
    assert refusal(made.link_secret, PURPOSE) == "unknown"
    assert redeem("verify_email", made.link_secret)


@pytest.mark.row("RC-02")
def test_the_handle_of_a_browser_opens_nothing_without_the_code() -> None:
    made = begun()
    assert refusal(made.handle) == "unknown"
    assert refusal(made.code) == "unknown"


@pytest.mark.row("RC-03")
def test_a_newer_link_ends_the_older_of_the_same_person_and_purpose_alone() -> None:
    older = begun()
    others = [begun("verify_email"), begun(account_id="a2"), begun(account_id=None)]
    newer = begun(email="other@example.test")
    assert refusal(older.link_secret) == "expired"
    assert look(PURPOSE, newer.link_secret)
    assert look("verify_email", others[0].link_secret)
    assert all(look(PURPOSE, made.link_secret) for made in others[1:])


def test_without_an_account_the_address_is_the_person_however_it_is_written() -> None:
    older = begun(account_id=None, email="Bob@Example.test")
    elsewhere = begun(account_id=None, email="carol@example.test")
    begun(account_id=None, email="bob@example.test")
    assert refusal(older.link_secret) == "expired"
    assert look(PURPOSE, elsewhere.link_secret)


@pytest.mark.row("RC-03")
def test_what_was_begun_can_be_ended() -> None:
    made, other = begun(), begun(account_id="a2")
    end(PURPOSE, account_id="a1")
    end("verify_email", account_id="a2")
    assert refusal(made.link_secret) == "expired"
    assert look(PURPOSE, other.link_secret)
    again = begun()
    assert redeem(PURPOSE, again.link_secret)


@pytest.mark.row("RC-02", "RC-15")
def test_a_link_has_256_random_bits_and_nothing_of_it_follows_from_another() -> None:
    made = [begun(account_id=f"a{number}") for number in range(50)]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", each.link_secret) for each in made)
    assert len({each.link_secret for each in made}) == len({each.handle for each in made}) == 50
    assert len({each.code for each in made}) > 45


@pytest.mark.row("RC-02", "LS-03")
def test_the_database_holds_neither_link_nor_code_nor_handle() -> None:
    made = begun()
    stored = repr(rows())
    assert not [secret for secret in (made.link_secret, made.code, made.handle) if secret in stored]
    assert made.code not in repr(made)
    assert made.link_secret not in repr(made)


def test_what_is_undone_with_its_transaction_spends_nothing() -> None:
    made = begun()

    def redeem_and_fail() -> None:
        redeem(PURPOSE, made.link_secret)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(redeem_and_fail)
    assert redeem(PURPOSE, made.link_secret)


def rows() -> list[tuple[object, ...]]:
    found = db.session.execute(ShortLivedValue.__table__.select().order_by(ShortLivedValue.key_hash))
    return [tuple(row) for row in found]

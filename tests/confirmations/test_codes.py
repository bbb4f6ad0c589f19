"""A code works with its handle alone, and five wrong ones end it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.confirmations import Begun, Refused, begin, codes, look, match_code, redeem, redeem_code, shown
from oidc_server.database import transact

from ..flows import Clock

pytestmark = pytest.mark.usefixtures("context")
PURPOSE = "verify_email"


@pytest.fixture
def made() -> Begun:
    return begin(PURPOSE, account_id="a1", email="alice@example.test", data={}, lifetime=3600)


def wrong(made: Begun, times: int = 1) -> list[str]:
    other = f"{(int(made.code) + 1) % 10**8:08}"
    reasons = []
    for _ in range(times):
        with pytest.raises(Refused) as refused:
            match_code(PURPOSE, made.handle, other)
        reasons.append(str(refused.value.reason))
    return reasons


def test_the_right_code_is_as_good_as_the_link(made: Begun) -> None:
    proof = match_code(PURPOSE, made.handle, made.code)
    assert look(PURPOSE, proof).email == "alice@example.test"
    assert transact(lambda: redeem(PURPOSE, proof)).account_id == "a1"
    for spent in (proof, made.link_secret):
        with pytest.raises(Refused, match="used"):
            redeem(PURPOSE, spent)
    with pytest.raises(Refused, match="used"):
        match_code(PURPOSE, made.handle, made.code)


def test_code_and_redemption_in_one(made: Begun) -> None:
    assert redeem_code(PURPOSE, made.handle, made.code).email == "alice@example.test"
    with pytest.raises(Refused, match="used"):
        redeem_code(PURPOSE, made.handle, made.code)


@pytest.mark.row("RC-02")
def test_five_wrong_codes_end_the_code_and_leave_the_link(made: Begun) -> None:
    assert wrong(made, 6) == ["unknown"] * 4 + ["too many"] * 2
    with pytest.raises(Refused, match="too many"):
        match_code(PURPOSE, made.handle, made.code)
    # Nobody can guess the link, so nobody's typing takes it from its owner.
    assert redeem(PURPOSE, made.link_secret)


def test_four_wrong_codes_leave_one_try(made: Begun) -> None:
    wrong(made, 4)
    assert match_code(PURPOSE, made.handle, made.code)


def test_a_right_code_counts_as_no_try_however_often_a_form_comes_back(made: Begun) -> None:
    for _ in range(10):
        assert match_code(PURPOSE, made.handle, made.code)
    assert wrong(made, 5)[-1] == "too many"


@pytest.mark.row("RC-02")
def test_a_try_counts_whatever_becomes_of_the_request(made: Begun) -> None:
    """Inside the caller's transaction it would be forgotten with it, so there it is refused."""
    with pytest.raises(RuntimeError, match="call it before yours"):
        transact(lambda: match_code(PURPOSE, made.handle, made.code))
    with pytest.raises(RuntimeError, match="call it before yours"):
        transact(lambda: redeem_code(PURPOSE, made.handle, made.code))


def test_a_code_belongs_to_its_handle(made: Begun) -> None:
    other = begin(PURPOSE, account_id="a2", email="bob@example.test", data={}, lifetime=3600)
    if other.code != made.code:
        with pytest.raises(Refused, match="unknown"):
            match_code(PURPOSE, other.handle, made.code)
    for handle in ("", "x", made.link_secret, made.handle + "0"):
        with pytest.raises(Refused, match="unknown"):
            match_code(PURPOSE, handle, made.code)


def test_a_code_of_one_purpose_is_none_of_another(made: Begun) -> None:
    with pytest.raises(Refused, match="unknown"):
        match_code("reset_password", made.handle, made.code)


@pytest.mark.row("RC-14")
def test_a_code_ends_with_its_link(made: Begun, clock: Clock) -> None:
    clock.advance(3600.1)
    with pytest.raises(Refused, match="expired"):
        match_code(PURPOSE, made.handle, made.code)


def test_a_newer_code_ends_the_older(made: Begun) -> None:
    begin(PURPOSE, account_id="a1", email="alice@example.test", data={}, lifetime=3600)
    with pytest.raises(Refused, match="expired"):
        match_code(PURPOSE, made.handle, made.code)


@pytest.mark.parametrize(
    "write",
    [
        lambda code: f" {code} ",
        shown,
        lambda code: "-".join(code),
        lambda code: f"{code[:4]}\u00a0{code[4:]}",
        lambda code: f"{code[:4]}–{code[4:]}",
        lambda code: f"\u200e{code}\r\n",
        lambda code: code.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)}),
        lambda code: code.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}),
    ],
    ids=["spaces", "as shown", "dashes", "hard space", "en dash", "marks of a paste", "Arabic", "full width"],
)
def test_a_code_may_be_written_as_people_and_keyboards_write_it(made: Begun, write: object) -> None:
    assert callable(write)
    assert match_code(PURPOSE, made.handle, write(made.code))


@pytest.mark.parametrize(
    "change", [lambda code: code[:-1], lambda code: code + "0", lambda code: "x" + code, lambda _: ""]
)
def test_a_code_is_whole_or_wrong(made: Begun, change: object) -> None:
    assert callable(change)
    with pytest.raises(Refused, match="unknown"):
        match_code(PURPOSE, made.handle, change(made.code))


def test_a_code_is_eight_digits_and_leading_zeros_count() -> None:
    assert all(len(codes.make()) == 8 and codes.make().isdigit() for _ in range(200))
    assert shown("00012345") == "0001 2345"


@given(st.text(max_size=200))
def test_whatever_is_typed_becomes_digits_or_something_that_fits_no_code(text: str) -> None:
    assert set(codes.typed(text)) <= set("0123456789?")


@pytest.mark.row("LS-03")
def test_the_hash_of_a_code_cannot_be_turned_back_without_the_secret_key(
    made: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oidc_server.server import current_server

    settings = current_server.settings
    stored = codes.hash_of(made.code, made.handle, settings)
    other = type(settings)(
        **{name: getattr(settings, name) for name in settings.__dataclass_fields__}
        | {"secret_key": "another-" + "0123456789abcdef" * 3}
    )
    assert codes.matches(made.code, made.handle, stored, settings)
    assert not codes.matches(made.code, made.handle, stored, other)
    changed = type(settings)(
        **{name: getattr(other, name) for name in other.__dataclass_fields__}
        | {"secret_key_fallbacks": (settings.secret_key,)}
    )
    assert codes.matches(made.code, made.handle, stored, changed)

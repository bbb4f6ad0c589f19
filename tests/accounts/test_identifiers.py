"""What a person may be called, and which names are the same."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from oidc_server import accounts
from oidc_server.accounts import store
from oidc_server.accounts.identifiers import IdentifierRefused, email_of, key_of, username_of
from oidc_server.database import db

from .conftest import PASSWORD


@pytest.mark.row("ID-01")
@pytest.mark.parametrize("same", ["Alice", "ＡＬＩＣＥ", "alice ", " ALICE", "ａlice", "𝐚lice", "Ⓐlice", "alice\u00a0"])
def test_case_width_and_spaces_make_no_second_account(context: None, same: str) -> None:
    with pytest.raises(accounts.AccountExists):
        store.create(same, PASSWORD)


@pytest.mark.row("ID-01")
@pytest.mark.parametrize("typed", ["Alice", "ＡＬＩＣＥ", "alice ", "Alice@Example.Test", "ＡＬＩＣＥ@example.test"])
def test_every_spelling_finds_the_one_account(context: None, typed: str) -> None:
    found = store.find_by_login(typed)

    assert found is not None
    assert found.username == "alice"


@pytest.mark.row("ID-02")
@pytest.mark.parametrize(
    "name",
    [
        "аlice",  # Cyrillic а
        "alicе",  # Cyrillic е
        "αlice",
        "pаypal",
        "аре",  # all Cyrillic, all looking Latin
        "ΑΒΕ",  # all Greek, all looking Latin
        "ɑlice",  # phonetic
        "ᴀlice",  # small capital
        "aliсe.b",
        "abcカ",
        "аｌice",
    ],
)
def test_homographs_are_refused(name: str) -> None:
    with pytest.raises(IdentifierRefused):
        username_of(name)


@pytest.mark.row("ID-02")
@pytest.mark.parametrize(
    "name",
    [
        "zoë",
        "Straße",
        "nguyễn",
        "ștefan",
        "Дмитрий",
        "Ελένη",
        "さくら7",
        "東京タワー",
        "김민준",
        "مريم",
        "שרה",
        "สมชาย",
        "आकाश",
        "佐々木",
    ],
)
def test_names_of_one_alphabet_are_welcome(name: str) -> None:
    assert username_of(name)


@pytest.mark.row("ID-03")
@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b",
        "\u200d",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\n",
        "\r",
        "\t",
        "\x7f",
        "\u3164",
        "\u115f",
        "\u180e",
        "\ufe0f",
        "\u034f",
        "\ue000",
        "\U000e0041",
        "\ud800",
        "\u2028",
        " ",
        "\u3000",
        "\u0338",
        "\u0489",
    ],
)
def test_invisible_and_directional_characters_are_refused(hidden: str) -> None:
    with pytest.raises(IdentifierRefused):
        username_of(f"al{hidden}ice")


@pytest.mark.row("ID-03")
@pytest.mark.parametrize(
    "name", ["", " ", ".", "-zoe", "zoe.", "_", "zoe/admin", "zoe:1", "zoe\\", "z'oe", "<b>", "😀", "½"]
)
def test_a_name_is_letters_digits_and_the_three_signs_between_them(name: str) -> None:
    with pytest.raises(IdentifierRefused):
        username_of(name)


@pytest.mark.row("ID-04")
@pytest.mark.parametrize("name", ["bob@example.test", "bob＠example.test", "@bob", "bob﹫example.test"])
def test_a_user_name_is_never_an_address(context: None, name: str) -> None:
    with pytest.raises(IdentifierRefused):
        store.create(name, PASSWORD)


@pytest.mark.row("ID-04")
def test_an_address_is_not_found_among_user_names_nor_the_reverse(context: None) -> None:
    assert store.find_by_login("example.test") is None
    assert store.find_by_login("alice@") is None


@pytest.mark.row("ID-05")
def test_what_is_too_long_is_refused_and_never_cut(context: None) -> None:
    with pytest.raises(IdentifierRefused):
        store.create("a" * 65, PASSWORD)
    with pytest.raises(IdentifierRefused):
        store.create("ß" * 40, PASSWORD)  # the key is twice as long as the name
    with pytest.raises(IdentifierRefused):
        store.create(
            "anna", PASSWORD, email="a" * 60 + "@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + "." + "e" * 60
        )
    assert store.find_by_login("a" * 300) is None
    assert store.create("a" * 64, PASSWORD).username == "a" * 64


@pytest.mark.row("ID-06")
@pytest.mark.parametrize(
    "typed", ["alice' --", "' OR 1=1 --", "alice\x00", "*)(uid=*", "alice%", "al_ce", '{"$ne": null}']
)
def test_what_means_something_to_a_database_means_nothing_here(context: None, typed: str) -> None:
    assert store.find_by_login(typed) is None


@pytest.mark.row("ID-07")
def test_a_name_given_anew_is_another_subject(context: None) -> None:
    first = store.create("carol", PASSWORD)
    db.session.delete(first)
    db.session.commit()

    assert store.create("carol", PASSWORD).id != first.id


@pytest.mark.row("ID-08")
def test_of_two_registrations_of_equal_names_at_once_one_succeeds(app: Flask) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def register(name: str) -> None:
        with app.app_context():
            barrier.wait()
            try:
                outcomes.append(store.create(name, email="racer@example.test").id)
            except accounts.AccountExists as error:
                outcomes.append(error.field)

    names = ["racer", "RACER", "ｒａｃｅｒ", "racer "]
    threads = [threading.Thread(target=register, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(len(outcome) == 32 for outcome in outcomes) == [False, False, False, True]


@pytest.mark.row("ID-09")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße", "STRASSE"),
        ("ﬁona", "Fiona"),
        ("Kim", "kim"),
        ("ſara", "sara"),
        ("ışık", "IŞIK"),
        ("İpek", "ipek"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_case_mapping_traps_have_one_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)
    assert key_of(key_of(one)) == key_of(one)


@pytest.mark.parametrize("text", ["", "\ud800", "\x00", "\ufdfa" * 50, "İ" * 100, "a" * 10_000])
def test_a_key_can_be_made_of_anything(text: str) -> None:
    assert key_of(key_of(text)) == key_of(text)


@pytest.mark.row("RC-13")
@pytest.mark.parametrize(
    "address",
    [
        "a@evil@corp.com",
        '"a"@corp.com',
        "a(b)@corp.com",
        "a@corp.com\n",
        "\na@corp.com",
        "a@corp.com\r\nBcc: x@y.z",
        "a@",
        "@corp.com",
        "a@corp",
        "a@.com",
        "a@corp..com",
        ".a@corp.com",
        "a.@corp.com",
        "a..b@corp.com",
        "a@-corp.com",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a b@corp.com",
        "a@corp.com,b@corp.com",
        "a@corp.com>",
        "ä@corp.com",
        "a@cörp.com",
        "a\x00@corp.com",
        "a" * 65 + "@corp.com",
        "a;b@corp.com",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(address: str) -> None:
    with pytest.raises(IdentifierRefused):
        email_of(address)


@pytest.mark.row("RC-13")
@pytest.mark.parametrize(
    "address", ["zoe@example.test", "zoe.b+tag@mail.example.org", "o'neil@xn--bcher-kva.example", "ZOE@example.test"]
)
def test_ordinary_addresses_are_welcome(address: str) -> None:
    assert email_of(address.upper()).endswith(address.partition("@")[2].lower())
    assert email_of(f" {address} ") == email_of(address)

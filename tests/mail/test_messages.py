"""A message is what RFC 5322 says, leaves no trace of who reads it, and nothing in it can become a header."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from oidc_server import mail
from oidc_server.database import now, transact
from oidc_server.mail import addresses, delivery, store
from oidc_server.mail.addresses import AddressRefused

from .conftest import CODE, LINK, send_reset
from .smtp_server import MailServer, Taken


def delivered(mail_server: MailServer) -> Taken:
    delivery.deliver_due()
    (taken,) = mail_server.taken
    return taken


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


@pytest.mark.spec("RFC 5322 §3.6")
def test_the_headers_are_the_ones_that_mail_servers_want(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    message = delivered(mail_server).message
    assert message["From"] == "no-reply@id.example.test"
    assert message["To"] == "alice@example.test"
    assert message["Subject"] == "Set a new password"
    assert abs(parsedate_to_datetime(message["Date"]).timestamp() - now()) < 60
    assert str(message["Date"]).endswith("+0000")
    assert message["Message-ID"] == f"<{store.newest(1)[0].id}@id.example.test>"
    assert message["Content-Language"] == "en"
    assert message["MIME-Version"] == "1.0"
    assert not message.defects


@pytest.mark.spec("RFC 3834 §5")
def test_nobodys_holiday_notice_answers(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    message = delivered(mail_server).message
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Reply-To"] is None


def test_text_and_html_say_the_same_in_utf_8(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    message = delivered(mail_server).message
    assert message.get_content_type() == "multipart/alternative"
    kinds = [(each.get_content_type(), each.get_content_charset()) for each in message.iter_parts()]
    assert kinds == [("text/plain", "utf-8"), ("text/html", "utf-8")]
    for text in (part(message, "plain"), part(message, "html")):
        assert LINK in text
        assert "1234 5678" in text
        assert "192.0.2.7" in text
    assert CODE not in message["Subject"]


def test_a_mail_fetches_nothing_and_tells_nobody_that_it_was_read(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    html = part(delivered(mail_server).message, "html")
    assert not re.search(r"<(img|script|link|iframe|object|form|style|base)\b|url\(|@import|\bon\w+=|\ssrc=", html)
    assert set(re.findall(r'href="([^"]*)"', html)) == {LINK}


def test_every_byte_on_the_wire_is_ascii_in_short_lines(mailer: Flask, mail_server: MailServer) -> None:
    transact(
        lambda: mail.send(
            "new_device", "alice@example.test", language="en", device="Téléphone 電話 " * 5, at=now(), network=None
        )
    )
    taken = delivered(mail_server)
    assert taken.raw.isascii()
    assert max(map(len, taken.raw.split(b"\r\n"))) <= 78
    assert "Téléphone 電話" in part(taken.message, "plain")


@pytest.mark.parametrize("value", ["Example <hello@example.org>", "Jörg's Prüfstelle <hello@example.org>"])
def test_the_sender_may_have_a_name(mailer: Flask, mail_server: MailServer, value: str) -> None:
    server = mailer.extensions["oidc_server"]
    kept = {name: getattr(server.settings, name) for name in server.settings.__dataclass_fields__}
    server.settings = type(server.settings)(**kept | {"mail_from": value})
    send_reset()
    taken = delivered(mail_server)
    assert taken.sender == "hello@example.org"
    assert taken.message["From"] == value


# Addresses.


@pytest.mark.spec("RFC 6531 §3.2")
def test_an_internationalised_address_is_sent_with_smtputf8(mailer: Flask, mail_server: MailServer) -> None:
    send_reset("用户@пример.example")
    taken = delivered(mail_server)
    assert taken.recipients == ["用户@xn--e1afmkfd.example"]
    assert "SMTPUTF8" in taken.options
    assert "To: 用户@xn--e1afmkfd.example".encode() in taken.raw


@pytest.mark.spec("RFC 5890 §2.3.2.1")
def test_an_internationalised_domain_alone_needs_no_extension(mailer: Flask, mail_server: MailServer) -> None:
    send_reset("hello@bücher.example")
    taken = delivered(mail_server)
    assert taken.recipients == ["hello@xn--bcher-kva.example"]
    assert taken.options == [] or "SMTPUTF8" not in taken.options


def test_a_mail_server_without_smtputf8_gets_none_of_it(mailer: Flask, mail_server: MailServer) -> None:
    port = mail_server.port
    mail_server.stop()
    mail_server.options["smtputf8"] = False
    mail_server.start(port)
    send_reset("用户@example.test")
    delivery.deliver_due()
    (found,) = store.newest(1)
    assert (found.state, mail_server.taken) == ("failed", [])
    assert found.problem == "The mail server takes no internationalised addresses (SMTPUTF8)."


REFUSED = [
    "",
    "alice",
    "@example.test",
    "alice@",
    "a@evil@corp.example",
    "alice@corp.example\n",
    "alice@corp.example\r\nBcc: all@corp.example",
    "alice\r\nBcc: all@corp.example@corp.example",
    "alice@corp.example, bob@corp.example",
    "Alice <alice@corp.example>",
    '"a b"@corp.example',
    "a(comment)@corp.example",
    "@relay.example:alice@corp.example",
    "alice@[192.0.2.1]",
    "alice@192.0.2.1",
    "alice@corp..example",
    "alice..b@corp.example",
    ".alice@corp.example",
    "alice@-corp.example",
    "alice@corp.example\x00",
    "alice\u2028@corp.example",
    "alice\u202e@corp.example",
    "ali\u0301ce@corp.example",
    "alice@faß.example",  # IDNA 2003 would make it fass.example, which is somebody else's
    "a" * 65 + "@corp.example",
    "alice@" + "a" * 64 + ".example",
    "alice@" + "a." * 130 + "example",
    "\ud800@corp.example",
]


@pytest.mark.row("RC-12", "RC-13")
@pytest.mark.parametrize("address", REFUSED, ids=ascii)
def test_what_is_no_address_gets_no_mail(mailer: Flask, mail_server: MailServer, address: str) -> None:
    with pytest.raises((AddressRefused, UnicodeError)) as refused:
        send_reset(address)
    assert isinstance(refused.value, AddressRefused)
    assert store.newest(1) == []


@pytest.mark.parametrize(
    "text", ["Evil\r\nBcc: a@b.example <x@y.example>", "x@y.example\n", "a <b> <x@y.example>", "", "Name"]
)
def test_what_is_no_mailbox_is_no_sender(text: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.parse_mailbox(text)


@pytest.mark.row("RC-12")
@given(st.text(max_size=80), st.text(max_size=40))
def test_no_address_whatever_it_holds_becomes_more_than_one_word_of_a_header(local: str, domain: str) -> None:
    try:
        address = addresses.parse(f"{local}@{domain}")
    except AddressRefused:
        return
    spec = address.addr_spec
    assert spec.isprintable()
    assert not re.search(r'[\s,;:<>()\[\]"\\]', spec)
    assert spec.count("@") == 1


@pytest.mark.row("RC-12")
@pytest.mark.parametrize(
    "device",
    [
        "Browser\r\nBcc: all@corp.example",
        "B\n\nVisit https://evil.example now",
        "\u202egnp.exe",
        "x\u2028y\x00z\x1b[31m",
    ],
    ids=ascii,
)
def test_what_a_stranger_chose_stays_in_its_line(mailer: Flask, mail_server: MailServer, device: str) -> None:
    transact(
        lambda: mail.send("new_device", "alice@example.test", language="en", device=device, at=now(), network=None)
    )
    message = delivered(mail_server).message
    assert message["Bcc"] is None
    text = part(message, "plain")
    (line,) = [line for line in text.splitlines() if "a browser that was not known:" in line]
    assert not re.search("[\u2028\u202e\x00\x1b]", text)
    assert line.endswith(".")


@pytest.mark.row("RC-12", "WB-01")
def test_markup_that_a_stranger_chose_is_text(mailer: Flask, mail_server: MailServer) -> None:
    device = '<a href="https://evil.example">click</a>&amp;'
    transact(
        lambda: mail.send("new_device", "alice@example.test", language="en", device=device, at=now(), network=None)
    )
    message = delivered(mail_server).message
    assert device in part(message, "plain")
    html = part(message, "html")
    assert "&lt;a href=&#34;https://evil.example&#34;&gt;click&lt;/a&gt;&amp;amp;" in html
    assert 'href="https://evil' not in html


@pytest.mark.row("RC-01")
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/reset?link=x",
        "https://id.example.test.evil.example/reset",
        "https://id.example.test@evil.example/reset",
        "//id.example.test/reset",
        "javascript:alert(1)",
        "https://id.example.test/reset?link=x\r\nBcc: a@b.example",
        "https://id.example.test/a b",
    ],
)
def test_a_link_leads_to_this_server_or_the_mail_is_not_made(mailer: Flask, link: str) -> None:
    with pytest.raises(ValueError, match="link is not an address of this server"):
        send_reset(link=link)
    assert store.newest(1) == []

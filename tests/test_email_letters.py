"""A letter as an e-mail: what we write, the standard library's parser reads back as it was meant."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.channels import _mime
from vestnik.domain.messages import Attachment, Letter, Sender
from vestnik.errors import Refused

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SHOP = {"from_address": "shop@example.com", "from_name": "Чайная лавка"}
LETTER = Letter(
    shop="teashop",
    message="2611200abcdefghijklmnopqrstuvwxyz-abcdefgh",
    attempt="0123456789abcdef",
    channel="email",
    to="anna@example.com",
    to_name="Анна Петрова",
    subject="Ваш заказ № 7 собран",
    html="<p>Собран и ждёт вас</p>",
    text="Собран и ждёт вас",
    language="ru",
)


def mail(letter: Letter, **config: Any) -> Any:
    raw = _mime.compose(letter, Sender("teashop", "main", "email", "email_ses", config={**SHOP, **config}), NOW)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) < 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return message_from_bytes(raw, policy=policy.default)


def test_an_email_has_both_parts_and_readable_headers() -> None:
    read = mail(LETTER, reply_to="desk@example.com")
    assert read["Subject"] == LETTER.subject
    assert read["To"].addresses[0].display_name == "Анна Петрова"
    assert read["From"].addresses[0].display_name == "Чайная лавка"
    assert read["Reply-To"].addresses[0].addr_spec == "desk@example.com"
    assert read.get_content_type() == "multipart/alternative"
    assert [part.get_content().strip() for part in read.iter_parts()] == [LETTER.text, LETTER.html]
    assert not read.defects


@pytest.mark.parametrize(
    "text", ["plain\n.\nFrom here\n", "чай\n" * 500, "café " * 2000, "x" * 3000, "a\rb\r\nc\n", "\0"]
)
def test_a_body_arrives_as_written(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert mail(replace(LETTER, html="", text=text)).get_content().replace("\r\n", "\n").rstrip("\n") == lines.rstrip(
        "\n"
    )


@pytest.mark.parametrize(
    "subject",
    ["x" * 400, "Очень длинная тема " * 30, "🎁" * 60, "a\r\nBcc: thief@example.com", "=?utf-8?b?eA==?= \x07"],
)
def test_a_subject_cannot_begin_another_header(subject: str) -> None:
    read = mail(replace(LETTER, subject=subject))
    assert read["Bcc"] is None
    assert str(read["Subject"]).split() == subject.split()


@pytest.mark.parametrize("name", ['O"Neil, Ann\\', "Анна\r\nBcc: thief@example.com", "a@b.c <x@y.z>", "  "])
def test_a_name_cannot_become_another_address(name: str) -> None:
    read = mail(replace(LETTER, to_name=name))
    assert [a.addr_spec for a in read["To"].addresses] == ["anna@example.com"]
    assert read["Bcc"] is None


def test_marketing_can_be_left_by_one_click_and_orders_cannot() -> None:
    url = "https://news.example/u/abc?d=1"
    advert = mail(replace(LETTER, purpose="marketing", unsubscribe_url=url))
    assert advert["List-Unsubscribe"] == f"<{url}>"
    assert advert["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail(replace(LETTER, unsubscribe_url=url))["List-Unsubscribe"] is None


def test_attachments_keep_their_names_and_bytes() -> None:
    file = Attachment("счёт № 7.pdf", "application/pdf", bytes(range(256)) * 20)
    read = mail(replace(LETTER, attachments=(file, Attachment("a\r\nb.txt", "no type\r\n", b"x"))))
    first, second = read.iter_attachments()
    assert (first.get_filename(), first.get_content_type(), first.get_content()) == (file.name, file.type, file.content)
    assert second.get_content_type() == "application/octet-stream"
    assert [part.get_content().strip() for part in read.get_body(("plain",)).walk()] == [LETTER.text]


def test_further_headers_ride_but_never_replace_ours() -> None:
    read = mail(
        replace(LETTER, headers={"X-Order": "7", "X-SES-Tenant": "other", "Bcc": "thief@example.com", "X-A\r\nB": "1"})
    )
    assert read["X-Order"] == "7"
    assert read["X-SES-Tenant"] is None
    assert read["Bcc"] is None
    assert len(read.get_all("From")) == 1


def test_an_international_domain_is_written_in_ascii() -> None:
    assert mail(replace(LETTER, to="anna@пример.рф", to_name=""))["To"] == "anna@xn--e1afmkfd.xn--p1ai"


@pytest.mark.parametrize(
    "to", ["анна@example.com", "a b@example.com", "x@y.z, t@u.v", "no-address", "a@b.c\r\nDATA", ""]
)
def test_what_cannot_be_written_to_is_refused(to: str) -> None:
    with pytest.raises(Refused) as told:
        mail(replace(LETTER, to=to))
    assert told.value.code == "bad-address"


@given(subject=st.text(max_size=80), name=st.text(max_size=40), text=st.text(max_size=200), html=st.text(max_size=200))
def test_whatever_is_written_arrives_as_one_letter_to_one_person(subject: str, name: str, text: str, html: str) -> None:
    read = mail(replace(LETTER, subject=subject, to_name=name, text="t" + text, html="h" + html))
    assert [address.addr_spec for address in read["To"].addresses] == ["anna@example.com"]
    assert len(list(read.iter_parts())) == 2
    assert read["Auto-Submitted"] == "auto-generated"

"""Addresses of people: one kept form, judged like the libraries everybody uses."""

import json
from pathlib import Path
from typing import Any

import pytest

from vestnik.domain import addresses
from vestnik.errors import Refused

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "recipients"


def rows(name: str) -> list[dict[str, Any]]:
    file = CORPUS / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("row", rows("email_addresses.jsonl"), ids=lambda row: str(row["id"]))
def test_every_email_address_of_the_corpus_is_judged_right(row: dict[str, Any]) -> None:
    try:
        addresses.email(row["address"])
        judged = "accept"
    except Refused:
        judged = "reject"
    assert judged == row["expect"] or row["expect"] in ("optional", "smtputf8")


@pytest.mark.parametrize("row", rows("phone_numbers.jsonl"), ids=lambda row: f"{row['id']} {row['input']}")
def test_every_phone_number_of_the_corpus_is_judged_right(row: dict[str, Any]) -> None:
    try:
        phone = addresses.phone(row["input"], row["region"])
    except Refused:
        assert not row["valid"]
        return
    assert row["valid"]
    assert phone.e164 == row["e164"]
    # Where a country's numbers do not tell, the library says so and the label names the example's own kind.
    assert phone.kind in (row["type"], "FIXED_LINE_OR_MOBILE")


@pytest.mark.parametrize(
    ("written", "country", "kept", "sms"),
    [
        ("088 123 4567", "BG", "+359881234567", True),
        ("8 (912) 345-67-89", "RU", "+79123456789", True),
        ("+44 20 7946 0958", "BG", "+442079460958", False),
        ("02 981 1111", "BG", "+35929811111", False),
        ("(201) 555-0123", "US", "+12015550123", True),
    ],
)
def test_a_number_is_kept_in_one_form_and_landlines_get_no_texts(
    written: str, country: str, kept: str, sms: bool
) -> None:
    phone = addresses.phone(written, country)
    assert (phone.e164, phone.takes_sms) == (kept, sms)


@pytest.mark.parametrize("text", ["", "call me", "+", "123", "+7000", "1" * 300])
def test_what_is_no_number_is_refused_with_why(text: str) -> None:
    with pytest.raises(Refused) as told:
        addresses.phone(text, "RU")
    assert told.value.code == "bad-number"


def test_an_email_keeps_its_local_part_and_its_domain_goes_lower_case() -> None:
    assert addresses.email("Anna.P@Example.COM") == "Anna.P@example.com"
    assert addresses.email("anna@xn--e1afmkfd.xn--p1ai") == "anna@пример.рф"
    assert addresses.ascii_form("anna@пример.рф") == "anna@xn--e1afmkfd.xn--p1ai"


def test_suppression_does_not_depend_on_how_an_email_was_typed() -> None:
    assert addresses.same_address("email", "Anna@Example.com ") == addresses.same_address("email", "anna@example.com")
    assert addresses.same_address("telegram", "-100") == "-100"

"""The example shop's staff and customers."""

import random
from typing import Any

from examples.words import FIRST, LAST, LATIN, PHONES, SHOP, STREETS, ZONES

type Person = dict[str, Any]

CUSTOMERS = 260
LANGUAGES = ("bg", "bg", "bg", "bg", "ru", "ru", "ru", "en", "en")
AREAS = (202, 212, 312, 415, 617)
MANAGERS = ("s-elena", "s-oleg", "s-kate")


def staff() -> list[Person]:
    """Eight colleagues; one of them has left and is no longer active."""
    rows = (
        ("s-vera", "Вера Димова", "bg", ["owner"], [], True),
        ("s-elena", "Елена Костова", "bg", ["manager"], ["managers"], True),
        ("s-oleg", "Олег Новак", "ru", ["manager"], ["managers"], True),
        ("s-kate", "Kate Palmer", "en", ["manager"], ["managers"], True),
        ("s-ivan", "Иван Минчев", "bg", ["warehouse"], ["warehouse"], True),
        ("s-petya", "Петя Желева", "bg", ["warehouse"], ["warehouse"], True),
        ("s-lev", "Лев Мельник", "ru", ["accountant"], [], True),
        ("s-finn", "Finn Archer", "en", ["manager"], ["managers"], False),
    )
    return [
        {
            "id": id,
            "name": name,
            "email": f"{id.removeprefix('s-')}@staff.example.org",
            "phone": f"+359980900{position:03d}",
            "telegram": str(7_000_100 + position),
            "language": language,
            "timezone": SHOP["timezone"],
            "roles": roles,
            "groups": groups,
            "active": active,
        }
        for position, (id, name, language, roles, groups, active) in enumerate(rows)
    ]


def customers(chance: random.Random) -> list[Person]:
    """The customers of the day; the last tenth open their accounts in the course of it."""
    return [customer(number, chance) for number in range(1, CUSTOMERS + 1)]


def customer(number: int, chance: random.Random) -> Person:
    """One customer. A few have addresses that bounce or complain, no phone, or no e-mail."""
    language = chance.choice(LANGUAGES)
    home = chance.randrange(3)
    first, last = chance.choice(FIRST[language].split()), chance.choice(LAST[language].split())
    if language == "bg" and first.endswith(("а", "я")):
        last += "а"
    agreed = chance.random() < 0.6
    return {
        "id": f"c-{1000 + number}",
        "kind": "company" if number % 17 == 0 else "person",
        "name": f"{first} {last}",
        "email": email(number, f"{first}.{last}"),
        "phone": phone(number, language) if number % 19 else None,
        "language": language,
        "timezone": ZONES[language][home],
        "manager_id": {"bg": "s-elena", "ru": "s-oleg", "en": "s-kate"}[language],
        "consent": {"email": agreed, "sms": agreed and chance.random() < 0.5, "telegram": False},
        "tags": ["regular"] if chance.random() < 0.3 else [],
    }


def email(number: int, name: str) -> str:
    """An address that reaches nobody, or one of the mail simulator that bounces or complains."""
    if number % 43 == 0:
        return f"bounce+customer{number}@simulator.amazonses.com"
    if number % 61 == 0:
        return f"complaint+customer{number}@simulator.amazonses.com"
    latin = "".join(LATIN.get(letter, letter) for letter in name.lower())
    return f"{latin}{number}@example.{('com', 'org', 'net')[number % 3]}"


def phone(number: int, language: str) -> str:
    """A valid number that belongs to nobody."""
    if language == "en":
        return PHONES["en"].format(area=AREAS[number % len(AREAS)], n=number // len(AREAS) % 100)
    return PHONES[language].format(n=10_000 + number)


def address(who: Person) -> str:
    """Where a customer lives, in one line."""
    language, number = who["language"], int(who["id"].removeprefix("c-"))
    streets = STREETS[language]
    street = streets[2] if who["timezone"] != ZONES[language][0] else streets[number % 2]
    return street.format(number % 90 + 1)

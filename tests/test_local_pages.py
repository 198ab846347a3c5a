"""The local world with its real doors: what its gateway, its control routes and its pages answer."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.world import World
from infra.world.faults import none
from infra.world.http_api import LARGEST_REQUEST
from infra.world.market_controls import span
from infra.world.play import outcomes, play
from infra.world.server import LONGEST, Server
from tests.over_http import get, post
from vestnik import events

ROOT = Path(__file__).parents[1]


def test_the_gateway_answers_in_its_own_words(world: World) -> None:
    answers = {
        401: world.request("GET", "/v1/rules", key=None),
        403: world.request("GET", "/v1/rules", key="no-such-key"),
        404: world.request("GET", "/elsewhere"),
        413: world.request("POST", "/v1/events", body=b"x" * (LARGEST_REQUEST + 1)),
    }
    words = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 413: "Request Entity Too Large"}
    assert {status: answer.json() for status, answer in answers.items()} == {
        status: {"message": word} for status, word in words.items()
    }
    assert [answer.status for answer in answers.values()] == list(answers)


# Real doors


def test_an_order_is_told_and_nothing_goes_beyond_the_map(world: World) -> None:
    module = events.find("order.placed")
    assert module is not None
    assert world.request("POST", "/v1/events", body=module.SAMPLE).status == 202
    world.settle()
    assert world.doors.failures == []
    assert world.refused_grants() == set()
    assert world.outbox


def test_a_reset_begins_anew(world: World) -> None:
    world.request("PUT", "/v1/customers/c-77", body={"name": "Anna"})
    world.reset()
    assert world.outbox == []
    assert world.request("GET", "/v1/customers/c-77").status == 404


def test_the_first_hour_of_the_day_is_played(world: World, tmp_path: Path) -> None:
    lines = (ROOT / "examples" / "day.jsonl").read_text().splitlines()[:12]
    (tmp_path / "day.jsonl").write_text("\n".join(lines))
    seen: list[int] = []
    world.reset()
    played = play(world, tmp_path / "day.jsonl", lambda done, now: seen.append(done))
    messages, rules = outcomes(world)
    assert (played.events, played.refused, seen[-1]) == (12, [], 12)
    assert sum(messages.values()) == len(world.outbox) > 0
    assert rules


# Over HTTP


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    server = Server(world, 0)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.url
    server.shutdown()
    server.server_close()


def test_the_clock_is_moved_by_a_duration(world: World, url: str) -> None:
    before = world.now()
    status, said = post(f"{url}/_local/clock", {"advance": "PT10M"})
    assert status == 200
    assert datetime.fromisoformat(said["now"]) >= before + timedelta(minutes=10)


@pytest.mark.parametrize(
    "body", [{}, [], {"advance": "ten minutes"}, {"advance": "-PT1M"}, {"advance": "P9999D"}, b"{"]
)
def test_a_bad_body_gets_a_problem(url: str, body: Any) -> None:
    status, said = post(f"{url}/_local/clock", body)
    assert status in (400, 422)
    assert said["status"] == status
    assert said["type"].startswith("/problems/")


def test_a_control_route_asked_the_wrong_way_says_how(url: str) -> None:
    status, headers, body = get(f"{url}/_local/settle")
    assert (status, headers["content-type"]) == (405, "application/problem+json")
    assert "POST" in json.loads(body)["detail"]


def test_the_outbox_is_a_list_of_items(world: World, url: str) -> None:
    world.mail.add("sms", "sms_eum", "+359888123456", text="hello", message_id="m-1")
    assert post(f"{url}/_local/settle", b"")[0] == 200
    item = json.loads(get(f"{url}/_local/outbox")[2])["items"][-1]
    names = {"at", "channel", "plugin", "to", "from", "subject", "text", "html", "headers", "attachments", "message_id"}
    assert names <= set(item)


def test_a_mail_is_shown_in_a_frame_where_nothing_runs(world: World, url: str) -> None:
    world.mail.add("email", "email_ses", "a@example.com", subject="<b>hi</b>", html="<script>alert(1)</script>hello")
    number = len(world.outbox) - 1
    status, _headers, page = get(f"{url}/_local/messages/{number}")
    assert status == 200
    assert b"&lt;b&gt;hi" in page
    assert b"<script" not in page
    assert b" sandbox " in page
    policy = get(f"{url}/_local/messages/{number}/html")[1]["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")


def test_the_list_is_filtered_by_channel_and_words(world: World, url: str) -> None:
    world.mail.add("telegram", "telegram", "42", text="a rare word: sarsaparilla")
    assert b"sarsaparilla" in get(f"{url}/_local/?channel=telegram&q=Sarsaparilla")[2]
    assert b"sarsaparilla" not in get(f"{url}/_local/?channel=webhook")[2]


def test_an_sms_shows_its_segments(world: World, url: str) -> None:
    world.mail.add("sms", "sms_eum", "+359888123456", text="Пакет " * 20)
    page = get(f"{url}/_local/messages/{len(world.outbox) - 1}")[2]
    assert b"UCS-2, 2 segments" in page


def test_the_map_and_the_first_page_are_served(url: str) -> None:
    assert {f["name"] for f in json.loads(get(f"{url}/_local/map")[2])["functions"]} >= {"take-events", "sweep-due"}
    assert get(f"{url}/_local/")[0] == 200
    assert get(f"{url}/_local/messages/99999")[0] == 404


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT10M", 600),
        ("P1DT1H", 90_000),
        ("P2W", 1_209_600),
        ("PT0.5S", 0.5),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("P9999999999D", None),
    ],
)
def test_durations_are_iso_8601(text: str, seconds: float | None) -> None:
    found = span(text, LONGEST)
    assert (found.total_seconds() if found is not None else None) == seconds


def test_faults_are_off_unless_asked_for(world: World) -> None:
    assert world.faults is none

"""The limiter of the send doors: what one limit refuses is not taken from the others."""

from datetime import timedelta
from typing import Any

from infra.world import World
from tests.market_accounts import as_door
from vestnik.domain.messages import Sender
from vestnik.flows import allowance


def jobs(count: int, chat: str, sender: str) -> list[tuple[dict[str, Any], Sender]]:
    bot = Sender("demo", sender, "telegram", "telegram", config={})
    return [({"message": f"m{n}", "recipient": {"address": chat}}, bot) for n in range(count)]


def granted(world: World, wanted: list[tuple[dict[str, Any], Sender]], seconds: int = 0) -> int:
    with as_door(world, "send-telegram"):
        return allowance.grant(wanted, world.now() + timedelta(seconds=seconds)).count(None)


def test_a_group_gets_one_a_second_and_twenty_a_minute_however_many_wait(world: World, id: str) -> None:
    wanted = jobs(10, "-100", id)
    assert [granted(world, wanted, n) for n in range(22)] == [1] * 20 + [0, 0]


def test_chats_are_limited_each_for_itself_and_together_by_their_bot(world: World, id: str) -> None:
    chats = [job for n in range(40) for job in jobs(2, str(n), id)]
    assert granted(world, chats) == 30

"""What lies in a marketplace's own warehouses (FBO, FBW, FBY): read and shown beside, never reserved or sent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vestnik.store import dynamo, keys

TABLE = "goods"


@dataclass(frozen=True, slots=True)
class Lies:
    """How many of a unit lie in each of the marketplace's warehouses, as read at a time (RFC 3339)."""

    unit: str
    places: Mapping[str, int]
    at: str


def key(shop: str, account: str, unit: str) -> dynamo.Key:
    """Where it stands."""
    return keys.fbo(shop, account, keys.shard(unit)), unit


def put(shop: str, account: str, read: Iterable[Lies]) -> None:
    """Keep what was read in place of what stood there; nothing of what has run out. Unconditional: one run
    at a time."""
    found = list(read)
    puts = [
        {"pk": pk, "sk": sk, "v": 1, "w": dict(one.places), "at": one.at}
        for one in found
        if one.places
        for pk, sk in [key(shop, account, one.unit)]
    ]
    gone = [key(shop, account, one.unit) for one in found if not one.places]
    dynamo.write_many(TABLE, puts=puts, deletes=gone)


def get_many(shop: str, account: str, units: Iterable[str]) -> dict[str, Lies]:
    """What was read of these units; those that lie nowhere are left out."""
    found = dynamo.get_many({TABLE: [key(shop, account, unit) for unit in units]})
    return {sk: Lies(sk, row["w"], row["at"]) for (_, _, sk), row in found.items()}


def every(shop: str, account: str) -> Iterator[Lies]:
    """What was read of all units of an account."""
    for shard in range(keys.SHARDS):
        for row in dynamo.query_all(TABLE, keys.fbo(shop, account, shard)):
            yield Lies(row["sk"], row["w"], row["at"])


def forget_account(shop: str, account: str) -> None:
    """Remove all that was kept of an account that is removed."""
    dynamo.write_many(TABLE, deletes=[key(shop, account, one.unit) for one in every(shop, account)])

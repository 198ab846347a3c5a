"""What a whole import of an account's products came upon: a few characters a unit, a row for each page.

    {shop}#seen#{account}    {run}#{digest of the row}    units: of each its shard, then 7 characters of its digest

So it costs by pages and not by units to know afterwards what was not there. Two units of one mark (one in 10^8 of a
million) only leave one unnoticed.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from itertools import batched

from vestnik.store import dynamo, keys

TABLE = "goods"
LENGTH = 8
MOST = 20_000  # units in a row


def mark(unit: str) -> str:
    """By what a unit is known here."""
    digest = urlsafe_b64encode(blake2b(unit.encode(), digest_size=6).digest()).decode()
    return f"{keys.shard(unit):x}{digest[: LENGTH - 1]}"


def note(shop: str, account: str, run: str, units: Sequence[str]) -> None:
    """Write down the units of a page, each time it names one. Unconditional: the same page is the same row."""
    for part in batched(units, MOST, strict=False):
        text = "".join(map(mark, part))
        sk = f"{run}#{blake2b(text.encode(), digest_size=12).hexdigest()}"
        dynamo.put(TABLE, {"pk": keys.seen(shop, account), "sk": sk, "v": 1, "units": text})


def of_shard(shop: str, account: str, run: str, shard: int) -> tuple[set[str], int]:
    """The marks of a sixteenth of what a run saw; and how many units it wrote down in all."""
    found, written, own = set[str](), 0, f"{shard:x}"
    for row in dynamo.query_all(TABLE, keys.seen(shop, account), begins=f"{run}#"):
        text = row["units"]
        written += len(text) // LENGTH
        found.update(text[at : at + LENGTH] for at in range(0, len(text), LENGTH) if text[at] == own)
    return found, written


def forget(shop: str, account: str) -> None:
    """Remove what runs wrote down."""
    pk = keys.seen(shop, account)
    for part in batched(dynamo.query_all(TABLE, pk), 100, strict=False):
        dynamo.write_many(TABLE, deletes=[(pk, row["sk"]) for row in part])

"""The one module that speaks S3: bodies too big for a table, several in one object, each erasable by a rewrite."""

import gzip
import json
from typing import Any

from vestnik import resources


def write(key: str, entries: list[Any]) -> None:
    """Keep `entries` (JSON-able) as one compressed object."""
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    _s3().put_object(
        Bucket=resources.env("BUCKET_BODIES"),
        Key=key,
        Body=gzip.compress(text, compresslevel=5, mtime=0),
        ContentType="application/json",
        ContentEncoding="gzip",
    )


def read(key: str) -> list[Any]:
    """The entries of one object. Raises FileNotFoundError where it is gone."""
    client = _s3()
    try:
        answer = client.get_object(Bucket=resources.env("BUCKET_BODIES"), Key=key)
    except client.exceptions.NoSuchKey:
        raise FileNotFoundError(key) from None
    entries: list[Any] = json.loads(gzip.decompress(answer["Body"].read()))
    return entries


def erase(key: str, position: int) -> None:
    """Blank one entry of an object; the others stay where they are."""
    try:
        entries = read(key)
    except FileNotFoundError:
        return
    entries[position] = None
    write(key, entries)


def _s3() -> Any:
    return resources.client("s3")

"""The one module that speaks S3: bodies too big for a table, several in one object, each erasable by a rewrite."""

import gzip
import json
from typing import Any

from vestnik import resources

TRIES = 5


def write(key: str, entries: list[Any]) -> None:
    """Keep `entries` (JSON-able) as one compressed object."""
    _put(key, entries)


def _put(key: str, entries: list[Any], **condition: str) -> None:
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    _s3().put_object(
        Bucket=resources.env("BUCKET_BODIES"),
        Key=key,
        Body=gzip.compress(text, compresslevel=5, mtime=0),
        ContentType="application/json",
        ContentEncoding="gzip",
        **condition,
    )


def read(key: str) -> list[Any]:
    """The entries of one object. Raises FileNotFoundError where it is gone."""
    return _get(key)[0]


def _get(key: str) -> tuple[list[Any], str]:
    client = _s3()
    try:
        answer = client.get_object(Bucket=resources.env("BUCKET_BODIES"), Key=key)
    except client.exceptions.NoSuchKey:
        raise FileNotFoundError(key) from None
    return json.loads(gzip.decompress(answer["Body"].read())), answer["ETag"]


def erase(key: str, position: int) -> None:
    """Blank one entry of an object; the others stay where they are. Two erasures at once see each other's work."""
    for tries in range(TRIES):
        try:
            entries, version = _get(key)
        except FileNotFoundError:
            return
        entries[position] = None
        try:
            _put(key, entries, IfMatch=version)
            return
        except _s3().exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed" or tries == TRIES - 1:
                raise


def _s3() -> Any:
    return resources.client("s3")

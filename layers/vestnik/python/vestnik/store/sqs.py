"""The one module that speaks SQS. Every message carries its shop as the group, so that queues are fair."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vestnik import resources

LARGEST_BATCH = 240_000  # bytes; SQS takes 256 KB in one request


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message for a queue: `body` is JSON-able, `delay` whole seconds up to 900."""

    shop: str
    body: dict[str, Any]
    delay: int = 0


def send(queue: str, parcels: Iterable[Parcel]) -> list[int]:
    """Send to `queue:<name>` in as few requests as fit; the positions of those that the queue did not confirm."""
    refused: list[int] = []
    for batch in _batches(parcels):
        refused += _send_batch(queue, batch)
    return refused


def _send_batch(queue: str, batch: list[tuple[int, dict[str, Any]]]) -> list[int]:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    by_id = {entry["Id"]: position for position, entry in batch}
    try:
        answer = _sqs().send_message_batch(QueueUrl=url(queue), Entries=[entry for _, entry in batch])
    except (ClientError, BotoCoreError, HTTPClientError) as error:
        resources.log("queue-failed", queue=queue, messages=len(batch), error=repr(error))
        return list(by_id.values())  # the other requests' messages may be kept all the same
    return [by_id[failure["Id"]] for failure in answer.get("Failed", [])]


def send_all(queue: str, parcels: Iterable[Parcel]) -> None:
    """Send to a queue, or raise: what the caller holds must then come again."""
    refused = send(queue, parcels)
    if refused:
        raise RuntimeError(f"{queue} refused {len(refused)} messages")


def _batches(parcels: Iterable[Parcel]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    batch: list[tuple[int, dict[str, Any]]] = []
    size = 0
    for position, parcel in enumerate(parcels):
        entry = _entry(position, parcel)
        weight = len(entry["MessageBody"].encode())
        if batch and (len(batch) == 10 or size + weight > LARGEST_BATCH):
            yield batch
            batch, size = [], 0
        batch.append((position, entry))
        size += weight
    if batch:
        yield batch


def _entry(position: int, parcel: Parcel) -> dict[str, Any]:
    body = json.dumps(parcel.body, ensure_ascii=False, separators=(",", ":"))
    body = body.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")  # SQS takes what XML 1.0 takes
    entry: dict[str, Any] = {"Id": str(position), "MessageBody": body, "MessageGroupId": parcel.shop}
    return entry | ({"DelaySeconds": parcel.delay} if parcel.delay else {})


def receive(name: str, *, limit: int, hide: int) -> list[dict[str, Any]]:
    """Up to `limit` messages of a queue, hidden from others for `hide` seconds."""
    answer = _sqs().receive_message(
        QueueUrl=_url(name),
        MaxNumberOfMessages=min(limit, 10),
        VisibilityTimeout=hide,
        MessageSystemAttributeNames=["All"],
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def send_one(name: str, body: str, shop: str) -> None:
    """Send one message's text as it is (a redrive)."""
    _sqs().send_message(QueueUrl=_url(name), MessageBody=body, MessageGroupId=shop)


def delete(name: str, receipt: str) -> None:
    """Take a message out of a queue."""
    _sqs().delete_message(QueueUrl=_url(name), ReceiptHandle=receipt)


def hide(name: str, receipt: str, seconds: int) -> None:
    """Let a message show itself again in `seconds`."""
    _sqs().change_message_visibility(QueueUrl=_url(name), ReceiptHandle=receipt, VisibilityTimeout=seconds)


def url(queue: str) -> str:
    """The address of the live queue called `queue`."""
    return _url(f"queue:{queue}")


def _url(name: str) -> str:
    return resources.env(name.replace(":", "_").replace("-", "_").upper())


def _sqs() -> Any:
    return resources.client("sqs")

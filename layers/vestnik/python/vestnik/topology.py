"""The map: every function, what wakes it, and what it may touch. Builders read it; running code never does.

`uses` names a resource of the map as `kind:name` (or an outside service) and the SDK operations that the
function calls on it, by their SDK names. Permissions, variables, queues, alarms and the local world follow from it.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from vestnik import channels, plugins


@dataclass(frozen=True)
class Table:
    """A DynamoDB table: keys `pk`, `sk`, TTL attribute `expires`. `listed`: has the sparse KEYS_ONLY index
    `list` (list, sk). `streamed`: has a stream of new and old images."""

    name: str
    listed: bool = False
    streamed: bool = False


@dataclass(frozen=True)
class Queue:
    """An SQS standard queue and its dead-letter queue `<name>-dead`. Times in seconds."""

    name: str
    visibility: int
    receives: int = 5


@dataclass(frozen=True)
class Topic:
    """An SNS topic of a provider's feedback, delivered raw to a queue. `events`: what the provider is asked to tell, in
    its own words (each is paid for)."""

    name: str
    to_queue: str
    publisher: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class Http:
    """A route of the HTTP API. `open`: needs no API key."""

    method: str
    path: str
    open: bool = False


@dataclass(frozen=True)
class Schedule:
    """A clock that wakes a function every `minutes`."""

    minutes: int


@dataclass(frozen=True)
class FromQueue:
    """A queue that wakes a function: at most `batch` messages, gathered for at most `window` seconds, by at most
    `concurrency` runs at a time (0: as many as the account allows)."""

    queue: str
    batch: int = 10
    window: int = 0
    concurrency: int = 0


@dataclass(frozen=True)
class FromStream:
    """A table's stream that wakes a function: records gathered for `window` seconds, in tumbling windows so that the
    shard is named.

    `records`: the pattern of the records wanted (removals, TTL's among them, are not). A batch that failed `retries`
    times is halved, and what still fails is named in the queue `<function>-dead`.
    """

    table: str
    records: dict[str, Any]
    batch: int = 500
    window: int = 10
    retries: int = 10


Trigger = Http | Schedule | FromQueue | FromStream


@dataclass(frozen=True)
class Function:
    """A Lambda function. `door`: its module in functions/. Memory in MB, timeout in seconds."""

    name: str
    door: str
    wakes: tuple[Trigger, ...]
    uses: dict[str, str]
    memory: int = 256
    timeout: int = 30
    authorizer: bool = False


LEASE_SECONDS = 120
SEND_TIMEOUT = 60
SEND_CONCURRENCY = 10
SYNC_TIMEOUT = 120  # a longer run would only hold its account's lease longer; what is left comes back as a message
BATCH, WINDOW = 20, 2  # an object in S3 and a run of a function are shared by a batch; a second more costs nobody much

TABLES = (
    Table("settings"),
    Table("people", listed=True),
    Table("orders", listed=True),
    Table("ledger", streamed=True),
    Table("goods"),
    Table("due"),
    Table("counters"),
    Table("limits"),
)
BUCKETS = ("bodies",)
# No Send: SES answers for what it takes, and where that answer is lost the delivery or the bounce proves it.
SES_EVENTS = (
    "reject",
    "bounce",
    "complaint",
    "delivery",
    "open",
    "click",
    "renderingFailure",
    "deliveryDelay",
    "subscription",
)
TOPICS = (
    Topic("feedback-ses", "to-record", "ses.amazonaws.com", SES_EVENTS),
    Topic("feedback-sms", "to-record", "sms-voice.amazonaws.com", ("TEXT_ALL",)),
)
MANAGE_QUEUES = "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes"


# Records of messages; decisions lie under the sort key `event`, and removals are the TTL's.
MESSAGES: dict[str, Any] = {
    "eventName": ["INSERT", "MODIFY"],
    "dynamodb": {"Keys": {"sk": {"S": [{"anything-but": ["event"]}]}}},
}


def lanes(channel: ModuleType) -> list[str]:
    """The queues of one channel: `to-send-<plugin>`, and `-marketing` beside it where mailings have their own."""
    name = "to-send-" + channel.PLUGIN.replace("_", "-")
    return [name, *(f"{name}-{lane}" for lane in channel.LANES if lane != "transactional")]


def send_queues() -> list[str]:
    """The queues of all channels."""
    return [queue for channel in plugins.modules(channels).values() for queue in lanes(channel)]


def queues() -> tuple[Queue, ...]:
    """All queues of the map; a sender's waits out its lease before a message shows itself again."""
    sending = (Queue(name, visibility=SEND_TIMEOUT * 6) for name in send_queues())
    return (
        Queue("to-evaluate", visibility=360),
        Queue("to-record", visibility=180),
        Queue("to-release", visibility=180),
        Queue("to-sync", visibility=SYNC_TIMEOUT * 6),
        *sending,
    )


def functions() -> tuple[Function, ...]:
    """All functions of the map."""
    senders = (_sender(channel) for channel in plugins.modules(channels).values())
    syncing = (STARTER, SYNCER)
    main = (AUTHORIZER, INTAKE, _manager(), PUBLIC, _evaluator(), OUTCOMES, STATISTICS, SWEEPER, _releaser())
    return (*main, *syncing, *senders)


AUTHORIZER = Function(
    "authorize-request",
    "authorize_request",
    (),
    {"table:settings": "GetItem"},
    memory=256,
    timeout=5,
    authorizer=True,
)

INTAKE = Function(
    "take-events",
    "take_events",
    (Http("POST", "/v1/events"),),
    {
        "queue:to-evaluate": "SendMessageBatch",
        "table:limits": "UpdateItem",
        "table:settings": "GetItem",
    },
    memory=512,
    timeout=15,
)

PUBLIC = Function(
    "serve-public",
    "serve_public",
    (
        Http("GET", "/v1/openapi.json", open=True),
        Http("GET", "/v1/unsubscribe/{token}", open=True),
        Http("POST", "/v1/unsubscribe/{token}", open=True),
        Http("POST", "/v1/marketplace-notifications/{account}/{token}", open=True),
    ),
    {
        "table:people": "GetItem PutItem UpdateItem",
        "table:settings": "GetItem Query",
        "table:limits": "UpdateItem",
        "queue:to-sync": "SendMessageBatch",
        "link-key": "GetSecretValue",
    },
    memory=512,
    timeout=10,
)

OUTCOMES = Function(
    "record-outcomes",
    "record_outcomes",
    (FromQueue("to-record", batch=BATCH, window=WINDOW),),
    {"table:ledger": "BatchGetItem UpdateItem", "table:people": "PutItem"},
    timeout=30,
)

STATISTICS = Function(
    "count-statistics",
    "count_statistics",
    (FromStream("ledger", records=MESSAGES, batch=1000, window=30),),
    {"table:counters": "GetItem TransactWriteItems"},
    timeout=60,
)

SWEEPER = Function(
    "sweep-due",
    "sweep_due",
    (Schedule(1),),
    {"table:due": "Query", "queue:to-release": "SendMessageBatch"},
    timeout=50,
)

STARTER = Function(
    "start-syncs",
    "start_syncs",
    (Schedule(1),),
    {"table:due": "Query", "queue:to-sync": "SendMessageBatch"},
    timeout=50,
)

MARKETPLACES = "GET POST PUT PATCH DELETE"
GOODS = "GetItem PutItem UpdateItem DeleteItem Query BatchGetItem BatchWriteItem"
SYNCER = Function(
    "sync-accounts",
    "sync_accounts",
    (FromQueue("to-sync", batch=1),),
    {
        "table:settings": "GetItem Query TransactWriteItems",
        "table:goods": GOODS,
        "table:orders": f"{GOODS} TransactWriteItems",
        "table:limits": "GetItem PutItem UpdateItem DeleteItem",
        "queue:to-sync": "SendMessageBatch",
        "queue:to-evaluate": "SendMessageBatch",
        "secrets": "GetSecretValue",
        "link-key": "GetSecretValue",
        "https": MARKETPLACES,
    },
    memory=512,
    timeout=SYNC_TIMEOUT,
)


def _manager() -> Function:
    """The operator's door: it may also look into dead letters, redrive them, and send tests by every channel."""
    dead = {f"dead:{q.name}": MANAGE_QUEUES for q in queues()}
    alive = {f"queue:{q.name}": "SendMessage" for q in queues()} | _may_send("SendMessage SendMessageBatch")
    outside = {name: ops for channel in plugins.modules(channels).values() for name, ops in channel.CALLS.items()}
    hands_on = {f"queue:{name}": "SendMessage SendMessageBatch" for name in ("to-sync", "to-evaluate")}
    return Function(
        "manage-shop",
        "manage_shop",
        (Http("ANY", "/v1/{proxy+}"),),
        {
            "table:settings": "GetItem PutItem UpdateItem DeleteItem Query BatchGetItem TransactWriteItems",
            "table:people": "GetItem PutItem UpdateItem DeleteItem Query BatchGetItem",
            "table:orders": f"{GOODS} TransactWriteItems",
            "table:ledger": "GetItem UpdateItem Query BatchGetItem",
            "table:goods": GOODS,
            "table:counters": "Query BatchWriteItem",
            "table:limits": "GetItem PutItem UpdateItem DeleteItem",
            "table:due": "PutItem DeleteItem",
            "bucket:bodies": "GetObject PutObject DeleteObject",
            "secrets": "CreateSecret PutSecretValue GetSecretValue DeleteSecret",
            "link-key": "GetSecretValue",
            **dead,
            **alive,
            **hands_on,
            **outside,
            "https": MARKETPLACES,
        },
        memory=1024,
        timeout=29,
    )


def _evaluator() -> Function:
    return Function(
        "evaluate-events",
        "evaluate_events",
        (FromQueue("to-evaluate", batch=BATCH, window=WINDOW),),
        {
            "table:settings": "GetItem Query UpdateItem",
            "table:people": "BatchGetItem UpdateItem Query",
            "table:orders": "GetItem BatchGetItem UpdateItem",
            "table:ledger": "BatchGetItem PutItem UpdateItem",
            "table:goods": "GetItem PutItem UpdateItem Query BatchGetItem BatchWriteItem",
            "table:limits": "UpdateItem",
            "table:due": "PutItem",
            "queue:to-sync": "SendMessageBatch",
            "queue:to-evaluate": "SendMessageBatch",
            "bucket:bodies": "PutObject GetObject",
            **_may_send(),
        },
        memory=384,
        timeout=60,
    )


def _releaser() -> Function:
    return Function(
        "release-due",
        "release_due",
        (FromQueue("to-release", batch=5),),
        {"table:due": "Query BatchWriteItem DeleteItem", **_may_send()},
        timeout=30,
    )


def _may_send(operations: str = "SendMessageBatch") -> dict[str, str]:
    return {f"queue:{name}": operations for name in send_queues()}


def _sender(channel: ModuleType) -> Function:
    own = {f"queue:{name}": "SendMessageBatch ChangeMessageVisibility" for name in lanes(channel)}
    return Function(
        f"send-{channel.PLUGIN.replace('_', '-')}",
        "send_messages",
        tuple(FromQueue(name, batch=BATCH, window=WINDOW, concurrency=SEND_CONCURRENCY) for name in lanes(channel)),
        {
            "table:settings": "GetItem Query",
            "table:people": "BatchGetItem PutItem",
            "table:orders": "BatchGetItem",
            "table:ledger": "UpdateItem",
            "table:limits": "UpdateItem",
            "table:due": "PutItem",
            "bucket:bodies": "GetObject PutObject",
            "link-key": "GetSecretValue",
            "secrets": "GetSecretValue",
            **own,
            **channel.CALLS,
        },
        memory=320,  # it mostly waits, and is paid by memory for waiting; with its writer of templates it needs 220
        timeout=SEND_TIMEOUT,
    )


def variable(resource: str) -> str:
    """The environment variable that names a resource: `table:ledger` -> `TABLE_LEDGER`, `dead:to-x` -> `DEAD_TO_X`."""
    return resource.replace(":", "_").replace("-", "_").upper()

"""What each word of the map means: which IAM actions an SDK operation needs, and which variables a word brings.

The stack grants from these tables, the local world judges every recorded call by them, so neither can drift.
Source: the Service Authorization Reference, "Actions, resources, and condition keys" of each service.
"""

from collections.abc import Callable, Mapping

from vestnik import topology
from vestnik.topology import FromQueue, Function

DYNAMODB = {
    "GetItem": "dynamodb:GetItem",
    "BatchGetItem": "dynamodb:BatchGetItem",
    "Query": "dynamodb:Query",
    "PutItem": "dynamodb:PutItem",
    "UpdateItem": "dynamodb:UpdateItem",
    "DeleteItem": "dynamodb:DeleteItem",
    "BatchWriteItem": "dynamodb:BatchWriteItem",
    "TransactGetItems": "dynamodb:GetItem",
    # A transaction has no action of its own: it needs those of the writes it may hold.
    "TransactWriteItems": "dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:ConditionCheckItem",
}
SQS = {
    "SendMessage": "sqs:SendMessage",
    "SendMessageBatch": "sqs:SendMessage",
    "ReceiveMessage": "sqs:ReceiveMessage",
    "DeleteMessage": "sqs:DeleteMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "ChangeMessageVisibility": "sqs:ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "GetQueueUrl": "sqs:GetQueueUrl",
}
S3 = {
    # Without ListBucket a missing object answers 403 and not 404.
    "GetObject": "s3:GetObject s3:ListBucket",
    "HeadObject": "s3:GetObject s3:ListBucket",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
}
SECRETS = {
    "CreateSecret": "secretsmanager:CreateSecret",
    "GetSecretValue": "secretsmanager:GetSecretValue",
    "PutSecretValue": "secretsmanager:PutSecretValue",
    "DescribeSecret": "secretsmanager:DescribeSecret",
    "DeleteSecret": "secretsmanager:DeleteSecret",
}
# A SendEmail with raw content is judged as SendRawEmail, one with simple content as SendEmail.
SES = {"SendEmail": "ses:SendEmail ses:SendRawEmail"}
SMS_VOICE = {"SendTextMessage": "sms-voice:SendTextMessage"}
SNS = {"Publish": "sns:Publish"}
NO_IAM: dict[str, str] = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE", "SEND"), "")

# word (or its kind) -> (the SDK's name of the service, its operations)
WORDS: dict[str, tuple[str, dict[str, str]]] = {
    "table": ("dynamodb", DYNAMODB),
    "queue": ("sqs", SQS),
    "dead": ("sqs", SQS),
    "bucket": ("s3", S3),
    "secrets": ("secretsmanager", SECRETS),
    "link-key": ("secretsmanager", SECRETS),
    "ses": ("sesv2", SES),
    "sms-voice": ("pinpoint-sms-voice-v2", SMS_VOICE),
    "sns": ("sns", SNS),
    "https": ("", NO_IAM),
    "smtp": ("", NO_IAM),
}
# What Lambda itself does in the function's name to wake it.
POLL_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
# The tables' key: what DynamoDB and S3 ask for in the caller's name.
USE_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)

# Who carries feedback and alarms through the key: without it their publishing fails, and says so to nobody.
KEY_USERS = (
    "ses.amazonaws.com",
    "sms-voice.amazonaws.com",
    "sns.amazonaws.com",
    "events.amazonaws.com",
    "cloudwatch.amazonaws.com",
)

_VARIABLES = {
    "secrets": "SECRETS_PREFIX",
    "link-key": "LINK_KEY",
    "ses": "SES_CONFIGURATION_SET",
    "sms-voice": "SMS_CONFIGURATION_SET",
}
_EVERYWHERE = {"STAGE": "stage", "PUBLIC_URL": "public-url"}


def kind(word: str) -> str:
    """The kind of a word: `table:ledger` -> `table`, `ses` -> `ses`."""
    return word.partition(":")[0]


def services() -> set[str]:
    """The SDK services that any word of the map speaks to (their data files are what a layer must carry)."""
    return {service for service, _ in WORDS.values() if service}


def operations(service: str) -> set[str]:
    """The operations of an SDK service that a word of the map may stand for."""
    return {operation for name, known in WORDS.values() if name == service for operation in known}


def actions(resource: str, ops: str) -> list[str]:
    """The IAM actions that SDK operations `ops` (space-separated) need on a resource of the map, sorted.

    KeyError where the table does not know the word or the operation: a misspelt one grants nothing quietly.
    """
    _, operations = WORDS[kind(resource)]
    return sorted({action for op in ops.split() for action in operations[op].split()})


def allowed(function: Function, service: str, operation: str, resource_name: str) -> bool:
    """Whether the map lets `function` make this SDK call.

    `service`, `operation`: as botocore calls them (`dynamodb`, `TransactWriteItems`). `resource_name`: the map's
    name of what is called (`ledger`, `to-evaluate`, `to-evaluate-dead`, `link-key`), "" for outside services.
    """
    return any(operation in ops.split() and _means(word, service, resource_name) for word, ops in function.uses.items())


def environment(function: Function, value: Callable[[str], str]) -> dict[str, str]:
    """The variables that the map grants a function. `value` tells what stands for a word: `table:ledger` (name),
    `queue:x`, `dead:x` (URL), `bucket:x` (name), `secrets` (prefix), `link-key` (secret name), `ses`, `sms-voice`
    (configuration sets), `stage`, `public-url`."""
    named = {_variable(word): value(word) for word in function.uses if _variable(word)}
    return {name: value(word) for name, word in _EVERYWHERE.items()} | named


def pace(function: Function, rates: Mapping[str, float]) -> dict[str, str]:
    """The variable RATE of a function that sends, where `rates` has the account's messages a second, by word of the
    map. Only senders: the operator's door speaks to every provider, and keeps no pace."""
    sends = any(isinstance(wake, FromQueue) and wake.queue in topology.send_queues() for wake in function.wakes)
    granted = [rates[word] for word in function.uses if sends and word in rates]
    return {"RATE": str(granted[0])} if granted else {}


def _variable(word: str) -> str:
    return topology.variable(word) if ":" in word else _VARIABLES.get(word, "")


def _means(word: str, service: str, resource_name: str) -> bool:
    if WORDS[kind(word)][0] != service:
        return False
    if kind(word) == "dead":
        return f"{word.partition(':')[2]}-dead" == resource_name
    if ":" in word:
        return word.partition(":")[2] == resource_name
    return word not in ("secrets", "link-key") or (word == "link-key") == (resource_name == "link-key")

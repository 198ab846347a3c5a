"""The map made real in moto: tables, queues, buckets, topics, secrets; and each function's variables."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from infra import permissions
from vestnik import topology

REGION = "us-east-1"
STAGE = "local"
PREFIX = f"vestnik-{STAGE}-"
SECRETS_PREFIX = f"vestnik/{STAGE}/shops/"
LINK_KEY = f"vestnik/{STAGE}/link-key"
CONFIGURATION_SETS = {"ses": f"{PREFIX}ses", "sms-voice": f"{PREFIX}sms"}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIALOCALWORLD",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Account:
    """The AWS account of one world: physical names, and direct views of what moto keeps."""

    def __init__(self, public_url: str, overrides: Mapping[str, str]) -> None:
        self._public_url, self._overrides = public_url, dict(overrides)
        self._words: dict[str, str] = {LINK_KEY: "link-key"}
        self._variables: dict[str, dict[str, str]] = {}
        self.functions = {f.name: f for f in topology.functions()}

    def build(self) -> None:
        """Create everything of the map, from nothing."""
        BackendDict.reset()
        self._variables.clear()
        self._tables()
        self._queues()
        client_of("s3").create_bucket(Bucket=PREFIX + "bodies")
        self._words[PREFIX + "bodies"] = "bucket:bodies"
        self._topics()
        client_of("secretsmanager").create_secret(Name=LINK_KEY, SecretString='{"key": "local-link-key"}')

    def _tables(self) -> None:
        client = client_of("dynamodb")
        for table in topology.TABLES:
            client.create_table(**_table(table))
            ttl = {"Enabled": True, "AttributeName": "expires"}
            client.update_time_to_live(TableName=PREFIX + table.name, TimeToLiveSpecification=ttl)
            self._words[PREFIX + table.name] = f"table:{table.name}"

    def _queues(self) -> None:
        client = client_of("sqs")
        for queue in topology.queues():
            dead = client.create_queue(QueueName=f"{PREFIX}{queue.name}-dead")["QueueUrl"]
            redrive = {
                "deadLetterTargetArn": self.queue(f"{queue.name}-dead").queue_arn,
                "maxReceiveCount": queue.receives,
            }
            attributes = {"VisibilityTimeout": str(queue.visibility), "RedrivePolicy": json.dumps(redrive)}
            url = client.create_queue(QueueName=PREFIX + queue.name, Attributes=attributes)["QueueUrl"]
            self._words |= {url: f"queue:{queue.name}", dead: f"dead:{queue.name}"}

        for function in self.functions.values():
            if any(isinstance(wake, topology.FromStream) for wake in function.wakes):
                client.create_queue(QueueName=f"{PREFIX}{function.name}-dead")

    def _topics(self) -> None:
        client = client_of("sns")
        for topic in topology.TOPICS:
            arn = client.create_topic(Name=PREFIX + topic.name)["TopicArn"]
            queue = self.queue(topic.to_queue).queue_arn
            raw = {"RawMessageDelivery": "true"}
            client.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=raw)

    def word(self, service: str, name: str) -> str:
        """The map's word for a physical name; the outside word of the service where it is no resource of the map."""
        if service == "secretsmanager" and name.startswith(SECRETS_PREFIX):
            return "secrets"
        return self._words.get(name, name)

    def queue(self, name: str) -> Any:
        """A queue as moto keeps it (`<name>-dead` for a dead-letter queue)."""
        return sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[PREFIX + name]

    def queues(self) -> dict[str, Any]:
        """All queues as moto keeps them, by their short names."""
        kept = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
        return {name.removeprefix(PREFIX): queue for name, queue in kept.items()}

    def table(self, name: str) -> Any:
        """A table as moto keeps it."""
        return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[PREFIX + name]

    def tables(self) -> list[str]:
        """The tables of the map, by their short names."""
        return [table.name for table in topology.TABLES]

    def publish(self, topic: str, message: str) -> None:
        """Publish to a topic, as a provider does."""
        topics = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics
        next(t for t in topics.values() if t.name == PREFIX + topic).publish(message)

    def webhook_secrets(self) -> list[str]:
        """The signing secrets of all webhook senders that are kept."""
        kept = secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION].secrets.values()
        read = [json.loads(one.versions[one.default_version_id]["secret_string"]) for one in kept]
        return [each[name] for each in read for name in ("secret", "previous_secret") if name in each]

    def variables(self, function: topology.Function) -> dict[str, str]:
        """What the function finds in its environment: what the map grants, and the local world's overrides."""
        if function.name not in self._variables:
            self._variables[function.name] = self._make_variables(function)
        return self._variables[function.name]

    def _make_variables(self, function: topology.Function) -> dict[str, str]:
        names = {word: name for name, word in self._words.items()}
        names |= {"stage": STAGE, "public-url": self._public_url, "secrets": SECRETS_PREFIX, **CONFIGURATION_SETS}
        outside = self._overrides if {"https", "smtp"} & set(function.uses) else {}
        return permissions.environment(function, names.__getitem__) | {"AWS_REGION": REGION} | outside


@cache
def client_of(service: str) -> Any:
    """A client of the world's own, kept for the life of the process."""
    return _session().create_client(service, region_name=REGION)


@cache
def _session() -> Any:
    return botocore.session.get_session()


def _table(table: topology.Table) -> dict[str, Any]:
    names = ["pk", "sk", *(["list"] if table.listed else [])]
    wanted: dict[str, Any] = {
        "TableName": PREFIX + table.name,
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in names],
        "KeySchema": _keys("pk", "sk"),
        "BillingMode": "PAY_PER_REQUEST",
    }
    if table.listed:
        index = {"IndexName": "list", "KeySchema": _keys("list", "sk"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
        wanted["GlobalSecondaryIndexes"] = [index]
    if table.streamed:
        wanted["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return wanted


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

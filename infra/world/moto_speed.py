"""Where moto spends its time without need, and the same answers sooner. Nothing here changes what moto says.

A day of a shop is some ten thousand calls; most of moto's time in them goes into parsing the same few expressions
again (thrice a call), into walking their trees for each attribute, and into finding out which method answers.
"""

import json
import re
import secrets
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from moto import backends
from moto.core import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core import responses as core
from moto.core.exceptions import HTTPException, ServiceException
from moto.core.request import normalize_request
from moto.core.utils import method_names_from_class
from moto.dynamodb import comparisons
from moto.dynamodb import models as dynamodb
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.sqs import models as sqs

LARGEST_ITEM = 400 * 1024
LONG = 2000
PLAIN = frozenset({"update_expression", "expression_attribute_names", "expression_attribute_values"}) | frozenset(
    {"condition_expression", "return_values_on_condition_check_failure"}
)
DATA = frozenset({"get_item", "put_item", "update_item", "delete_item", "query"}) | frozenset(
    {"batch_get_item", "batch_write_item", "transact_write_items"}
)

_parse = comparisons.ConditionExpressionParser.parse
_respond_update = dynamodb_responses.DynamoHandler.update_item
_update = dynamodb.DynamoDBBackend.update_item
_process_request = botocore_stubber.BotocoreStubber.process_request
_parsed: dict[tuple[str, str, str], tuple[Any, list[str], list[str]]] = {}


def patches() -> list[tuple[Any, str, Any]]:
    """(owner, name, replacement) of each."""
    handler = dynamodb_responses.DynamoHandler
    return [
        (core, "method_names_from_class", cache(method_names_from_class)),
        (sqs, "generate_receipt_handle", lambda: secrets.token_urlsafe(48)),
        (comparisons.ConditionExpressionParser, "parse", parse_condition),
        (handler, "update_item", respond_update),
        (dynamodb.DynamoDBBackend, "update_item", update),
    ]


class Moto:
    """Answers a request by moto's own handlers. moto itself tries the URL patterns of all its services in turn."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[tuple[re.Pattern[str], Callable[..., Any]]]] = {}

    def process_request(self, service: str, request: Any) -> tuple[int, dict[str, str], Any] | None:
        """Status, headers and body; None where moto has no such service or address."""
        if service == "dynamodb" and (found := items(request)) is not None:
            return found
        url = request.url.partition("?")[0]
        for pattern, method in self._of(service):
            if pattern.match(url):
                normal = normalize_request(request)
                try:
                    answer: tuple[int, dict[str, str], Any] = method(normal, normal.raw_url, normal.headers)
                except HTTPException as error:
                    return error.code, error.get_headers(), error.get_body()
                return answer
        return None

    def _of(self, service: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
        if service not in self._handlers:
            regions = backends.get_backend(service)[DEFAULT_ACCOUNT_ID]
            backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
            self._handlers[service] = [(re.compile(url), method) for url, method in backend.urls.items()]
        return self._handlers[service]


def items(request: Any) -> tuple[int, dict[str, str], bytes] | None:
    """The answer to a call for items: moto's handlers work on the protocol's own JSON, so they get it as it came.
    None for any other call, and where it fails: moto's whole way then says so (what failed has changed nothing)."""
    target = request.headers["X-Amz-Target"]
    action = action_of(target.decode() if isinstance(target, bytes) else target)
    host = urlsplit(request.url).netloc.split(".")
    if action not in DATA or host[0] != "dynamodb":
        return None
    handler: Any = dynamodb_responses.DynamoHandler()
    handler.body = handler.params = json.loads(request.body)
    handler.uri_match, handler.region, handler.current_account = {}, host[1], DEFAULT_ACCOUNT_ID
    try:
        result = getattr(handler, action)().result
    except (ServiceException, HTTPException):
        return None
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(result, ensure_ascii=False).encode()


def process_request(stubber: Any, request: Any) -> Any:
    """BotocoreStubber.process_request, for tests that have no world: a call for items goes the short way."""
    found = items(request) if "X-Amz-Target" in request.headers and "//dynamodb." in request.url else None
    return found or _process_request(stubber, request)


@cache
def action_of(target: str) -> str:
    """The name of the handler's method: "DynamoDB_20120810.GetItem" is "get_item"."""
    return str(core.camelcase_to_underscores(target.rpartition(".")[2]))


def parse_condition(parser: Any) -> Any:
    """ConditionExpressionParser.parse, once for each text and its names and values."""
    key = (
        parser.condition_expression or "",
        repr(parser.expression_attribute_names),
        repr(parser.expression_attribute_values),
    )
    if key not in _parsed:
        if len(_parsed) > 500:
            _parsed.clear()
        operation = _parse(parser)
        _parsed[key] = (operation, parser.expr_attr_names_found, parser.expr_attr_values_found)
    operation, names, values = _parsed[key]
    parser.expr_attr_names_found, parser.expr_attr_values_found = list(names), list(values)
    return operation


Change = tuple[str, str, str, str]  # SET | FIRST | ADD | REMOVE, name, value, the name that must be absent

SET = re.compile(r"(#\w+)\s*=\s*(?:(:\w+)|if_not_exists\((#\w+),\s*(:\w+)\))")
ADD = re.compile(r"(#\w+)\s+(:\w+)")
REMOVE = re.compile(r"(#\w+)")
PARTS = re.compile(r",\s*(?![^()]*\))")


@lru_cache(1000)
def plan(expression: str) -> tuple[Change, ...] | None:
    """The changes of an update expression over whole attributes; None for anything richer (moto then reads it)."""
    words = re.split(r"(?:^|\s+)(SET|ADD|REMOVE)\s+", expression.strip())
    if words[0] or len(words) < 3:
        return None
    changes: list[Change] = []
    for verb, clause in zip(words[1::2], words[2::2], strict=True):
        for part in PARTS.split(clause.strip()):
            change = _change(verb, part.strip())
            if change is None:
                return None
            changes.append(change)
    return tuple(changes) if len({name for _, name, _, _ in changes}) == len(changes) else None


def _change(verb: str, part: str) -> Change | None:
    found = {"SET": SET, "ADD": ADD, "REMOVE": REMOVE}[verb].fullmatch(part)
    if found is None:
        return None
    if verb == "SET" and found[3]:
        return ("FIRST", found[1], found[4], found[3])
    return (verb, found[1], found[2] if verb != "REMOVE" else "", "")


def respond_update(handler: Any) -> Any:
    """DynamoHandler.update_item where `plan` understands the expression and every name and value is used."""
    body = handler.body
    changes = plan(body.get("UpdateExpression") or "")
    simple = body.get("ReturnValues", "NONE") in ("NONE", "ALL_NEW") and "Expected" not in body
    if changes is None or not simple or not _all_used(body):
        return _respond_update(handler)
    item = handler.dynamodb_backend.update_item(
        body["TableName"],
        body["Key"],
        update_expression=body["UpdateExpression"],
        expression_attribute_names=body.get("ExpressionAttributeNames", {}),
        expression_attribute_values=body.get("ExpressionAttributeValues", {}),
        condition_expression=body.get("ConditionExpression"),
        return_values_on_condition_check_failure=body.get("ReturnValuesOnConditionCheckFailure"),
    )
    wanted = body.get("ReturnValues") == "ALL_NEW"
    return dynamodb_responses.DynamoResult(item.to_json() if wanted else {})


def _all_used(body: dict[str, Any]) -> bool:
    used = set(re.findall(r"[#:]\w+", f"{body['UpdateExpression']} {body.get('ConditionExpression', '')}"))
    given = {*body.get("ExpressionAttributeNames", {}), *body.get("ExpressionAttributeValues", {})}
    return used == given


def update(backend: Any, table_name: str, key: dict[str, Any], **asked: Any) -> Item:
    """DynamoDBBackend.update_item where `plan` understands the expression; one stream record, not two."""
    table = backend.get_table(table_name)
    changes = _plain(table, asked)
    if changes is None:
        return _update_richly(backend, table_name, key, **asked)
    item = Item(*(DynamoType(key[name]) for name in table.table_key_attrs), key)
    old = table.get_item(item.hash_key, item.range_key)
    _checked(old, asked)
    item.attrs = {**old.attrs, **item.attrs} if old is not None else item.attrs
    _change_all(item, changes, asked)
    table.items[item.hash_key][item.range_key] = item
    if table.stream_shard is not None:
        table.stream_shard.add(old, item)
    return item


def _plain(table: Any, asked: dict[str, Any]) -> tuple[Change, ...] | None:
    """The changes asked for, where they and nothing else are asked for, and none is to a key."""
    changes = plan(asked["update_expression"])
    names = asked["expression_attribute_names"] or {}
    keys = {names.get(name) for _, name, _, _ in changes or ()} & set(table.table_key_attrs)
    rich = any(value is not None for name, value in asked.items() if name not in PLAIN)
    return None if keys or rich else changes


def _checked(old: Any, asked: dict[str, Any]) -> None:
    """Raise where the condition asked for does not hold."""
    names, values = asked["expression_attribute_names"] or {}, asked["expression_attribute_values"] or {}
    if not comparisons.get_filter_expression(asked.get("condition_expression"), names, values).expr(old):
        told = asked.get("return_values_on_condition_check_failure") == "ALL_OLD" and old is not None
        raise dynamodb.ConditionalCheckFailed(item=old.to_json()["Attributes"] if told else None)


def _change_all(item: Any, changes: tuple[Change, ...], asked: dict[str, Any]) -> None:
    names, values = asked["expression_attribute_names"] or {}, asked["expression_attribute_values"] or {}
    for verb, name, value, absent in changes:
        _apply(item, verb, names[name], values.get(value), names.get(absent))
    # To weigh an item takes longer than to change it: only those that got something long are.
    if any(len(str(value)) > LONG for value in values.values()) and item.size() > LARGEST_ITEM:
        raise dynamodb.ItemSizeToUpdateTooLarge


def _apply(item: Any, verb: str, name: str, value: Any, absent: str | None) -> None:
    if verb == "REMOVE":
        item.attrs.pop(name, None)
    elif verb == "ADD":
        item.attrs[name] = _sum(item.attrs.get(name), DynamoType(value))
    elif verb == "SET" or absent not in item.attrs:
        item.attrs[name] = DynamoType(value)
    elif absent != name:
        item.attrs[name] = item.attrs[absent]


def _sum(old: Any, more: Any) -> Any:
    if old is None:
        return more
    if old.type == "N" == more.type:
        return old + more
    if old.type == more.type and old.type in ("SS", "NS", "BS"):
        return DynamoType({old.type: sorted({*old.value, *more.value})})
    raise dynamodb.MockValidationException("An operand in the update expression has an incorrect data type")


def _update_richly(backend: Any, table_name: str, *args: Any, **kwargs: Any) -> Item:
    """moto's own way. It writes the bare key of a new item first, with a stream record of its own: that one goes."""
    shard = backend.get_table(table_name).stream_shard
    mark = len(shard.items) if shard else 0
    item = _update(backend, table_name, *args, **kwargs)
    if shard and len(shard.items) - mark > 1:
        last = shard.items[-1]
        del shard.items[mark:]
        last.record["dynamodb"]["SequenceNumber"] = str(shard.starting_sequence_number + mark)
        shard.items.append(last)
    return item

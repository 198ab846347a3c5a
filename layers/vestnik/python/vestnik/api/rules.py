"""Rules: which events are told to whom, by which channel, with which text."""

from typing import Any, Literal

from pydantic import Field

from vestnik import events
from vestnik.api import _kept, _rule_faults
from vestnik.api._models import Channel, Model, Page, Purpose, SettingId, Trail
from vestnik.api._problems import Problem
from vestnik.api._routes import Cursor, Limit, Router, needs

router = Router()

KIND = "rule"

type RecipientKind = Literal[
    "customer",
    "customer_manager",
    "order_manager",
    "author",
    "staff_group",
    "address",
    "telegram_chat",
    "webhook",
]


class Recipient(Model):
    """Somebody to be told."""

    kind: RecipientKind = Field(
        description="The event's `customer`; the customer's or the order's manager; `author`, who made the document; "
        "`staff_group`, everybody of a group or role; or a fixed `address`, `telegram_chat`, `webhook`."
    )
    group: str | None = Field(None, min_length=1, max_length=100, description="Of `staff_group`: the group or role.")
    address: str | None = Field(None, max_length=320, description="Of `address`: an e-mail address or phone number.")
    chat_id: str | None = Field(
        None,
        pattern=r"^(-?\d{1,20}|@\w{5,32})$",
        description="Of `telegram_chat`; where absent, the shop's `staff_chat`.",
    )
    url: str | None = Field(None, max_length=2048, description="Of `webhook`: an https address.")
    name: str | None = Field(None, max_length=200, description="Of a fixed one: how to call them.")
    language: str | None = Field(None, pattern="^[a-z]{2,3}$", description="Over the person's own.")


class Rule(Model):
    """When an event matches the pattern, tell these recipients."""

    name: str = Field("", max_length=200, description="For people.", examples=["Big orders to the owner"])
    active: bool = Field(True, description="Off, it matches nothing; messages on their way are ended.")
    pattern: dict[str, Any] = Field(
        description="EventBridge pattern over `type`, `source`, `time`, `data`, `order`, `customer`, `shop`.",
        examples=[{"type": ["order.placed"], "order": {"total": {"amount": [{"numeric": [">=", 100000]}]}}}],
    )
    recipients: list[Recipient] = Field(
        min_length=1,
        max_length=50,
        description="Whom to tell. One person in two roles gets one message, by the first.",
        examples=[[{"kind": "order_manager"}]],
    )
    channel: Channel = Field(description="The role; the shop's sender picks the provider.", examples=["email"])
    templates: dict[RecipientKind, str] = Field(
        default_factory=dict,
        max_length=8,
        description="A template for each kind of recipient; the others get the event's shipped one.",
    )
    sender: str | None = Field(None, max_length=120, description="Which sender; where absent, the channel's default.")
    delay: str = Field(
        "PT0S",
        pattern=r"^P(\d{1,3}W)?(\d{1,4}D)?(T(\d{1,5}H)?(\d{1,6}M)?(\d{1,8}S)?)?$",
        description="How long to wait: ISO 8601, at most 30 days. What has changed by then may end the message.",
        examples=["PT10M"],
    )
    priority: int = Field(50, ge=0, le=99, description="Where two rules reach one person by one channel: higher wins.")
    except_actor: bool = Field(False, description="Leave out whoever did it (`data.actor`).")
    purpose: Purpose | None = Field(None, description="Over the event type's own.")


class RuleShown(Rule, Trail):
    """A rule as it is in force."""

    id: str = Field(description="Its id.")


class RuleVersion(Model):
    """What a rule was."""

    revision: int = Field(description="The settings revision that made it so.")
    at: str = Field(description="When (RFC 3339).")
    by: str = Field(description="Who: `key:<id of the API key>`.")
    rule: Rule | None = Field(description="The rule; null where it was removed.")


@router.get("/rules")
@needs("read")
def list_rules(limit: Limit = 50, cursor: Cursor = "") -> Page[RuleShown]:
    """List the rules: the shop's own, and the shipped ones they do not replace."""
    shipped = {str(rule["id"]): rule for rule in events.rules()}
    entries, following = _kept.merged(KIND, shipped, limit, cursor)
    return Page[RuleShown](items=[_shown(entry) for entry in entries], next=following)


@router.get("/rules/<id>")
@needs("read")
def read_rule(id: SettingId) -> RuleShown:
    """Read a rule."""
    return _shown(_kept.find(KIND, id, shipped))


@router.put("/rules/<id>")
@needs(
    "admin",
    match=True,
    links={
        "read": ("read_rule", {"id": "$response.body#/id"}),
        "versions": ("list_rule_versions", {"id": "$response.body#/id"}),
        "delete": ("delete_rule", {"id": "$response.body#/id"}),
    },
)
def put_rule(id: SettingId, body: Rule) -> RuleShown:
    """Write a rule.

    With the id of a shipped rule, it takes that one's place. In force for events that are evaluated from now on.
    """
    kept = body.model_dump(mode="json", exclude_none=True)
    if faults := list(_rule_faults.faults(kept)):
        raise Problem(422, faults[0].code, faults[0].fault.message, *(each.fault for each in faults))
    return _shown(_kept.keep(KIND, id, kept))


@router.delete("/rules/<id>", status_code=204)
@needs("admin", match=True)
def delete_rule(id: SettingId) -> None:
    """Remove a rule of the shop's own.

    Where it replaced a shipped rule, that one is in force again; to silence a shipped rule, put it with `active` false.
    """
    _kept.remove(KIND, id)


@router.get("/rules/<id>/versions")
@needs("read")
def list_rule_versions(id: SettingId, limit: Limit = 50, cursor: Cursor = "") -> Page[RuleVersion]:
    """List what a rule of the shop's own was, newest first."""
    entries, following = _kept.versions(KIND, id, limit, cursor)
    items = [RuleVersion(revision=e["revision"], at=e["at"], by=e["by"], rule=_rule(e["body"])) for e in entries]
    return Page[RuleVersion](items=items, next=following)


def shipped(id: str) -> dict[str, Any] | None:
    """The shipped rule of this id: it begins with its event type."""
    module = events.find(id.partition("/")[0])
    return next((rule for rule in module.RULES if rule["id"] == id), None) if module else None


def _rule(body: dict[str, Any] | None) -> Rule | None:
    return Rule.model_validate({k: v for k, v in body.items() if k != "id"}) if body is not None else None


def _shown(entry: _kept.Entry) -> RuleShown:
    return RuleShown.model_validate(_kept.flat(entry))

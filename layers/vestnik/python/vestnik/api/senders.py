"""Senders: who the shop writes as, by which provider, with which credentials."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vestnik import resources
from vestnik.api import _kept, _sending
from vestnik.api._models import Channel, Model, Page, SettingId, Trail
from vestnik.api._problems import Problem
from vestnik.api._routes import Cursor, Limit, Router, caller, needs
from vestnik.store import secrets, settings

router = Router()

KIND = "sender"

type Credential = Annotated[str, Field(max_length=4000)]


class Sender(Model):
    """Who the shop writes as by one channel."""

    plugin: str = Field(
        max_length=40,
        description="The provider: `email_ses`, `email_smtp`, `sms_eum`, `sms_sns`, `telegram`, `webhook`.",
        examples=["email_ses"],
    )
    channel: Channel | None = Field(None, description="The role; it follows from the plug-in.")
    name: str = Field("", max_length=200, description="For people.")
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="What the plug-in needs that is no secret; GET /v1/senders/plugins has each one's JSON Schema.",
        examples=[{"from_address": "orders@samovar.example", "from_name": "Samovar"}],
    )
    secret: dict[str, Credential] | None = Field(
        None,
        max_length=10,
        description="Credentials; never shown again. Where absent, those that are kept stay.",
        examples=[{}],
    )
    default: bool = Field(False, description="The channel's default: used where a rule names no sender.")
    rate_per_second: float | None = Field(
        None, gt=0, le=10_000, allow_inf_nan=False, description="At most so many messages; else the plug-in's own pace."
    )


class SenderShown(Trail):
    """A sender, without its credentials."""

    id: str = Field(description="Its id.")
    plugin: str
    channel: Channel
    name: str
    config: dict[str, Any]
    secrets: list[str] = Field(description="Which credentials are kept.")
    default: bool
    rate_per_second: float | None


class Plugin(Model):
    """A way to send."""

    plugin: str
    channel: Channel
    summary: str
    feedback: bool = Field(description="Whether the provider reports what became of a message.")
    rate_per_second: float = Field(description="Its own pace.")
    config: dict[str, Any] = Field(description="JSON Schema of a sender's `config`.")
    secret: dict[str, Any] = Field(description="JSON Schema of a sender's `secret`.")


class Plugins(Model):
    """The ways to send."""

    items: list[Plugin]


class Domains(Model):
    """The domains that a shop may write from by SES, with all below them."""

    items: list[str]


class TestLetter(Model):
    """A test message."""

    __test__ = False  # pytest would collect it by its name

    to: str | None = Field(
        None,
        min_length=1,
        max_length=2048,
        description="E-mail address, phone number, Telegram chat id or webhook address; where absent, the sender's own "
        "`url` or `chat_id`.",
        examples=["you@samovar.example"],
    )
    text: str = Field("This is a test.", min_length=1, max_length=500, description="What to write.")


class TestOutcome(Model):
    """What became of the test message."""

    __test__ = False

    outcome: Literal["sent", "refused", "later", "unknown"] = Field(
        description="`sent`: the provider took it. `refused`: it will not, `reason` says why. `later`: not now. "
        "`unknown`: nobody can tell."
    )
    message: str = Field(description="Our id of the message.")
    provider_id: str | None = Field(description="The provider's id of it.")
    code: str | None = Field(description="Of a refusal: a stable word.")
    reason: str | None = Field(description="Why it was not sent.")


@router.get("/senders")
@needs("read")
def list_senders(limit: Limit = 50, cursor: Cursor = "") -> Page[SenderShown]:
    """List the senders."""
    entries, following = _kept.merged(KIND, {}, limit, cursor)
    return Page[SenderShown](items=[_shown(entry) for entry in entries], next=following)


@router.get("/senders/plugins")
@needs("read")
def list_sender_plugins() -> Plugins:
    """List the providers there are, and what each needs."""
    return Plugins(items=[Plugin.model_validate(each) for each in _sending.plugins_shown()])


@router.get("/senders/domains")
@needs("read")
def list_sender_domains() -> Domains:
    """List the domains that the shop may write from.

    By SES, which the shops of a deployment share: its operator grants each domain to one shop.
    """
    return Domains(items=sorted(settings.current(caller().shop, resources.now()).domains))


@router.get("/senders/<id>")
@needs("read")
def read_sender(id: SettingId) -> SenderShown:
    """Read a sender."""
    return _shown(_kept.find(KIND, id))


@router.put("/senders/<id>")
@needs(
    "admin",
    match=True,
    links={
        "read": ("read_sender", {"id": "$response.body#/id"}),
        "delete": ("delete_sender", {"id": "$response.body#/id"}),
    },
)
def put_sender(id: SettingId, body: Sender) -> SenderShown:
    """Write a sender.

    Credentials go to the secrets store and are never shown again. A sender that is made the default takes the place
    of the channel's default so far. SES writes only from domains that the deployment's operator granted to the shop.
    """
    channel, faults = _sending.faults(body.plugin, body.channel, body.config, body.secret)
    if faults:
        raise Problem(422, "invalid-sender", faults[0].message, *faults)
    _sending.may_write(body.plugin, body.config)
    kept = body.model_dump(mode="json", exclude={"secret"}) | {"channel": channel}
    kept["rate_per_second"] = _sending.number(body.rate_per_second)
    return _shown(_sending.write(id, kept, body.secret))


@router.delete("/senders/<id>", status_code=204)
@needs("admin", match=True)
def delete_sender(id: SettingId) -> None:
    """Remove a sender and its credentials.

    Messages on their way by it fail.
    """
    _kept.remove(KIND, id)
    secrets.drop_sender_secret(caller().shop, id)


@router.post("/senders/<id>/test")
@needs("admin", problems=(429,))
def test_sender(id: SettingId, body: TestLetter) -> TestOutcome:
    """Send a test message, as this sender would send any.

    It reaches whoever `to` names, so it needs an Idempotency-Key. At most ten a minute.
    """
    entry = _kept.find(KIND, id)
    return TestOutcome.model_validate(_sending.send_test(id, entry["body"], body.to, body.text))


test_sender.__test__ = False  # type: ignore[attr-defined]


def _shown(entry: _kept.Entry) -> SenderShown:
    return SenderShown.model_validate({"secrets": [], "rate_per_second": None, **_kept.flat(entry)})

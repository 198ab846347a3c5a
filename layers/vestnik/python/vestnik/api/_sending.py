"""Senders between how they are given and how they are kept; and a test message by one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from vestnik import channels, plugins, resources
from vestnik.api import _kept, _outside
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import caller
from vestnik.domain import addresses, messages, sending_domains
from vestnik.domain.messages import Letter, Sender
from vestnik.errors import Later, Refused, Unknown
from vestnik.store import domains, limits, secrets, settings

Json = dict[str, Any]

TESTS_A_MINUTE = 10
SUBJECT = "Test message"


def plugins_shown() -> list[Json]:
    """Every way to send, and what each needs."""
    return [
        {
            "plugin": module.PLUGIN,
            "channel": module.CHANNEL,
            "summary": (module.__doc__ or "").partition("\n")[0],
            "feedback": module.FEEDBACK,
            "rate_per_second": module.RATE,
            "config": module.CONFIG,
            "secret": module.SECRET,
        }
        for module in plugins.modules(channels).values()
    ]


def faults(plugin: str, channel: str | None, config: Json, secret: Mapping[str, str] | None) -> tuple[str, list[Fault]]:
    """The channel of a plug-in, and what is wrong with its settings and credentials."""
    module = plugins.load(channels, plugin)
    if module is None:
        return "", [Fault("/plugin", "there is no such plug-in", plugin, ", ".join(plugins.names(channels)))]
    found = [] if channel in (None, module.CHANNEL) else [Fault("/channel", "is not its channel", channel)]
    found += _by_schema(module.CONFIG, config, "/config")
    found += _by_schema(module.SECRET, dict(secret), "/secret") if secret is not None else []
    return module.CHANNEL, found or _outside.sender_faults(plugin, config)


def may_write(plugin: str, config: Json) -> None:
    """That a sender writes from a domain of the shop's own, where its provider cannot tell. Raises Problem 422."""
    if not (stranger := _stranger(plugin, config)):
        return
    if resources.env("FIRST_COME", ""):  # the local world: what nobody has is whoever's asks first
        try:
            domains.grant(caller().shop, stranger, by=_kept.me(), now=resources.now())
            return
        except Refused as refused:
            resources.log("domain-refused", shop=caller().shop, domain=stranger, reason=refused.reason)
    granted = ", ".join(sorted(settings.current(caller().shop, resources.now()).domains)) or "a domain granted to it"
    fault = Fault("/config/from_address", f"{stranger} is not granted to this shop", stranger[:100], granted[:500])
    raise Problem(422, "domain-not-granted", f"{stranger} is not granted to this shop: ask the operator", fault)


def _stranger(plugin: str, config: Json) -> str:
    own_domain = getattr(plugins.load(channels, plugin), "OWN_DOMAIN", "")
    return sending_domains.stranger(own_domain, config, settings.current(caller().shop, resources.now()).domains)


def _by_schema(schema: Json, value: Json, where: str) -> list[Fault]:
    """What a JSON Schema finds wrong. Of credentials nothing is repeated."""
    import jsonschema_rs

    validator = jsonschema_rs.validator_for(schema, validate_formats=True, offline=True, mask="what stands there")
    errors = list(validator.iter_errors(value))[:10]
    return [Fault(where + "".join(f"/{part}" for part in e.instance_path), e.message[:300]) for e in errors]


def number(rate: float | None) -> float | int | None:
    """A rate as it is kept: whole where it is whole."""
    return int(rate) if rate is not None and rate == int(rate) else rate


def write(id: str, body: Json, secret: Mapping[str, str] | None) -> _kept.Entry:
    """Keep a sender and its credentials; no other sender of its channel is then the default beside it."""
    before = _kept.own("sender", id)
    same = before is not None and before["body"]["plugin"] == body["plugin"]
    module = plugins.load(channels, body["plugin"])
    kept = [] if before is None or not same else before["body"].get("secrets", [])
    needed = (module.SECRET if module else {}).get("required", ())
    if secret is None and not set(needed) <= set(kept):
        missing = [Fault(f"/secret/{name}", "is missing", expected="a text") for name in needed]
        raise Problem(422, "invalid-sender", f"{body['plugin']} needs credentials", *missing)
    entry = _kept.keep("sender", id, {**body, "secrets": kept if secret is None else sorted(secret)})
    if secret is not None:
        secrets.put_sender_secret(caller().shop, id, dict(secret))
    if body["default"]:
        _no_other_default(id, body["channel"])
    return entry


def _no_other_default(id: str, channel: str) -> None:
    now = resources.now()
    current = settings.current(caller().shop, now)
    for other, sender in sorted(current.senders.items()):
        if other != id and sender["channel"] == channel and sender.get("default"):
            settings.put(caller().shop, "sender", other, {**sender, "default": False}, by=_kept.me(), now=now)


def send_test(id: str, body: Json, to: str | None, text: str) -> Json:
    """Send a test message and say what became of it: {outcome, message, provider_id, code, reason}.

    Without `to` it goes where the sender itself says (a webhook's `url`, a bot's `chat_id`).
    """
    now, shop = resources.now(), caller().shop
    module = plugins.load(channels, body["plugin"])
    if module is None:
        raise Problem(409, "no-such-plugin", f"{body['plugin']} is no longer there")
    may_write(body["plugin"], body.get("config", {}))
    address = _address(body["channel"], to or _own_address(body))
    _spend(shop, now)
    rate = body.get("rate_per_second")
    sender = Sender(shop, id, body["channel"], body["plugin"], body.get("name", ""), body.get("config", {}), rate)
    letter = _letter(shop, body["channel"], address, text, now)
    return {"message": letter.message, **_send(module, letter, sender, now)}


def _own_address(body: Json) -> str:
    config = body.get("config", {})
    if found := config.get("url") or config.get("chat_id"):
        return str(found)
    raise Problem(422, "invalid", "/to: is missing", Fault("/to", "is missing", expected="whom to send it to"))


def _address(channel: str, to: str) -> str:
    try:
        if channel == "email":
            return addresses.email(to)
        return addresses.phone(to).e164 if channel == "sms" else to
    except Refused as refused:
        raise Problem(422, refused.code, refused.reason, Fault("/to", refused.reason, to[:100])) from None


def _spend(shop: str, now: datetime) -> None:
    if not limits.take(f"{shop}#tests", 1, TESTS_A_MINUTE, 60, now):
        wait = str(60 - int(now.timestamp()) % 60)
        detail = f"at most {TESTS_A_MINUTE} test messages a minute"
        raise Problem(429, "too-many-tests", detail, headers={"Retry-After": wait})


def _letter(shop: str, channel: str, to: str, text: str, now: datetime) -> Letter:
    event = messages.event_id("/vestnik/test", resources.new_id())
    message = messages.message_id(now.astimezone(UTC).strftime("%y%m%d"), event, to, channel)
    subject = SUBJECT if channel == "email" else ""
    return Letter(shop, message, resources.new_id(8), channel, to, subject=subject, text=text)


def _send(module: ModuleType, letter: Letter, sender: Sender, now: datetime) -> Json:
    try:
        receipt = module.send(letter, sender, secrets.sender_secret(sender.shop, sender.id), now=now)
    except Refused as refused:
        return _outcome("refused", refused.reason, refused.code)
    except Later as later:
        return _outcome("later", later.reason)
    except Unknown as doubt:
        return _outcome("unknown", str(doubt))
    return _outcome("sent", None) | {"provider_id": receipt.provider_id}


def _outcome(word: str, reason: str | None, code: str | None = None) -> Json:
    return {"outcome": word, "provider_id": None, "code": code, "reason": reason}

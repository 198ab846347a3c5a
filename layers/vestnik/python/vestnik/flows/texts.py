"""From a job to its letter: the right template in the recipient's language, rendered with the decision's facts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik.domain.messages import Letter, Sender
from vestnik.errors import Refused
from vestnik.flows import unsubscribe
from vestnik.rendering.render import Renderer, Source
from vestnik.rendering.shipped import shipped
from vestnik.store import s3
from vestnik.store.settings import Settings, template_key

ORIGINS = ("from_address", "origination", "sender_id", "bot")  # what the kinds of sender call themselves
_renderer: Renderer | None = None

type Job = Mapping[str, Any]


def letter(job: Job, current: Settings, *, attempt: str, now: datetime) -> Letter:
    """The message as it goes. Refused where its template is missing or cannot be rendered."""
    facts = job.get("facts") or _facts(job)
    recipient = job["recipient"]
    start: dict[str, Any] = {
        "shop": job["shop"],
        "message": job["message"],
        "attempt": attempt,
        "channel": job["channel"],
        "to": recipient["address"],
        "to_name": recipient["name"],
        "purpose": job["purpose"],
    }
    if job["channel"] == "webhook":
        return Letter(**start, payload=payload(facts))
    source, trusted = template(job, current)
    marketing = job["purpose"] == "marketing"
    leave = unsubscribe.link(job["shop"], job["channel"], recipient, now) if marketing else ""
    seen = {**facts, "recipient": _recipient(recipient, source), "unsubscribe_url": leave}
    done = renderer().render(source, seen, trusted=trusted)
    start |= {"language": source.language, "unsubscribe_url": leave}
    return Letter(**start, subject=_whole(done.subject), html=_whole(done.html), text=_whole(done.text))


def _whole(text: str) -> str:
    """A text that can be encoded: a template can write half a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def _facts(job: Job) -> dict[str, Any]:
    """The facts of the decision, for a job that came back from the table of deferred work without them."""
    body, position = job["body"]
    try:
        entry = s3.read(body)[position]
    except FileNotFoundError:
        raise Refused("what it would tell is older than bodies are kept", code="erased") from None
    if entry is None:
        raise Refused("what it would tell was erased", code="erased")
    facts: dict[str, Any] = entry["facts"]
    return facts


def payload(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a webhook, as Standard Webhooks lays it out: {type, timestamp, data}."""
    data = {k: facts[k] for k in ("source", "data", "order", "customer") if k in facts}
    return {"type": facts["type"], "timestamp": facts["time"], "data": data}


def _recipient(recipient: Mapping[str, Any], source: Source) -> dict[str, Any]:
    return {**{k: recipient[k] for k in ("kind", "id", "name", "timezone")}, "language": source.language}


def template(job: Job, current: Settings) -> tuple[Source, bool]:
    """The source of a job's text, and whether it is a shipped one (trusted)."""
    languages = [*_languages(job["recipient"]["language"]), *_languages(current.shop.get("language")), "en"]
    own = current.templates.get(template_key(job["template"], job["channel"]))
    if own is not None and own.get("published"):
        return _own(own, job["channel"], languages), False
    type, _, whom = job["template"].partition("/")
    found = shipped(type, whom, job["channel"], [code for code in languages if code])
    if found is None:
        raise Refused(f"there is no template {job['template']} for {job['channel']}", code="no-template")
    return found, True


def _languages(code: str | None) -> list[str]:
    """A language as it is written, and without its region: ru-RU is ru."""
    plain = (code or "").replace("_", "-").lower()
    return [code, plain, plain.partition("-")[0]] if code else []


def _own(own: Mapping[str, Any], channel: str, languages: list[str]) -> Source:
    contents = own["published"]["contents"]
    code = next((code for code in languages if code in contents), next(iter(contents), ""))
    if not code:
        raise Refused("the template has no text in any language", code="no-template")
    return Source(channel=channel, layout="", language=code, **contents[code])


def renderer() -> Renderer:
    """The renderer of this process; its child starts with the first template of a shop's own."""
    global _renderer
    if _renderer is None:
        _renderer = Renderer()
    return _renderer


def shown(letter: Letter, sender: Sender) -> dict[str, Any]:
    """A letter as it is kept to be looked at: what was sent, exactly as sent."""
    config = sender.config
    origin = next((config[k] for k in ORIGINS if config.get(k)), sender.name)
    files = [{"name": a.name, "type": a.type, "size": len(a.content)} for a in letter.attachments]
    kept = {
        k: getattr(letter, k) for k in ("to", "to_name", "subject", "html", "text", "headers", "payload", "language")
    }
    return {**kept, "from": origin, "attachments": files}

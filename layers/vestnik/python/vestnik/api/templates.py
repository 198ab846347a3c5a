"""Templates: the texts of messages, with languages, versions, a draft and what is published."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik import resources
from vestnik.api import _kept, _own_texts, _samples, _texts
from vestnik.api._models import Model, Page, SettingId, Trail
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import Cursor, Limit, Router, needs
from vestnik.flows import texts
from vestnik.rendering import checks
from vestnik.rendering.render import Source
from vestnik.store.settings import template_key

router = Router()

KIND = "template"
LARGEST_CHECKED = 3_000_000
BOTH = {"id": "$response.body#/id", "channel": "$response.body#/channel"}

type TextChannel = Literal["email", "sms", "telegram"]
ForChannel = Annotated[
    Literal["email", "sms", "telegram"] | None,
    Query(
        description="Which of the texts of this id. Where absent: your own, of the first of `email`, `sms`, `telegram` "
        "that you have one for; else the shipped one of the first."
    ),
]
type Language = Annotated[str, Field(pattern="^[a-z]{2,3}$")]


class Content(Model):
    """One language of a template, each field a Jinja2 template over the facts."""

    subject: str = Field("", max_length=1000, description="E-mail only.", examples=["Order {{ order.number }}"])
    preheader: str = Field("", max_length=1000, description="E-mail only: what a mail client shows beside the subject.")
    html: str = Field("", max_length=200_000, description="E-mail only: the body, which the layout frames.")
    text: str = Field("", max_length=100_000, description="Plain text; of an e-mail, made from the HTML where absent.")


class Template(Model):
    """A template: the draft of its texts."""

    name: str = Field("", max_length=200, description="For people.")
    channel: TextChannel = Field(description="What it is for.", examples=["sms"])
    layout: Literal["email", ""] = Field("email", description="The frame of an e-mail's HTML; empty: none.")
    contents: dict[Language, Content] = Field(
        min_length=1,
        max_length=20,
        description="The text in each language (`en`, `ru`, `bg` ...); a reader of another gets the shop's language.",
        examples=[{"en": {"text": "Order {{ order.number }} is on its way."}}],
    )


class Published(Model):
    """What is sent: the draft as it was when it was published, CSS inlined."""

    at: str = Field(description="When (RFC 3339).")
    by: str = Field(description="Who: `key:<id of the API key>`, `shipped`.")
    contents: dict[str, Content]


class TemplateListed(Trail):
    """A template in a list."""

    id: str = Field(description="Its id.")
    name: str
    channel: str = Field(description="What it is for; one id may have a text for each channel.")
    languages: list[str] = Field(description="Of the draft.")
    published: bool = Field(description="Whether anything of it is published.")


class TemplateShown(Trail):
    """A template: its draft, and what of it is published."""

    id: str = Field(description="Its id.")
    name: str
    channel: str
    layout: str
    contents: dict[str, Content] = Field(description="The draft.")
    published: Published | None = Field(description="What is sent; null: nothing yet.")


class TemplateVersion(Model):
    """What a template was."""

    revision: int = Field(description="The settings revision that made it so.")
    at: str = Field(description="When (RFC 3339).")
    by: str = Field(description="Who: `key:<id of the API key>`.")
    contents: dict[str, Content] | None = Field(description="The draft; null where the template was removed.")
    published: bool = Field(description="Whether this version was published by this change.")


class Unchecked(Model):
    """A text to be checked."""

    channel: TextChannel
    event: str | None = Field(
        None, max_length=100, description="For which event type; where absent, only the facts' names are known."
    )
    subject: str | None = None
    preheader: str | None = None
    html: str | None = None
    text: str | None = None


class Finding(Model):
    """One thing wrong with a text."""

    code: str = Field(
        description="`short-link`, `malicious-code`, `syntax`, `budget` and `empty` keep a template from being "
        "published; `unknown-variable` and `too-big` do not."
    )
    message: str = Field(description="What is wrong and what would be right.")
    where: str = Field(description="`field:line:column`; of a saved template, with the language before it.")


class Checked(Model):
    """What is wrong with a text."""

    problems: list[Finding]


class Sample(Model):
    """What to fill a text with."""

    sample: str = Field("order.placed", max_length=100, description="The event type whose sample to use.")
    order_id: str | None = Field(None, min_length=1, max_length=128, description="A real order to put into it.")
    language: Language = Field("en", description="Of the reader.")


class SavedSample(Sample):
    """What to fill a saved template with."""

    draft: bool = Field(True, description="The draft; else what is published.")
    channel: TextChannel | None = Field(None, description="Which of the texts of this id, as in `?channel=`.")


class UnsavedSample(Sample):
    """A text that is not saved, and what to fill it with."""

    channel: TextChannel
    layout: Literal["email", ""] = "email"
    content: Content


class Preview(Model):
    """A text as the reader would get it."""

    language: str = Field(description="The language that was found.")
    subject: str
    html: str
    text: str


@router.get("/templates")
@needs("read")
def list_templates(limit: Limit = 50, cursor: Cursor = "") -> Page[TemplateListed]:
    """List the templates: the shop's own, and the shipped ones they do not replace.

    An id is listed once for each channel that it has a text for.
    """
    entries, following = _kept.merged(KIND, _texts.all_shipped(), limit, cursor)
    return Page[TemplateListed](items=[_listed(_own_texts.plain(entry)) for entry in entries], next=following)


@router.post("/templates/check")
@needs("read", pure=True, largest=LARGEST_CHECKED)
def check_template(body: Unchecked) -> Checked:
    """Check a text before it is saved.

    It judges what is written and what it writes: a sample of the event, nothing at all, every branch.
    """
    fields = {name: getattr(body, name) or "" for name in ("subject", "preheader", "html", "text")}
    blank = _texts.empty(body.channel, {**fields, "subject": body.subject})
    found = _findings(body.channel, fields, body.event)
    return Checked(problems=found + [Finding.model_validate(each) for each in blank])


@router.post("/templates/preview")
@needs("read", pure=True)
def preview_text(body: UnsavedSample) -> Preview:
    """See a text that is not saved, as a reader would get it."""
    source = Source(channel=body.channel, layout=body.layout, language=body.language, **body.content.model_dump())
    return _preview(source, body, trusted=False)


@router.get("/templates/<id>")
@needs("read")
def read_template(id: SettingId, channel: ForChannel = None) -> TemplateShown:
    """Read a template: its draft, and what of it is published."""
    return _shown(_own_texts.find(id, channel))


@router.put("/templates/<id>")
@needs(
    "admin",
    match=True,
    links={
        "read": ("read_template", BOTH),
        "publish": ("publish_template", BOTH),
        "delete": ("delete_template", BOTH),
    },
)
def put_template(id: SettingId, body: Template) -> TemplateShown:
    """Write a template's draft.

    What is published stays as it is until the draft is published. One id may have a text for each channel: they live
    apart. With the id of a shipped template (`<event type>/<customer or staff>`) it takes that one's place for its
    channel, once it is published.
    """
    before = _own_texts.own(id, body.channel)
    kept = body.model_dump(mode="json")
    _own_texts.refuse_unused(kept)
    if before and before["body"].get("published"):
        kept["published"] = before["body"]["published"]
    return _shown(_kept.keep(KIND, template_key(id, body.channel), kept))


@router.delete("/templates/<id>", status_code=204)
@needs("admin", match=True, problems=(409,))
def delete_template(id: SettingId, channel: ForChannel = None) -> None:
    """Remove a template of the shop's own.

    Where it replaced a shipped one, that is in force again; else it is refused while rules name it.
    """
    meant = _own_texts.channel_of(id, channel)
    if _own_texts.own(id, meant):
        _own_texts.refuse_used(id, meant)
    _kept.remove(KIND, template_key(id, meant))


@router.post("/templates/<id>/publish")
@needs("admin", match=True)
def publish_template(id: SettingId, channel: ForChannel = None) -> TemplateShown:
    """Publish a template's draft.

    Refused, with all that was found under `problems`, where a text is malicious, hides where a link leads (e-mail),
    cannot be written, or is empty.
    """
    entry = _own_texts.find(id, channel, ours=True)
    body = entry["body"]
    _refuse_bad(_texts.problems(body, _texts.type_of(id)))
    contents = {language: _texts.published(body, language) for language in body["contents"]}
    now = resources.now()
    made = {"at": now.isoformat(), "by": _kept.me(), "contents": contents}
    key = template_key(id, body["channel"])
    return _shown(_kept.keep(KIND, key, {**body, "published": made, "publishing": True}, now, entry["revision"]))


@router.post("/templates/<id>/check")
@needs("read", pure=True)
def check_saved_template(id: SettingId, channel: ForChannel = None) -> Checked:
    """Check the draft of a template, all its languages."""
    entry = _own_texts.find(id, channel)
    found = _texts.problems(entry["body"], _texts.type_of(id))
    return Checked(problems=[Finding.model_validate(each) for each in found])


@router.post("/templates/<id>/preview")
@needs("read", pure=True, problems=(409,))
def preview_template(id: SettingId, body: SavedSample) -> Preview:
    """See a template as a reader would get it, with a sample or a real past order."""
    entry = _own_texts.find(id, body.channel)
    source = _texts.source(entry["body"], body.language, draft=body.draft)
    if source is None:
        raise Problem(409, "not-published", "nothing of it is published yet", Fault("/draft", "nothing is published"))
    return _preview(source, body, trusted=entry["shipped"])


@router.get("/templates/<id>/versions")
@needs("read")
def list_template_versions(
    id: SettingId, channel: ForChannel = None, limit: Limit = 50, cursor: Cursor = ""
) -> Page[TemplateVersion]:
    """List what a template of the shop's own was, newest first."""
    key = template_key(id, _own_texts.channel_of(id, channel, removed=True))
    entries, following = _kept.versions(KIND, key, limit, cursor)
    return Page[TemplateVersion](items=[_version(entry) for entry in entries], next=following)


def _findings(channel: str, fields: dict[str, str], type: str | None) -> list[Finding]:
    schema, sample = _samples.event(type, "/event") if type is not None else (None, None)
    facts = _samples.facts(sample, "en") if sample else None
    found = checks.check(channel, **fields, event_schema=schema, sample=facts, guard=texts.renderer().guard)
    return [Finding.model_validate(asdict(each)) for each in found]


def _refuse_bad(found: list[dict[str, Any]]) -> None:
    bad = [each for each in found if each["code"] in _texts.FATAL]
    if bad:
        faults = [Fault(_texts.pointer(each["where"]), each["message"]) for each in bad]
        detail = f"it cannot be published: {bad[0]['message']}"
        raise Problem(422, bad[0]["code"], detail, *faults, problems=found)


def _preview(source: Source, wanted: Sample, *, trusted: bool) -> Preview:
    _, sample = _samples.event(wanted.sample, "/sample")
    facts = _samples.facts(sample, source.language, wanted.order_id)
    done = texts.renderer().render(source, facts, trusted=trusted)
    return Preview(language=source.language, subject=done.subject, html=done.html, text=done.text)


def _shown(entry: _kept.Entry) -> TemplateShown:
    body = {name: value for name, value in entry["body"].items() if name != "publishing"}
    return TemplateShown.model_validate(_kept.flat({**_own_texts.plain(entry), "body": {"published": None, **body}}))


def _listed(entry: _kept.Entry) -> TemplateListed:
    body = entry["body"]
    shown = {name: entry[name] for name in ("id", "revision", "at", "by", "shipped")}
    shown |= {"languages": sorted(body["contents"]), "published": bool(body.get("published"))}
    return TemplateListed.model_validate({**shown, "name": body["name"], "channel": body["channel"]})


def _version(entry: _kept.Entry) -> TemplateVersion:
    body = entry["body"]
    made = bool(body and body.get("publishing"))
    contents = body["contents"] if body else None
    trail = {name: entry[name] for name in ("revision", "at", "by")}
    return TemplateVersion.model_validate({**trail, "contents": contents, "published": made})

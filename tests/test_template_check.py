"""The template check: malicious code, short links, unknown names, sizes and budgets, told with their place."""

import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestnik.api import shop
from vestnik.rendering import jinja_parts, layouts, malice, names, short_links, urls
from vestnik.rendering.checks import LARGEST_SOURCE, Problem, check
from vestnik.rendering.effort import MOST, Effort, Exhausted
from vestnik.rendering.guard import Guard
from vestnik.rendering.markup import visible_text, without_comments
from vestnik.rendering.shipped import read

CORPORA = Path(__file__).parents[1] / ".." / "shared" / "corpora"
here = pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    kept = Guard(layouts.macros())
    yield kept
    kept.close()


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code for problem in problems}


def in_letter(html: str, guard: Guard, **more: Any) -> set[str]:
    return codes(check("email", html=html, guard=guard, **more))


# Malicious code

MALICIOUS = {
    "a script": "<script>alert(1)</script>",
    "a script in capitals with a slash": "<SCRIPT/x src=//e.example></SCRIPT>",
    "a frame": "<iframe src='https://e.example'></iframe>",
    "an object": "<object data='x.swf'></object>",
    "an applet": "<applet code='X.class'></applet>",
    "an embed": "<embed src='x'>",
    "an ActiveX control": "<param classid='clsid:D27CDB6E'>",
    "a handler": "<p onclick='x()'>Hi</p>",
    "a handler without quotes and spaces": "<img/src/onerror=alert(1)>",
    "a handler after a quoted value": "<img src='x'onerror=alert(1)>",
    "a handler on an element nobody knows": "<x-y onfocus=alert(1) tabindex=1>",
    "a handler in a tag that never ends": "<svg onload=alert(1)//",
    "a script URL": "<a href='javascript:alert(1)'>x</a>",
    "a script URL in entities": "<a href='&#106;ava&Tab;script&colon;alert(1)'>x</a>",
    "a script URL with control characters": "<a href='\x01java\nscript:alert(1)'>x</a>",
    "a VBScript URL": "<a href='vbscript:msgbox(1)'>x</a>",
    "a script URL of a form": "<form action='javascript:x'><input formaction='javascript:y'></form>",
    "a page in a data URL": "<a href='data:text/html,<b>x'>x</a>",
    "a picture's data URL that one can follow": "<a href='data:image/svg+xml,x'>x</a>",
    "a refresh": "<meta http-equiv='refresh' content='0; url=https://e.example'>",
    "a base": "<base href='javascript:/a/'>",
    "an animated link": "<svg><a><animate attributeName='href' values='x;javascript:y'></animate></a></svg>",
    "an expression": "<p style='width: e\\xpres/**/sion(alert(1))'>x</p>",
    "a binding": "<style>p { -moz-binding: url(x.xml) }</style>",
    "a behaviour": "<style>p { behavior: url(x.htc) }</style>",
    "an imported page": "<style>@import 'data:text/css,x';</style>",
    "a page in an attribute": "<p srcdoc='x'>",
    "noscript": "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "a comment that ends early": "<!--><img src=x onerror=alert(1)>-->",
    "an svg style": "<svg></p><style><a id='</style><img src=x onerror=alert(1)>'>",
    "entities in svg": "<svg><style>&lt;img src=x onerror=alert(1)&gt;</style></svg>",
    "an outlook comment": "<!--[if mso]><object classid='clsid:1'></object><![endif]-->",
    "an xml style sheet": "<?xml-stylesheet href='javascript:x'?>",
    "a NUL": "<scr\0ipt>x</scr\0ipt>",
    "a condition that is never met": "{% if false %}<script>x</script>{% endif %}",
    "an empty loop": "{% for x in [] %}{{ '<scr' ~ 'ipt>'|safe }}{% endfor %}",
    "words joined": "<a href=\"{{ 'java' ~ 'script' }}:x\">x</a>",
    "a default": "<a href=\"{{ data.url|default('javascript:x') }}\">x</a>",
    "the other branch": "<a href=\"{{ 'https://e.example' if data.a else 'javascript:x' }}\">x</a>",
    "a macro": "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('script') }}",
    "broken Jinja": "{% if %}<script>x</script>",
    "a way into the program": "{{ order.__class__ }}",
}


@pytest.mark.parametrize("form", MALICIOUS)
def test_malicious_code_is_found_in_any_form(guard: Guard, form: str) -> None:
    assert "malicious-code" in in_letter(MALICIOUS[form], guard)


HARMLESS = {
    "a table with an Outlook button": "<!--[if mso]>"
    "<v:roundrect xmlns:v='urn:schemas-microsoft-com:vml' href='https://e.example'>"
    "<w:anchorlock/><center>Go</center></v:roundrect><![endif]--><style>v\\:* { behavior: url(#default#VML); }</style>",
    "office settings": "<!--[if gte mso 9]><xml><o:OfficeDocumentSettings><o:AllowPNG/>"
    "</o:OfficeDocumentSettings></xml><![endif]-->",
    "fonts": "<link rel='stylesheet' href='https://fonts.example/css'><style>@import url(https://fonts.example/css);</style>",
    "metas": "<meta http-equiv='Content-Type' content='text/html; charset=utf-8'><meta name='viewport' content='a=1'>",
    "structured data": '<script type=\'application/ld+json\'>{"@type": "Order"}</script>',
    "a small picture inside": "<img src='data:image/png;base64,AAAA' alt='javascript: the good parts'>",
    "links of all kinds": "<a href='tel:+7'>1</a><a href='mailto:a@b.example'>2</a><a href='#x'>3</a><a href='tg://x'>4</a>",
    "escaped code": "<code>&lt;script&gt;alert(1)&lt;/script&gt; onclick=1</code>",
    "text with signs": "<p>1 < 2 and once upon a time; javascript: is a word here</p>",
    "a smooth style": "<style>html { scroll-behavior: smooth; overscroll-behavior: none }</style>",
    "a form for a survey": "<form action='https://e.example' method='post'><input type='checkbox' name='a'></form>",
    "our own macros": "{{ button(order.url, 'Open') }}{{ order_table(order) }}{{ note('x') }}",
}


@pytest.mark.parametrize("form", HARMLESS)
def test_what_mail_needs_is_not_called_malicious(guard: Guard, form: str) -> None:
    assert in_letter(HARMLESS[form], guard) == set()


PIECES = [
    "<svg>", "</svg>", "<math>", "<style>", "</style>", "<!--", "-->", "--!>", "<noscript>", "</noscript>",
    "<template>", "<textarea>", "</textarea>", "<title>", "</title>", "<img src=x onerror=alert(1)>", '"', "'", "`",
    ">", "<",
    '<a title="', "<a href=javascript:x>", "<script>", "</script>", "<xmp>", "</xmp>", "<iframe>", "<p ", "/", "=",
    "onclick", "onclick=1", " ", "\n", "\x0c", "x", "<table>", "<td>", "<![CDATA[", "]]>", "<select>", "<plaintext>",
    "<b/onload=1", "&lt;", "&gt;", "&quot;", "<mtext>", "<mglyph>", "<desc>", "<foreignObject>",
    "java\tscript:", "href=",
]  # fmt: skip


def seen_by_a_parser(html: str) -> bool:
    """Whether html5lib, as a document or in a table cell, with scripting on or off, sees something that runs."""
    html5lib = pytest.importorskip("html5lib")
    for scripting in (True, False):
        for parse in (html5lib.HTMLParser().parse, html5lib.HTMLParser().parseFragment):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = parse(html, scripting=scripting)
            if any(runs(element) for element in tree.iter() if isinstance(element.tag, str)):
                return True
    return False


def runs(element: Any) -> bool:
    names = [str(name).lower() for name in element.attrib]
    return (
        element.tag.rpartition("}")[2] in ("script", "iframe", "object", "embed")
        or any(name.startswith("on") and len(name) > 4 for name in names)
        or any(urls.runs_script(value) for name, value in element.attrib.items() if name != "title")
    )


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@settings(max_examples=300)
def test_whatever_a_parser_sees_the_check_has_seen(html: str) -> None:
    if seen_by_a_parser(html):
        assert malice.findings(html), html


def test_tags_that_never_end_are_judged_in_linear_time() -> None:
    started = time.process_time()  # of this process alone: other tests run beside it
    assert malice.findings("<a b='" * 60_000)
    short_links.in_html("<a b='" * 60_000 + "<" * 60_000)
    assert time.process_time() - started < 60, "the square of its length would take hours"


def full(piece: str, before: str = "", after: str = "") -> str:
    """As many of `piece` as the largest template holds."""
    return before + piece * ((LARGEST_SOURCE - len(before) - len(after)) // len(piece)) + after


HEAVY = {
    "openings of Jinja": full("{{"),
    "openings of statements": full("{% "),
    "openings of comments": full("{# "),
    "URLs within a URL": full("https://shop.example/?u=", "<a href='", "'>"),
    "URLs within a URL, in text": full("https://"),
    "starts of URLs": full("?//", "<a href='", "'>"),
    "encoded URLs within a URL": full("https%253A%252F%252Fa.example", "<a href='https://x.example/?u=", "'>"),
    "encoded slashes": full("https://bit.ly%2f", "<a href='", "'>"),
    "sources": full("https://a.example 1x,", "<img srcset='", "'>"),
    "tags in tags": full('<a "'),
    "tags that never end": full("<a "),
    "tags": full("<div>"),
    "links": full("<a href='ws:'>"),
    "attributes": full(" a=b", "<p", ">"),
    "handlers": "".join(f"<p on{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}=1>" for n in range(9000)),
    "styles that never begin": full("<style"),
    "imports": full("@import '", "<style>"),
    "styles": full("<p style='a:url(x)'>"),
    "blanks of a refresh": full(" ", "<meta http-equiv=refresh content='", "x'>"),
    "dots": full("a.b"),
    "labels of a host": full("a.", "<a href='https://", "'>"),
    "punycode": full("xn--a.", "<a href='https://", "'>"),
    "one long label": full("a", "<a href='https://xn--", "'>"),
    "short links": "".join(f"https://a{n}.bit.ly/x " for n in range(9_000)),
    "names": "".join(f"{{{{ a{n} }}}}" for n in range(15_000)),
    "attributes of a name": full(".a", "{{ x", " }}"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("form", HEAVY)
def test_the_work_of_a_check_is_bounded_whatever_is_written(form: str) -> None:
    for judge in (malice.findings, short_links.in_html, short_links.in_text):
        work = Effort()
        try:
            judge(HEAVY[form], work)
        except Exhausted:
            continue
        assert 0 <= work.left <= MOST


@pytest.mark.slow
@pytest.mark.parametrize("form", HEAVY)
def test_what_is_read_grows_with_the_text_and_not_with_its_square(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAVY[form]
    read = 0

    def counted(host: Callable[[str], str]) -> Callable[[str], str]:
        def reading(value: str) -> str:
            nonlocal read
            read += len(value)
            return host(value)

        return reading

    monkeypatch.setattr(urls, "host", counted(urls.host))
    with suppress(Exhausted):
        short_links.in_html(text)
    with suppress(Exhausted):
        short_links.in_text(text)
    assert read <= 12 * len(text), "each URL is read to the end of its host"


def test_jinja_that_is_never_closed_is_sought_once_for_each_kind() -> None:
    class Counting(str):
        __slots__ = ()
        sought = 0

        def find(self, *args: Any) -> int:
            Counting.sought += 1
            return super().find(*args)

    assert list(jinja_parts.spans(Counting("{{ {% {# " * 10_000))) == []
    assert Counting.sought == 3
    assert list(jinja_parts.spans("a{{ b }}{# {{ #}{% c")) == [(1, 8), (8, 16)]


def test_a_check_over_its_effort_is_told_as_budget_and_keeps_what_it_found(guard: Guard) -> None:
    assert "budget" in in_letter(HEAVY["links"], guard)
    assert "malicious-code" in in_letter("<script>" + full("<a href='ws:'>")[:-20], guard)


def test_many_problems_of_a_kind_are_told_a_hundred_times(guard: Guard) -> None:
    for form in ("handlers", "short links", "names"):
        assert 0 < len(check("email", html=HEAVY[form], guard=guard)) <= 210, form


# Short links

SHORT = [
    "<a href='https://bit.ly/aB3'>x</a>", "<a href='http://BIT.LY/aB3'>x</a>", "<a href='//bit.ly/aB3'>x</a>",
    "<a href='https://bit.ly:443/aB3'>x</a>", "<a href='https://bit.ly./aB3'>x</a>", "<a href='https://a@bit.ly/x'>x</a>",
    "<a href='https:\\\\bit.ly\\aB3'>x</a>", "<a href='/\\bit.ly/aB3'>x</a>", "<a href='https:/bit.ly/aB3'>x</a>",
    "<a href='ht\ntps://bit.\tly/aB3'>x</a>", "<a href=' https://bit.ly/aB3 '>x</a>", "<a href='https://bit。ly/aB3'>x</a>",
    "<a href='https://ｂｉｔ.ly/aB3'>x</a>", "<a href='https://bit%2Ely/aB3'>x</a>", "<a href='https://b&#105;t.ly/aB3'>x</a>",
    "<a href=https://bit.ly/aB3>x</a>", "<a href='https://www.bit.ly/aB3'>x</a>", "<a href='https://bit\u00ad.ly/aB3'>x</a>",
    "<img src='https://bit.ly/aB3'>", "<img srcset='a.png 1x, https://bit.ly/aB3 2x'>",
    "<td background='//bit.ly/aB3'>",
    "<p style='background: url(//bit.ly/aB3)'>", "<style>p{background:url(\"https://bit\\2e ly/aB3\")}</style>",
    "<style>@import 'https://bit.ly/aB3';</style>", "<meta http-equiv='refresh' content='0;url=https://bit.ly/aB3'>",
    "<base href='https://bit.ly/'>", "<form action='https://bit.ly/aB3'></form>", "<area href='https://bit.ly/aB3'>",
    "<svg><a xlink:href='https://bit.ly/aB3'>x</a></svg>", "<p>Go to bit.ly/aB3 now</p>", "<p>bit<b>.ly/aB3</b></p>",
    "<p>(https://bit.ly/aB3)</p>", "<a href='https://e.example/?u=https%3A%2F%2Fbit.ly%2FaB3'>x</a>",
    "<a href='https://e.example/?u=https%253A%252F%252Fbit.ly%252FaB3'>x</a>", "<img alt='see bit.ly/aB3'>",
    "<!--[if mso]><v:rect href='https://bit.ly/aB3'></v:rect><![endif]-->", "<a href='https://goo.gl/x'>x</a>",
    "<a href='https://{{ 'bit' ~ '.ly' }}/x'>x</a>", "{% set h = 'bit.ly' %}<a href='https://{{ h }}/x'>x</a>",
    "{% if data.never %}<a href='https://clck.ru/x'>x</a>{% endif %}", "{{ {'a': 'https://vk.cc/x'}[data.kind] }}",
]  # fmt: skip

FULL = [
    "<a href='https://bit.ly.example.com/x'>x</a>", "<a href='https://example.com/bit.ly/x'>x</a>",
    "<a href='https://notbit.ly/x'>x</a>", "<a href='https://bit.lyx.example/x'>x</a>",
    "<a href='mailto:a@bit.ly'>x</a>",
    "<p>Write to info@bit.ly or a@t.co/x.</p>", "<p>We do not use bit.ly, ever.</p>", "<!-- https://bit.ly/aB3 -->",
    "<a href='https://example.com/?q=bit.ly'>x</a>", "<p>example.com/bit.ly/x</p>", "{# https://bit.ly/aB3 #}",
    "<a href='https://bit.ly@example.com/x'>x</a>", "<a href='https://example.com/#bit.ly'>x</a>",
    "<style>/* https://goo.gl/x */ p{color:red}</style>", "<a href='https://wa.me/70000000000'>chat</a>",
]  # fmt: skip


@pytest.mark.parametrize("html", SHORT)
def test_a_short_link_is_found_wherever_a_browser_finds_it(guard: Guard, html: str) -> None:
    assert "short-link" in in_letter(html, guard)


@pytest.mark.parametrize("html", FULL)
def test_a_full_link_is_no_short_link(guard: Guard, html: str) -> None:
    assert "short-link" not in in_letter(html, guard)


def test_short_links_are_for_letters_only_and_also_in_their_text(guard: Guard) -> None:
    assert codes(check("email", text="Look: https://bit.ly/x", guard=guard)) == {"short-link"}
    assert codes(check("sms", text="Look: https://bit.ly/x", guard=guard)) == set()


def test_text_is_read_without_comments_tags_and_styles() -> None:
    html = "a<!-- b --><style>c</style><b>d</b><p title='>'>e</p><!--[if mso]>f<![endif]--> 1 < 2 &amp; 3"
    assert visible_text(without_comments(html)).split() == ["a", "d", "e", "f", "1", "<", "2", "&", "3"]


# Names

SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "custom": {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
    },
}


def test_an_unknown_name_is_told_with_its_place_and_the_likely_name(guard: Guard) -> None:
    html = "<p>\n  {{ ordr.number }}</p>{{ data.anything }}"
    message = "`ordr` is not known; did you mean `order`?"
    assert check("email", html=html, guard=guard) == [Problem("unknown-variable", message, "html:2:6")]


def test_names_below_data_are_known_from_the_event_s_schema(guard: Guard) -> None:
    text = (
        "{{ data.number }}{{ data.custom.b }}{{ data.lines[0].sku }}{{ data.numbr }}"
        "{% for line in data.lines %}{{ line.sku }}{{ line.skew }}{% endfor %}{% set d = data %}{{ d.nmber }}"
    )
    found = check("sms", text=text, event_schema=SCHEMA, guard=guard)
    assert codes(found) == {"unknown-variable"}
    assert [each.message.split("`")[1] for each in found] == ["data.numbr", "line.skew", "d.nmber"]
    assert "did you mean `data.number`?" in found[0].message


def test_fields_of_the_shop_and_the_recipient_are_known_and_those_of_records_are_free(guard: Guard) -> None:
    text = "{{ shop.naem }}{{ recipient.nam }}{{ shop.name }}{{ recipient.name }}{{ customer.nmae }}{{ order.extra }}"
    found = check("sms", text=text, event_schema=SCHEMA, guard=guard)
    assert [each.message.split("`")[1] for each in found] == ["shop.naem", "recipient.nam"]
    assert "did you mean `shop.name`?" in found[0].message


def test_the_check_knows_the_shop_s_fields_as_templates_see_them() -> None:
    hidden = {"quota_per_minute", "sending", "audiences"}
    assert shop.Shop.model_fields.keys() - hidden | {"id"} == names.SHOP


def test_a_template_s_own_names_are_known(guard: Guard) -> None:
    text = "{% if order.paid %}{% set way = 1 %}{{ way }}{% endif %}{% for x in data.a %}{{ loop.index }}{% endfor %}"
    assert check("sms", text=text, guard=guard) == []
    assert codes(check("sms", text="{% for x in data.a %}{% endfor %}{{ x }}", guard=guard)) == {"unknown-variable"}


# Everything else


def test_problems_are_told_with_line_and_column(guard: Guard) -> None:
    found = check("email", subject="Hi", html="<p>Hi</p>\n <script>x</script>", guard=guard)
    assert [(each.code, each.where) for each in found] == [("malicious-code", "html:2:2")]
    found = check("email", subject="{{ x", guard=guard)
    assert [(each.code, each.where) for each in found] == [("syntax", "subject:1")]


def test_a_bomb_is_told_as_budget_within_its_time(guard: Guard) -> None:
    check("sms", text="x", guard=guard)
    loops = "{% for i in range(9999) %}" * 3 + "{% endfor %}" * 3
    started = time.monotonic()
    assert codes(check("sms", text=loops, guard=guard)) == {"budget"}
    assert time.monotonic() - started < 30
    assert codes(check("sms", text="{{ 'x' * 10**9 }}", guard=guard)) == {"budget"}
    assert "malicious-code" in in_letter(loops + "<script>", guard)


def test_sizes_have_the_channel_s_limits(guard: Guard) -> None:
    assert in_letter("<p>" + "word " * 22_000 + "</p>", guard) == {"too-big"}
    assert codes(check("sms", text="ж" * 671, guard=guard)) == {"too-big"}
    assert codes(check("sms", text="ж" * 670, guard=guard)) == set()
    assert codes(check("telegram", text="x" * 4097, guard=guard)) == {"too-big"}
    assert codes(check("sms", text="x" * 500_001, guard=guard)) == {"too-big"}


def test_a_sample_is_tried(guard: Guard) -> None:
    sample = {"order": {"url": "javascript:x"}, "data": {}}
    assert in_letter("<a href='{{ order.url }}'>x</a>", guard, sample=sample) == {"malicious-code"}


def test_no_shipped_template_has_a_problem(guard: Guard) -> None:
    # One language stands for all: they differ in words, not in what they say to the machine.
    for path in sorted((layouts.root() / "messages").glob("*/*.bg.j2")):
        source = read(path)
        found = check(source.channel, subject=source.subject, html=source.html, text=source.text, guard=guard)
        assert found == [], path


# The corpora


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@here
def test_every_payload_that_ran_in_a_browser_is_malicious(guard: Guard) -> None:
    for row in rows(CORPORA / "xss" / "xss_verified.jsonl"):
        assert "malicious-code" in in_letter(row["payload"], guard), row["payload"]


@here
def test_no_real_letter_is_malicious(guard: Guard) -> None:
    for path in sorted((CORPORA / "benign_emails").glob("*.html")):
        found = check("email", html=path.read_text("utf-8", "replace"), guard=guard)
        assert not codes(found) & {"malicious-code", "budget"}, (path.name, found)


@here
def test_every_form_of_a_short_link_is_told_right(guard: Guard) -> None:
    for row in rows(CORPORA / "url_shorteners" / "short_link_forms.jsonl"):
        assert ("short-link" in in_letter(row["html"], guard)) is row["contains_short"], row


@here
def test_harmless_jinja_is_neither_malicious_nor_over_budget(guard: Guard) -> None:
    for row in rows(CORPORA / "jinja_ssti" / "benign_templates.jsonl"):
        found = in_letter(row["template"], guard) | codes(check("sms", text=row["template"], guard=guard))
        assert not found & {"malicious-code", "budget"}, row["template"]

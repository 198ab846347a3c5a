"""Rendering: templates, layouts, formats, publishing, and the guard around strangers' templates."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vestnik.errors import Refused
from vestnik.rendering import layouts
from vestnik.rendering.formats import written_date, written_money
from vestnik.rendering.plain_text import of_html
from vestnik.rendering.publish import inlined, publish, publish_shipped
from vestnik.rendering.render import Rendered, Renderer, Source
from vestnik.rendering.segments import segments
from vestnik.rendering.shipped import all_shipped, read, sections, shipped, written_down
from vestnik.rendering.writing import Failed, failure

CORPORA = Path(__file__).parents[1] / ".." / "shared" / "corpora"
SSTI = CORPORA / "jinja_ssti"

FACTS: dict[str, Any] = {
    "type": "order.placed",
    "time": "2026-03-05T21:30:00Z",
    "order": {
        "number": "A-17",
        "url": "https://shop.example/o/17?a=1&b=2",
        "currency": "RUB",
        "items": [
            {"name": "Tea <green>", "quantity": 2, "total": {"amount": 129900, "currency": "RUB"}},
            {"name": "Cup", "quantity": 1, "price": {"amount": 50000, "currency": "RUB"}},
        ],
        "delivery": {"price": {"amount": 30000, "currency": "RUB"}},
        "total": {"amount": 209900, "currency": "RUB"},
    },
    "customer": {"name": "O'Neil & Co"},
    "shop": {"name": "Leaf", "url": "https://shop.example", "color": "#0a7d33", "timezone": "Europe/Sofia"},
    "recipient": {},
    "data": {},
}

MAIL = Source(
    channel="email",
    subject="Order {{ order.number }}\nis here",
    preheader="{{ order.total|money }} in all",
    html="<h1>Hello, {{ customer.name }}</h1>\n{{ order_table(order) }}{{ button(order.url, 'Open') }}"
    "{{ note('Soon') }}",
    text="Hello, {{ customer.name }}",
)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as kept:
        kept.render(Source("sms", text="{{ 1 }}"), {}, trusted=False)
        yield kept


def said(renderer: Renderer, text: str, facts: dict[str, Any] | None = None, language: str = "en") -> str:
    source = Source("sms", text=text, language=language)
    here = renderer.render(source, facts or FACTS, trusted=True)
    guarded = renderer.render(source, facts or FACTS, trusted=False)
    assert here == guarded
    return guarded.text


def refused(renderer: Renderer, text: str, channel: str = "sms") -> Refused:
    source = Source(channel, text=text) if channel == "sms" else Source(channel, html=text)
    with pytest.raises(Refused) as caught:
        renderer.render(source, FACTS, trusted=False)
    return caught.value


# Messages


def test_a_letter_has_a_one_line_subject_escaped_html_and_plain_text(renderer: Renderer) -> None:
    letter = renderer.render(MAIL, FACTS, trusted=True)
    assert letter.subject == "Order A-17 is here"
    assert "Hello, O&#39;Neil &amp; Co" in letter.html
    assert "Tea &lt;green&gt;" in letter.html
    assert letter.text == "Hello, O'Neil & Co"


def test_a_letter_is_the_same_from_the_guarded_child(renderer: Renderer) -> None:
    assert renderer.render(MAIL, FACTS, trusted=True) == renderer.render(MAIL, FACTS, trusted=False)


def test_macros_show_the_button_the_note_and_the_order_with_its_amounts(renderer: Renderer) -> None:
    html = renderer.render(MAIL, FACTS, trusted=True).html
    assert 'href="https://shop.example/o/17?a=1&amp;b=2"' in html
    assert 'bgcolor="#0a7d33"' in html
    for amount in ("RUB", "₽1,299.00", "₽500.00", "₽300.00", "₽2,099.00"):
        assert (amount in html) is (amount != "RUB")
    assert "Delivery" in html
    assert "Soon" in html


def test_the_layout_carries_language_preheader_shop_and_unsubscribe_link(renderer: Renderer) -> None:
    source = Source("email", preheader="Peek", html="<p>Hi</p>", language="ru")
    html = renderer.render(source, {**FACTS, "unsubscribe_url": "https://shop.example/u"}, trusted=True).html
    assert '<html lang="ru"' in html
    assert html.index("Peek") < html.index("<p>Hi</p>") < html.index("Отписаться")
    assert "color-scheme" in html
    assert "Отписаться" not in renderer.render(source, FACTS, trusted=True).html


def test_a_letter_without_text_gets_one_from_its_html_with_the_links(renderer: Renderer) -> None:
    text = renderer.render(Source("email", preheader="Peek", html=MAIL.html), FACTS, trusted=True).text
    assert "Open (https://shop.example/o/17?a=1&b=2)" in text
    assert "Hello, O'Neil & Co" in text
    assert "Peek" not in text


def test_a_letter_without_html_gets_its_text_in_the_layout(renderer: Renderer) -> None:
    letter = renderer.render(Source("email", text="1 < 2\nHello"), FACTS, trusted=True)
    assert "1 &lt; 2\nHello" in letter.html
    assert letter.text == "1 < 2\nHello"


def test_a_whole_document_brings_its_own_frame(renderer: Renderer) -> None:
    page = "<!doctype html><html><body>{{ order.number }}</body></html>"
    assert renderer.render(Source("email", html=page), FACTS, trusted=False).html.endswith("<body>A-17</body></html>")


def test_an_sms_is_plain_text_and_nothing_is_escaped(renderer: Renderer) -> None:
    source = Source("sms", text="{{ customer.name }}: {{ order.number }}")
    assert renderer.render(source, FACTS, trusted=False) == Rendered("", "", "O'Neil & Co: A-17")


def test_missing_facts_print_as_nothing_and_stop_no_message(renderer: Renderer) -> None:
    assert said(renderer, "[{{ nobody.name.first }}{{ order.paid_at|date }}{{ gone|money }}{{ gone() }}]") == "[]"
    assert said(renderer, "{{ 'a' ~ gone }}{{ 'b' + gone }}{{ gone * 2 }}{{ gone > 1 }}{{ gone|int }}") == "abFalse0"
    assert said(renderer, "{% for item in gone.items %}x{% else %}none{% endfor %}") == "none"


def test_a_key_of_the_data_comes_before_a_method_of_the_same_name(renderer: Renderer) -> None:
    assert said(renderer, "{{ order.items|length }} {{ {'a': 1}.items()|list }}") == "2 [('a', 1)]"


def test_everyday_jinja_works(renderer: Renderer) -> None:
    assert said(
        renderer, "{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}"
    )
    assert (
        said(renderer, "{{ '%.2f'|format(2) }} {{ '{:>4}'.format('x') }} {{ 'a-b'.split('-')|join('+') }}")
        == "2.00    x a+b"
    )
    assert (
        said(renderer, "{% for i in range(9) %}{% if i > 2 %}{% break %}{% endif %}{{ loop.index }}{% endfor %}")
        == "123"
    )
    assert (
        said(
            renderer,
            "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ order['items']|map(attribute='quantity')|sum }}",
        )
        == "<1>3"
    )


# Money and dates


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ru", "1 299,00 ₽ 5 марта 2026 г., 23:30"), ("bg", "1 299,00 ₽ 5 март 2026 г., 23:30"),
     ("en", "₽1,299.00 5 March 2026, 23:30"), ("de", "1 299,00 ₽ 2026-03-05, 23:30")],
)  # fmt: skip
def test_money_and_times_are_written_in_the_reader_s_way(renderer: Renderer, language: str, expected: str) -> None:
    text = "{{ {'amount': 129900, 'currency': 'RUB'}|money }} {{ time|datetime }}"
    assert said(renderer, text, language=language).replace("\xa0", " ") == expected


def test_the_recipient_s_time_zone_comes_before_the_shop_s(renderer: Renderer) -> None:
    facts = {**FACTS, "recipient": {"timezone": "Asia/Vladivostok"}}
    assert said(renderer, "{{ time|date }}", facts) == "6 March 2026"
    assert said(renderer, "{{ time|date }}", {**FACTS, "shop": {"timezone": "../etc/passwd"}}) == "5 March 2026"


def test_amounts_are_written_as_babel_writes_them() -> None:
    numbers = pytest.importorskip("babel.numbers")
    for language in ("ru", "bg"):
        for amount in (0, 5, 99, 100, 123456, 100000000, -4250):
            expected = numbers.format_currency(amount / 100, "EUR", locale=language)
            # CLDR leaves four-figure amounts ungrouped in Bulgarian; a table of sums reads better with one rule.
            assert written_money(amount, "EUR", language) == expected
    assert written_money(129900, "EUR", "en") == numbers.format_currency(1299, "EUR", locale="en")
    assert written_money(1299, "JPY", "ru") == "1\xa0299\xa0JPY"


def test_dates_are_written_as_babel_writes_them() -> None:
    dates = pytest.importorskip("babel.dates")
    from datetime import date

    for month in range(1, 13):
        day = date(2026, month, 9)
        for language in ("ru", "bg"):
            assert written_date(day, language).split() == dates.format_date(day, "long", locale=language).split()
        assert written_date(day, "en") == dates.format_date(day, "d MMMM y", locale="en")


# Publishing and shipped templates

STYLED = (
    "<!doctype html><html><head><style>.b{color:red} @media (max-width:9px){.b{color:blue}}</style>"
    "<title>{{ written.subject }}</title></head><body><table>{% for item in order['items'] %}"
    '<tr class="b" {% if loop.first %}title="{{ item.name }}"{% endif %}><td>{{ item.name ~ "<>" }}</td></tr>'
    "{% endfor %}</table><!--[if mso]><p>{{ shop.name }}</p><![endif]--></body></html>"
)


def test_published_html_needs_no_layout_and_has_its_styles_inline(renderer: Renderer) -> None:
    published = publish(MAIL)
    assert published.layout == ""
    letter = renderer.render(published, FACTS, trusted=True)
    assert 'class="body" style="' in letter.html
    assert "prefers-color-scheme" in letter.html
    assert "{%" not in letter.html
    assert letter.text == renderer.render(MAIL, FACTS, trusted=True).text


def test_jinja_survives_inlining_wherever_it_stands(renderer: Renderer) -> None:
    page = inlined(STYLED)
    assert "jinja0" not in page
    for jinja in (
        "{% for item in order['items'] %}",
        '{{ item.name ~ "<>" }}',
        "{% if loop.first %}",
        "{{ shop.name }}",
    ):
        assert jinja in page
    html = renderer.render(Source("email", subject="S", html=page, layout=""), FACTS, trusted=False).html
    assert html.count('style="color: red;"') == 2
    assert "@media (max-width:9px)" in html
    assert "<title>S</title>" in html
    assert html.count("title=") == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A templates' folder of our own, with the product's layouts."""
    own = tmp_path / "templates"
    (own / "messages" / "tea.brewed").mkdir(parents=True)
    (own / "layouts").symlink_to(layouts.root() / "layouts")
    (own / "messages" / "tea.brewed" / "customer.email.en.j2").write_text(
        "## subject\nTea\n## preheader\nHot\n## html\n<p>{{ shop.name }}</p>\n\n## text\n{{ shop.name }}\n", "utf-8"
    )
    (own / "messages" / "tea.brewed" / "customer.sms.ru.j2").write_text("## text\nЧай готов\n", "utf-8")
    monkeypatch.setenv("VESTNIK_TEMPLATES", str(own))
    layouts.root.cache_clear()
    yield own
    layouts.root.cache_clear()


def test_a_shipped_template_is_found_by_event_audience_channel_and_language(folder: Path) -> None:
    found = shipped("tea.brewed", "customer", "email", "bg")
    assert found is not None
    assert (found.subject, found.text, found.layout, found.language) == ("Tea", "{{ shop.name }}", "", "en")
    assert "<p" in found.html
    assert shipped("tea.brewed", "customer", "sms", ["bg", "ru"]) == Source(
        "sms", text="Чай готов", layout="", language="ru"
    )
    assert shipped("tea.brewed", "customer", "sms", "bg") is None
    assert [each.event_type for each in all_shipped()] == ["tea.brewed", "tea.brewed"]


def test_published_copies_are_taken_as_they_are(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shipped("tea.brewed", "customer", "email", "en")
    assert publish_shipped(tmp_path / "out") == 2
    monkeypatch.setenv("VESTNIK_TEMPLATES", str(tmp_path / "out"))
    layouts.root.cache_clear()
    assert shipped("tea.brewed", "customer", "email", "en") == here


def test_a_template_file_says_what_is_wrong_with_it(folder: Path) -> None:
    path = folder / "messages" / "tea.brewed" / "staff.sms.en.j2"
    path.write_text("## body\nx\n", "utf-8")
    with pytest.raises(ValueError, match=r"staff\.sms\.en\.j2: sections are subject"):
        read(path)


def test_sections_come_back_as_they_were_written() -> None:
    source = Source("email", subject="A", html="<p>\n\n## not a section</p>", text="T")
    assert sections(written_down(source)) == {"subject": "A", "html": source.html, "text": "T"}


@pytest.mark.slow
def test_every_shipped_template_renders_with_no_facts_at_all(renderer: Renderer) -> None:
    for each in all_shipped():
        renderer.render(each.source, {}, trusted=True)


def test_plain_text_leaves_out_what_is_hidden_and_keeps_lists_and_links() -> None:
    html = "<p>A &amp; B</p><div style='display:none'>x<b>y</b></div><ul><li>one</li></ul><a href='https://e.x/'>go</a>"
    assert of_html(html) == "A & B\n\n- one\ngo (https://e.x/)\n"


def test_sms_parts_are_counted_as_they_are_billed() -> None:
    counts = [segments("a" * 160), segments("a" * 161), segments("€" * 80), segments("ж" * 70), segments("ж" * 71)]
    assert counts == [1, 2, 1, 1, 2]


# The guard

BOMBS = {
    "an endless loop": "{% for i in range(9999) %}" * 3 + "{% endfor %}" * 3,
    "a power": "{{ 9**9**9 }}{{ (9**400)**400 }}",
    "a long text": "{{ 'x' * 10**10 }}",
    "a long list": "{{ [1] * 10**9 }}",
    "a wide number": "{{ '%0999999999d' % 1 }}",
    "a wide field": "{{ '{:>999999999}'.format(1) }}",
    "a wide filter": "{{ 'x'|center(999999999) }}",
    "doubling": "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "doubling lists": "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "recursion": "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(1) }}",
    "a tree of calls": "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "replacing": "{% set n = namespace(s='aa') %}"
    "{% for i in range(60) %}{% set n.s = n.s|replace('a', n.s) %}{% endfor %}",
    "a range": "{{ range(10**12)|list }}",
    "lipsum": "{{ lipsum(n=10**8) }}",
    "much output": "{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}",
    "products": "{{ range(9999)|batch(1)|map('list')|sum(start=[])|length }}" * 40,
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_cut_and_the_next_template_is_served(renderer: Renderer, bomb: str) -> None:
    started = time.monotonic()
    try:
        renderer.render(Source("sms", text=BOMBS[bomb]), FACTS, trusted=False)
    except Refused as error:
        assert error.code in ("budget", "too-big")  # noqa: PT017
    assert time.monotonic() - started < 30, "the guard must cut it by its clock"
    assert said(renderer, "{{ order.number }}") == "A-17"


def test_an_endless_loop_is_answered_with_budget(renderer: Renderer) -> None:
    assert refused(renderer, BOMBS["an endless loop"]).code == "budget"
    assert refused(renderer, BOMBS["doubling"]).code == "budget"


def test_the_child_never_takes_more_than_128_mb_above_idle(renderer: Renderer) -> None:
    said(renderer, "{{ 1 }}")
    pid = renderer.guard.pid
    assert pid is not None
    limits = Path(f"/proc/{pid}/limits")
    if not limits.exists():
        pytest.skip("no /proc here")
    size = int(next(line for line in limits.read_text().splitlines() if "address space" in line).split()[3])
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    assert size - int(resident) * os.sysconf("SC_PAGE_SIZE") <= 128 * 1024 * 1024


@pytest.mark.parametrize(
    "escape",
    ["{{ ''.__class__.__mro__ }}", "{{ ''|attr('__class__') }}", "{{ ''['__cl' ~ 'ass__'] }}", "{{ gone.__class__ }}",
     "{{ '{0.__class__}'.format(order) }}", "{{ cycler.__init__.__globals__ }}",
     "{{ [order]|map(attribute='__class__')|list }}",
     "{{ [order]|map('attr', '__class__')|list }}", "{{ '{0[__class__]}'.format(order) }}", "{{ button.__globals__ }}",
     "{{ self.__class__ }}", "{{ (namespace()).__class__ }}", "{{ range.__call__ }}", "{{ lipsum.__globals__ }}"],
)  # fmt: skip
def test_reaching_for_the_program_is_malicious(renderer: Renderer, escape: str) -> None:
    assert refused(renderer, escape).code == "malicious-code"


def test_nothing_a_template_prints_tells_a_class_or_an_address(renderer: Renderer) -> None:
    things = ["range", "cycler", "joiner", "namespace", "dict", "lipsum", "button", "self", "cycler(1)", "joiner()",
              "order.get",
              "'x'.upper", "[1]|map('upper')", "[1]|reverse", "order|items", "order.keys()", "[range]", "self._x",
              "(cycler(1)).next", "namespace(a=1)", "{'a': 1}.items", "[1]|batch(1)", "'x'.format"]  # fmt: skip
    for thing in things:
        for way in (
            f"{{{{ {thing} }}}}",
            f"{{{{ ({thing}) ~ '' }}}}",
            f"{{{{ ({thing})|pprint }}}}",
            f"{{{{ '%r'|format({thing}) }}}}",
        ):
            html = renderer.render(Source("email", html=way, layout=""), FACTS, trusted=False).html
            assert not any(
                word in html for word in ("object", "0x", "class", "function", "method", "generator", "jinja2")
            )


def test_the_child_has_no_environment_no_files_and_no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    with Renderer() as own:
        own.render(Source("sms", text="{{ 1 }}"), {}, trusted=False)
        process = Path(f"/proc/{own.guard.pid}")
        if not process.exists():
            pytest.skip("no /proc here")
        assert b"very-secret" not in (process / "environ").read_bytes()
        limits = (process / "limits").read_text()
        assert next(line for line in limits.splitlines() if "open files" in line).split()[3:5] == ["0", "0"]


def test_the_child_ends_with_its_renderer_and_a_killed_one_is_replaced() -> None:
    with Renderer() as own:
        own.render(Source("sms", text="{{ 1 }}"), {}, trusted=False)
        first = own.guard.pid
        assert first is not None
        os.kill(first, 9)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert own.render(Source("sms", text="{{ 2 }}"), {}, trusted=False).text == "2"
        second = own.guard.pid
    assert second != first
    assert not Path(f"/proc/{second}").exists()


ARGUMENTS = ("", "1", "'k'", "2, 3", "'k', 1", "attribute='k'", "true", "indent=2", "'a', 'b'", "target='_blank'")
VALUES = ("'a <b>&eacute;</b> see https://x.example'", "''", "-3.7", "[3, 1, 2]", "{'k': [1]}", "missing", "[{'k': 1}]")
EVERYTHING = """
import sys
from vestnik.rendering import layouts, tasks, writing
macros = layouts.macros()
tasks.prepare(macros)
opened = []
sys.addaudithook(lambda event, args: opened.append((now, args[0])) if event in ("import", "open") else None)
names = writing.environment(escaped=True, macros=macros)
uses = [f"{v}|{f}({a})" for v in VALUES for f in names.filters for a in ARGUMENTS]
uses += [f"{v} is {t}({a})" for v in VALUES for t in names.tests for a in ARGUMENTS]
uses += ["'\\\\N{DASH}'", "'{:n}'.format(5)", "lipsum()", "('&amp;'|safe).unescape()", "1 / 0", "time|datetime"]
for now in uses:
    try:
        writing.write({"html": "{{ " + now + " }}"}, {"time": "2026-03-05T21:30:00Z"}, macros)
    except writing.Failed as failed:
        assert "rrno" not in failed.reason and sys.prefix not in failed.reason, (now, failed.reason)
print(len(uses), opened)
"""


@pytest.mark.slow
def test_no_filter_and_no_test_of_jinja_needs_a_file_once_the_child_is_ready() -> None:
    code = f"ARGUMENTS = {ARGUMENTS!r}\nVALUES = {VALUES!r}\n{EVERYTHING}"
    layer = str(Path(layouts.__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": layer}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    number, opened = ran.stdout.split(" ", 1)
    assert (int(number) > 5_000, opened.strip()) == (True, "[]")


def test_tags_are_stripped_and_entities_read_in_the_child(renderer: Renderer) -> None:
    assert said(renderer, "{{ '<b>a</b> &eacute;'|striptags }}{{ '\\N{EM DASH}' }}") == "a é—"


def test_what_the_server_lacks_is_told_without_its_paths() -> None:
    for error in (OSError(24, "Too many open files", "/srv/html.py"), ModuleNotFoundError("No module named 'x'")):
        told = failure(error, "text", 1)
        assert (told.code, told.where) == ("syntax", "text:1")
        assert "/srv" not in told.reason
        assert "module" not in told.reason


# Strangers' HTML


def test_the_text_of_broken_html_is_what_stands_between_its_tags() -> None:
    assert of_html("<![<p>a</p><?b?><b/>c<!d><!-- e --><p>1 < 2") == "a\n\nc\n\n1 < 2\n"
    assert of_html("<div style='display:none'><p>a<b>b</div>c<style><b></style>d<a x='") == "cd<a x='\n"
    assert of_html("<div>" * 40_000 + "a<" + "<head></p>" * 20_000).strip() == "a<"


def test_tags_whose_quotes_never_close_are_published_as_they_are() -> None:
    page = "<!doctype html><style>p{color:red}</style><p>{{ x }}</p>" + "<a '>' " * 5_000
    shown = inlined(page)
    assert '<p style="color: red;">{{ x }}</p>' in shown
    assert shown.count("<a") == 5_000


def test_words_like_those_that_stand_for_jinja_stay_text() -> None:
    page = "<!doctype html><style>p{color:red}</style><p>{{ 'jinja0x0kept' }}jinja0x9kept jinja1x0kept</p>"
    assert ">{{ 'jinja0x0kept' }}jinja0x9kept jinja1x0kept</p>" in inlined(page)


def test_styles_are_moved_in_the_child_within_a_template_s_time(renderer: Renderer) -> None:
    rules = "".join(f"div:has(q{n}){{color:red}}" for n in range(700))
    html = f"<!doctype html><style>{rules}</style>" + "<div>" * 20_000
    with pytest.raises(Failed) as caught:
        publish(Source("email", html=html), renderer.guard)
    assert caught.value.code == "budget"
    assert publish(MAIL, renderer.guard) == publish(MAIL)


def test_a_mistake_is_told_with_its_line_in_the_author_s_own_text(renderer: Renderer) -> None:
    error = refused(renderer, "<p>\n{% if %}</p>", channel="email")
    assert (error.code, error.where) == ("syntax", "html:2")
    error = refused(renderer, "\n\n{{ 1 / 0 }}", channel="email")
    assert (error.code, error.where) == ("syntax", "html:3")


def test_output_has_a_cap(renderer: Renderer) -> None:
    assert refused(renderer, BOMBS["much output"]).code in ("too-big", "budget")


def test_importing_the_renderer_loads_no_heavy_library() -> None:
    heavy = [
        "nh3",
        "html5lib",
        "tinycss2",
        "css_inline",
        "babel",
        "link_shorteners",
        "html.parser.x",
        "pydantic",
        "boto3",
    ]
    code = f"import sys, vestnik.rendering.render; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# The corpora: escapes, bombs and harmless templates of other projects


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


@pytest.mark.skipif(not SSTI.exists(), reason="the corpora are not here")
def test_no_known_escape_escapes_and_no_known_bomb_outlives_its_budget(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ("uid=", "very-secret", "<class", "0x", " object", "root:", "/bin/", "jinja2.", "<function", "<built-in")
    for row in rows(SSTI / "ssti_payloads.jsonl"):
        try:
            written = renderer.render(Source("email", html=row["template"], layout=""), FACTS, trusted=False)
        except Refused as error:
            assert error.code in ("syntax", "malicious-code", "budget", "too-big")  # noqa: PT017
            continue
        assert not any(word in written.html for word in told), row["template"]


@pytest.mark.skipif(not SSTI.exists(), reason="the corpora are not here")
def test_harmless_templates_raise_no_security_or_budget_error(renderer: Renderer) -> None:
    for row in rows(SSTI / "benign_templates.jsonl"):
        try:
            renderer.render(Source("email", html=row["template"], layout=""), {}, trusted=False)
        except Refused as error:
            assert error.code == "syntax", row["template"]  # noqa: PT017


# The page about templates

PAGE = (Path(__file__).parents[1] / "docs" / "templates.md").read_text("utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", examples("python"))
def test_the_page_s_examples_run(example: str) -> None:
    exec(compile(example, "docs/templates.md", "exec"), {})  # noqa: S102


def test_the_page_s_template_writes_what_the_page_says(renderer: Renderer) -> None:
    facts = {
        "customer": {"name": "Anna"},
        "order": {"number": "A-17", "total": {"amount": 1299, "currency": "EUR"}},
        "time": "2026-03-05T12:00:00Z",
    }
    (template,), (expected,) = examples("jinja"), examples("text")
    assert said(renderer, template, facts) == expected.strip()

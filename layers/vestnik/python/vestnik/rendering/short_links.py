"""Short links: addresses that hide where they lead; spam filters punish a letter for one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from . import effort, styles, urls
from .effort import Effort, firsts
from .markup import Attribute, Tag, Tangled, style_sheets, tags, visible_text, without_comments
from .words import words

MORE_SHORTENERS = words(
    "goo.gl dub.co me2.do git.new clc.li cuty.io spoo.me kutt.to shrtcnl.com qps.ru ya.cc got.by page.link u.to"
    " lnk.to lnk.bio tny.sh bitly.su clik.now inlnk.co zurl.to l.ead.me lnkfi.re tr.ee s.ee s.gy"
)
NOT_SHORTENERS = words(
    "dw.com f1.com hulu.com hover.com riot.com onion.com xr.com hp.care kp.org sc.org cup.org cb.com gov.tw edu.nl"
    " libero.it x10.mx cjb.net ibb.co wa.me m.me yadi.sk aol.it zip.net uni.cf aarp.info ilang.in vercel.link"
)
"""In the list, yet whole sites, hosts of images, or a chat's own links, whose host already says where they lead."""

URL_ATTRIBUTES = words(
    "href xlink:href src action formaction background poster cite longdesc data code codebase archive ping lowsrc"
    " dynsrc usemap manifest profile icon data-src"
)
LIST_ATTRIBUTES = words("srcset imagesrcset")
TEXT_ATTRIBUTES = words("alt title")
_REFRESH = re.compile(r"(?:https?:|[\\/]{2}).*", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"[^\s<>\"'`(){}\[\]|«»„“”‘’,]+")
_LEADING = re.compile(r"^[^\w/\\]+")
_BARE = re.compile(r"(?![^/\\]*@)([^\s/\\?#:]++)(?::\d++)?[/\\?][^\s/\\?]", re.IGNORECASE)
_MOST_LABELS = 8
_IN_TEXT = re.compile(r"(?:https?|ftp):[\\/]+", re.IGNORECASE)


@dataclass(frozen=True)
class ShortLink:
    """A shortened link: its host, and where the tag or text with it begins."""

    host: str
    offset: int


@cache
def shorteners() -> frozenset[str]:
    """Hosts that shorten links: the link-shorteners package's list (its import needs setuptools), ours, less some."""
    spec = find_spec("link_shorteners")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    listed = (folder / "link-shorteners.txt").read_text("utf-8").splitlines()
    hosts = {urls.tidy_host(line.strip().strip("/,")) for line in listed}
    return frozenset(host for host in hosts | MORE_SHORTENERS if "." in host) - NOT_SHORTENERS


def shortener(host: str) -> bool:
    """Whether `host` or a domain above it shortens links."""
    labels = host.split(".")[-_MOST_LABELS:]
    return any(".".join(labels[start:]) in shorteners() for start in range(len(labels) - 1))


def in_html(html: str, work: Effort | None = None) -> list[ShortLink]:
    """Short links a reader of this HTML can follow, load or read, at most MOST_TOLD hosts. Raises Exhausted."""
    work = work or Effort()
    bare = without_comments(html)
    return _once(_in_html(html, bare, work))


def _in_html(html: str, bare: str, work: Effort) -> Iterator[ShortLink]:
    yield from _of_tags(html, bare, work)
    for _, css in style_sheets(bare):
        if hosts := [host for url in styles.urls(css) for host in _short_hosts(url, work)]:
            place = html.find(css)
            yield from (ShortLink(host, place) for host in hosts)
    for link in in_text(visible_text(bare), work):
        yield ShortLink(link.host, html.find(link.host))


def in_text(text: str, work: Effort | None = None) -> list[ShortLink]:
    """Short links in plain text: with a scheme, or a host and a path as mail clients make links of. Raises
    Exhausted."""
    work = work or Effort()
    work.spend(len(text) // effort.LETTERS)
    hosts = (host for word in _WORD.finditer(text) for host in _of_word(word[0], work))
    return _once(ShortLink(host, text.find(host)) for host in hosts)


def _of_word(word: str, work: Effort) -> Iterator[str]:
    token = _LEADING.sub("", word)
    if start := _IN_TEXT.search(token):
        yield from _short_hosts(token[start.start() :], work)
    if bare := _bare_host(token):
        work.spend(effort.ADDRESS)
        yield from (host for host in [urls.tidy_host(bare)] if shortener(host))


def _bare_host(text: str) -> str:
    """The host of an address without a scheme at the beginning of `text`: it has a dot and a path."""
    found = _BARE.match(text)
    dot = found[1].find(".", 1) if found else -1
    return found[1] if found and 0 < dot < len(found[1]) - 2 else ""


def _of_tags(html: str, bare: str, work: Effort) -> Iterator[ShortLink]:
    try:
        for tag in tags(bare, work):
            for url in _of_tag(tag, work):
                yield from (ShortLink(host, _place(html, tag)) for host in _short_hosts(url, work))
    except Tangled:  # which is malicious enough
        return


def _place(html: str, tag: Tag) -> int:
    begins = html[tag.start : tag.start + 1 + len(tag.name)]
    return tag.start if begins.lower() == f"<{tag.name}" else -1


def _of_tag(tag: Tag, work: Effort) -> Iterator[str]:
    for attribute in tag.attributes:
        yield from _of_attribute(tag, attribute, work)


def _of_attribute(tag: Tag, attribute: Attribute, work: Effort) -> Iterator[str]:
    name, value = attribute
    if name in URL_ATTRIBUTES:
        yield value
        if name == "href" and _bare_host(bare := value.strip()):
            yield f"//{bare}"
    elif name in LIST_ATTRIBUTES:
        yield from re.split(r"[\s,]+", value)
    elif name == "style":
        work.spend(effort.STYLE)
        yield from styles.urls(value)
    elif name == "content" and tag.name == "meta" and (found := _REFRESH.search(value)):
        yield found[0]
    elif name in TEXT_ATTRIBUTES:
        yield from (f"//{link.host}" for link in in_text(value, work))


def _short_hosts(url: str, work: Effort) -> list[str]:
    """The shorteners among the hosts of a URL and of those within it."""
    work.spend(effort.ADDRESS)
    found = {urls.host(url)}
    for inner in urls.nested(url):
        work.spend(effort.ADDRESS)
        found.add(urls.host(inner))
    return sorted(host for host in found if host and shortener(host))


def _once(links: Iterable[ShortLink]) -> list[ShortLink]:
    """The first link of each host. Raises Exhausted if nothing was found when the effort was spent."""
    return firsts(links, lambda link: link.host)

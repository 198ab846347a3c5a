"""Short links: addresses that hide where they lead; spam filters punish a letter for one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from . import styles, urls
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
_REFRESH = re.compile(r"[;,]?\s*(?:url\s*=)?\s*['\"]?\s*((?:https?:|[\\/]{2}).*)", re.IGNORECASE | re.DOTALL)
_GAP = re.compile(r"[\s<>\"'`(){}\[\]|«»„“”‘’,]+")
_LEADING = re.compile(r"^[^\w/\\]+")
_BARE = re.compile(r"(?![^/\\]*@)([^\s/\\?#:]+\.[^\s/\\?#:]{2,}?)\.?(?::\d+)?[/\\?][^\s/\\?]", re.IGNORECASE)
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
    labels = host.split(".")
    return any(".".join(labels[start:]) in shorteners() for start in range(len(labels) - 1))


def in_html(html: str) -> list[ShortLink]:
    """Short links a reader of this HTML can follow, load or read."""
    bare = without_comments(html)
    found = list(_of_tags(html, bare))
    found += [(html.find(css), url) for _, css in style_sheets(bare) for url in styles.urls(css)]
    links = [ShortLink(host, place) for place, url in found for host in _short_hosts(url)]
    return _once(links + [ShortLink(link.host, html.find(link.host)) for link in in_text(visible_text(bare))])


def in_text(text: str) -> list[ShortLink]:
    """Short links in plain text: with a scheme, or a host and a path as mail clients make links of."""
    found = []
    for word in _GAP.split(text):
        token = _LEADING.sub("", word)
        if start := _IN_TEXT.search(token):
            found += _short_hosts(token[start.start() :])
        if bare := _BARE.match(token):
            found += [host for host in [urls.tidy_host(bare[1])] if shortener(host)]
    return _once([ShortLink(host, text.find(host)) for host in found])


def _of_tags(html: str, bare: str) -> Iterator[tuple[int, str]]:
    try:
        for tag in tags(bare):
            yield from ((_place(html, tag), url) for url in _of_tag(tag))
    except Tangled:  # which is malicious enough
        return


def _place(html: str, tag: Tag) -> int:
    return tag.start if html.startswith("<", tag.start) and html[tag.start + 1 :].lower().startswith(tag.name) else -1


def _of_tag(tag: Tag) -> Iterator[str]:
    for attribute in tag.attributes:
        yield from _of_attribute(tag, attribute)


def _of_attribute(tag: Tag, attribute: Attribute) -> Iterator[str]:
    name, value = attribute.name, attribute.value
    if name in URL_ATTRIBUTES:
        yield value
        if _BARE.match(value.strip()) and name == "href":
            yield f"//{value.strip()}"
    elif name in LIST_ATTRIBUTES:
        yield from re.split(r"[\s,]+", value)
    elif name == "style":
        yield from styles.urls(value)
    elif name == "content" and tag.name == "meta" and (found := _REFRESH.search(value)):
        yield found[1]
    elif name in TEXT_ATTRIBUTES:
        yield from (f"//{link.host}" for link in in_text(value))


def _short_hosts(url: str) -> list[str]:
    hosts = [urls.host(url), *(urls.host(inner) for inner in urls.nested(url))]
    return [host for host in hosts if host and shortener(host)]


def _once(links: list[ShortLink]) -> list[ShortLink]:
    return list({link.host: link for link in reversed(links)}.values())[::-1]

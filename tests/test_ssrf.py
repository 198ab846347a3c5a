"""Outgoing requests: a shop names the host, and must not be able to name one of ours."""

import json
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import channel_peers as peers
from vestnik import resources
from vestnik.errors import Later, Refused
from vestnik.outgoing import guard, web

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "webhooks" / "ssrf_urls.jsonl"
ROWS = [json.loads(line) for line in CORPUS.read_text().splitlines()] if CORPUS.exists() else []
NOW = datetime(2026, 11, 20, tzinfo=UTC)

# fmt: off
INNER = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",  # noqa: S104
    "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::1",
    "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    "fe80::1%eth0",
]
OUTER = [
    "8.8.8.8", "1.1.1.1", "52.94.236.248", "2606:4700:4700::1111", "2a00:1450:4001:829::200e",
]
DISGUISED = [
    "http://example.com/", "ftp://example.com/", "https://example.com:22/", "https://example.com:80/",
    "https://user@example.com/", "https://user:pw@example.com/", "https://example.com#@127.0.0.1/",
    "https://127.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://017700000001/", "https://2130706433/",
    "https://0x7f000001/", "https://127.0.0.1./", "https://1.1.1/", "https://[::1]/",
    "https://[::ffff:7f00:1]/", "https://[::1%25lo]/", "https://[64:ff9b::a00:1]/", "https://localhost/",
    "https://localhost./", "https://LOCALHOST/", "https://foo.localhost/",
    "https://metadata.google.internal/", "https://kubernetes.default.svc.local/", "https://intranet/",
    "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://exa%6dple.com/", "https://example.com\\@127.0.0.1/",
    "https://example.com:443:80/", "https:///path", "https:example.com", "//example.com/",
    "https://ex_ample.com/", "https://-a.com/", "https://a..com/", "https://.com/", "javascript:alert(1)",
    "https://[fe80::1]/", "https://169.254.169.254/latest/meta-data/", "https://example.com/\u202e",
    "https://0/", "https://00.00.00.00/", "https://256.256.256.256/", "https://0x/", "https://1.2.3.4.5/",
]
# fmt: on


@pytest.mark.skipif(not ROWS, reason="the shared corpora are not here")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_every_url_of_the_corpus_is_judged_right(row: dict[str, str]) -> None:
    with resources.use({}):
        try:
            guard.check(row["url"])
            judged = "accept"
        except Refused:
            judged = "reject"
    assert judged == row["expect"]


@pytest.mark.parametrize(
    "url",
    [*DISGUISED, "https://exam ple.com/", "https://example.com/a b", "https://example.com/\r\nX: 1", "", "h" * 3000],
)
def test_a_disguised_or_inner_address_is_refused(url: str) -> None:
    with resources.use({}), pytest.raises(Refused) as told:
        guard.check(url)
    assert told.value.code in {"bad-url", "forbidden-address"}


@pytest.mark.parametrize("address", INNER)
def test_an_address_that_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", OUTER)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert guard.is_public(address)


def test_an_ordinary_webhook_address_is_read_as_written() -> None:
    with resources.use({}):
        assert guard.target("https://Shop.Example:8443/hook?a=1").authority == "shop.example:8443"
        assert guard.target("https://shop.example?a=1").path == "/?a=1"
        assert guard.target("https://пример.рф/крюк".replace("крюк", "")).host == "xn--e1afmkfd.xn--p1ai"
        assert guard.target("https://[2606:4700:4700::1111]/").authority == "[2606:4700:4700::1111]"


@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://127.0.0.1", "https://[", "http://"]))
def test_no_text_makes_the_guard_crash_or_pass_a_local_address(text: str, start: str) -> None:
    with resources.use({}):
        try:
            to = guard.target(start + text)
        except Refused:
            return
    assert to.scheme == "https"
    assert to.port in guard.PORTS


def test_only_the_exact_twin_is_let_through() -> None:
    with peers.https("ok") as (url, seen):
        allowed = resources.env("OUTGOING_ALLOW")
        web.post(url, b"{}", {})
        for other in (url.replace("127.0.0.1", "localhost"), url.replace(":" + allowed.split(":")[1], ":1")):
            with pytest.raises(Refused):
                web.post(other, b"{}", {})
        with resources.use({}), pytest.raises(Refused):
            web.post(url, b"{}", {})
    assert len(seen.bodies) == 1


def test_a_name_that_leads_inside_is_refused_though_its_text_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    outside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: outside + inside)
    with resources.use({}), pytest.raises(Refused) as told:
        web.post("https://rebinding.example/", b"", {})
    assert told.value.code == "forbidden-address"


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answers(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with peers.https("ok") as (url, seen):
        port = int(url.split(":")[2].split("/")[0])
        monkeypatch.setattr(socket, "getaddrinfo", answers)
        with resources.use({"OUTGOING_ALLOW": f"twin.example:{port}"}):
            web.post(f"http://twin.example:{port}/", b"{}", {})
    assert asked == ["twin.example"]
    assert seen.headers[0]["host"] == f"twin.example:{port}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return peers.make_certificate(tmp_path_factory.mktemp("tls"))


def test_https_is_spoken_to_the_name_that_its_certificate_is_for(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with peers.https("ok", certificate=certificate) as (url, seen):
        assert web.post(url, b"{}", {}).status == 200
        wrong = url.replace("localhost", "127.0.0.1")
        with resources.use({"OUTGOING_ALLOW": wrong.split("/")[2]}), pytest.raises(Later, match="no TLS"):
            web.post(wrong, b"{}", {})
    assert len(seen.bodies) == 1


def test_a_certificate_that_nobody_trusts_gets_nothing(certificate: tuple[Path, Path]) -> None:
    with peers.https("ok", certificate=certificate) as (url, seen), pytest.raises(Later, match="no TLS"):
        web.post(url, b"{}", {})
    assert not seen.bodies


def test_a_redirect_is_not_followed() -> None:
    with peers.https("moved") as (url, seen):
        answer = web.post(url, b"{}", {})
        with pytest.raises(Refused):
            web.judge(answer, "the receiver", NOW)
    assert len(seen.bodies) == 1


def test_a_receiver_that_drips_its_answer_is_cut_off_and_its_status_holds() -> None:
    with peers.https("dripping") as (url, _):
        assert web.post(url, b"{}", {}).status == 200


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with peers.https("ok", ok=b"x" * 300_000) as (url, _):
        assert len(web.post(url, b"{}", {}).body) == web.ANSWER_BYTES


def test_a_connection_closed_meanwhile_is_not_used_again() -> None:
    with peers.https("ok") as (url, seen):
        web.post(url, b"{}", {})
        for connection, _ in web._idle.values():
            assert connection.sock is not None
            connection.sock.shutdown(socket.SHUT_RDWR)
        web.post(url, b"{}", {})
        assert seen.connections == 2


def test_a_host_that_does_not_resolve_means_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with resources.use({}), pytest.raises(Later):
        web.post("https://nowhere.example/", b"", {})


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("120", NOW + timedelta(seconds=120)),
        ("Fri, 20 Nov 2026 00:05:00 GMT", NOW + timedelta(minutes=5)),
        ("Fri, 20 Nov 2020 00:05:00 GMT", NOW),
        ("999999999", NOW + timedelta(days=1)),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_a_wait_is_obeyed_within_reason(value: str, at: datetime | None) -> None:
    assert web.retry_at(replace(web.Answer(429, {}, b""), headers={"retry-after": value}), NOW) == at


def test_threads_share_no_connection() -> None:
    with peers.https("ok") as (url, seen):
        told = dict(resources._environment.get())

        def run() -> None:
            with resources.use(told):
                web.post(url, b"{}", {})

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(seen.bodies) == 8

"""The contract of channels: every plug-in of the folder meets the same cases and means the same by them."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests import channel_peers as peers
from vestnik import channels, plugins, resources
from vestnik.channels import email_ses, email_smtp, sms_eum, sms_sns, telegram, webhook
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.errors import Later, Refused, Unknown

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ALL = plugins.modules(channels)
LETTER = Letter(
    shop="teashop",
    message="2611200abcdefghijklmnopqrstuvwxyz-abcdefgh",
    attempt="0123456789abcdef",
    channel="email",
    to="anna@example.com",
    to_name="Анна Петрова",
    subject="Ваш заказ № 7 собран",
    html="<p>Собран и ждёт вас</p>",
    text="Собран и ждёт вас",
    language="ru",
)
TO = {"email": "anna@example.com", "sms": "+359881234567", "telegram": "4242", "webhook": ""}
CONFIG: dict[str, dict[str, Any]] = {
    "email_ses": {"from_address": "shop@example.com", "from_name": "Чайная лавка", "tenant": "tea"},
    "email_smtp": {
        "from_address": "shop@example.com",
        "host": "localhost",
        "port": 587,
        "security": "starttls",
        "username": "shop",
    },
    "sms_eum": {"origination": "+35970012345", "max_price": "0.10", "time_to_live": 600},
    "sms_sns": {"sender_id": "TeaShop", "max_price": "0.10"},
    "telegram": {"silent": True, "message_thread_id": 5},
    "webhook": {},
}
SECRET = {
    "email_smtp": {"password": peers.PASSWORD},
    "telegram": {"token": peers.TOKEN},
    "webhook": {"secret": peers.WEBHOOK_SECRET},
}
AWS = {
    "email_ses": ("sesv2", {"code": "BadRequestException", "text": "Illegal address"}, "TooManyRequestsException"),
    "sms_eum": (
        "pinpoint-sms-voice-v2",
        {"code": "ConflictException", "reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
        "ThrottlingException",
    ),
    "sms_sns": ("sns", {"code": "InvalidParameter", "text": "Phone number is opted out"}, "Throttling"),
}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return peers.make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def sender(channel: ModuleType, **config: Any) -> Sender:
    return Sender("teashop", "main", channel.CHANNEL, channel.PLUGIN, config={**CONFIG[channel.PLUGIN], **config})


@contextmanager
def stage(
    channel: ModuleType, case: str, certificate: tuple[Path, Path]
) -> Iterator[tuple[Letter, Sender, peers.Seen]]:
    """The channel's peer, told to behave as `case`, with a letter and a sender that go to it."""
    letter = replace(LETTER, channel=channel.CHANNEL, to=TO[channel.CHANNEL])
    if channel.PLUGIN in AWS:
        with peers.aws(AWS[channel.PLUGIN][0], case, *AWS[channel.PLUGIN][1:]) as seen:
            yield letter, sender(channel), seen
    elif channel.PLUGIN == "email_smtp":
        with peers.smtp(case, certificate) as (port, seen):
            yield letter, sender(channel, port=port), seen
    else:
        said = {
            "ok": b'{"ok":true,"result":{"message_id":77}}',
            "refusal": b'{"description":"Bad Request: chat not found"}',
        }
        with peers.https(case, **said, wait=b'{"parameters":{"retry_after":7}}') as (url, seen):
            yield replace(letter, to=url if channel is webhook else letter.to), sender(channel), seen


def outcome(channel: ModuleType, case: str, certificate: tuple[Path, Path]) -> Receipt | Exception:
    with stage(channel, case, certificate) as (letter, who, _):
        try:
            receipt: Receipt = channel.send(letter, who, SECRET.get(channel.PLUGIN, {}), now=NOW)
            return receipt
        except (Refused, Later, Unknown) as told:
            return told


every_channel = pytest.mark.parametrize("channel", ALL.values(), ids=ALL)


@every_channel
def test_a_taken_message_gives_a_receipt_with_the_providers_id(channel: ModuleType, certificate: Any) -> None:
    receipt = outcome(channel, "ok", certificate)
    assert isinstance(receipt, Receipt), receipt
    assert receipt.provider_id
    assert receipt.at == NOW


@every_channel
def test_a_permanent_refusal_is_told_with_a_word_and_a_reason(channel: ModuleType, certificate: Any) -> None:
    told = outcome(channel, "refused", certificate)
    assert isinstance(told, Refused), told
    assert told.code in {"bad-address", "opted-out", "refused"}
    assert told.reason


@every_channel
def test_a_throttled_message_goes_later(channel: ModuleType, certificate: Any) -> None:
    told = outcome(channel, "throttled", certificate)
    assert isinstance(told, Later), told
    assert told.at in (None, NOW + timedelta(seconds=7))


@every_channel
@pytest.mark.parametrize("case", ["closed", "silent"])
def test_a_lost_answer_leaves_it_unknown_whether_it_went(channel: ModuleType, case: str, certificate: Any) -> None:
    assert isinstance(told := outcome(channel, case, certificate), Unknown), told


@every_channel
def test_a_failing_provider_leaves_it_unknown_whether_it_went(channel: ModuleType, certificate: Any) -> None:
    if channel is email_smtp:
        pytest.skip("in SMTP a 5xx is a clear refusal")
    assert isinstance(told := outcome(channel, "busy", certificate), Unknown), told


@every_channel
def test_an_unreachable_provider_means_not_sent(channel: ModuleType, certificate: Any) -> None:
    assert isinstance(told := outcome(channel, "unreachable", certificate), Later), told


@every_channel
@pytest.mark.parametrize("case", ["refused", "throttled", "closed", "silent", "busy", "unreachable"])
def test_no_secret_stands_in_an_error(channel: ModuleType, case: str, certificate: Any) -> None:
    told = outcome(channel, case, certificate)
    for secret in SECRET.get(channel.PLUGIN, {}).values():
        assert secret not in repr(told)
        assert secret not in repr(getattr(told, "__dict__", ""))
        assert secret not in repr(getattr(told, "__cause__", None))


@every_channel
@pytest.mark.parametrize("case", ["ok", "busy", "silent", "closed"])
def test_a_send_goes_on_the_wire_once(channel: ModuleType, case: str, certificate: Any) -> None:
    with stage(channel, case, certificate) as (letter, who, seen):
        with suppress(Unknown):
            channel.send(letter, who, SECRET.get(channel.PLUGIN, {}), now=NOW)
        assert len(seen.bodies) == 1


@every_channel
def test_a_channel_says_what_it_is(channel: ModuleType) -> None:
    assert channel.__name__.endswith("." + channel.PLUGIN)
    assert channel.PLUGIN.startswith(channel.CHANNEL)
    assert channel.LANES[0] == "transactional"
    assert channel.CALLS
    assert channel.RATE > 0
    assert channel.__doc__
    assert hasattr(channel, "feedback") == channel.FEEDBACK


@every_channel
def test_a_channels_settings_are_checked_by_its_schemas(channel: ModuleType) -> None:
    settings, secrets = jsonschema_rs.validator_for(channel.CONFIG), jsonschema_rs.validator_for(channel.SECRET)
    assert settings.is_valid(CONFIG[channel.PLUGIN])
    assert secrets.is_valid(SECRET.get(channel.PLUGIN, {}))
    assert not settings.is_valid({**CONFIG[channel.PLUGIN], "surprise": 1})
    assert not secrets.is_valid({"surprise": "x"})


@every_channel
def test_a_channel_names_the_limits_it_must_keep(channel: ModuleType) -> None:
    letter = replace(LETTER, to=TO[channel.CHANNEL] or "https://shop.example/hook")
    with resources.use({}):
        buckets = channel.buckets(letter, sender(channel))
        slow = channel.buckets(letter, replace(sender(channel), rate=0.5))
    assert all(isinstance(cap, int) and cap >= 1 and seconds >= 1 for _, cap, seconds in [*buckets, *slow])
    assert any((cap, seconds) == (1, 2) for _, cap, seconds in slow)


def test_the_message_and_its_attempt_ride_in_ses_tags(certificate: Any) -> None:
    with stage(email_ses, "ok", certificate) as (letter, who, seen):
        email_ses.send(replace(letter, shop="tea_shop.bg"), who, {}, now=NOW)
    tags = {tag["Name"]: tag["Value"] for tag in seen.requests[0]["EmailTags"]}
    assert tags["message"] == LETTER.message
    assert tags["attempt"] == LETTER.attempt
    assert tags["shop"].replace("_", "").isalnum()
    assert seen.requests[0]["ConfigurationSetName"] == "set-1"
    assert seen.requests[0]["TenantName"] == "tea"


def test_a_tag_is_read_back_as_the_shop_it_names() -> None:
    for shop in ("teashop", "tea_shop.bg", "чай", "a-b"):
        mail = {"messageId": "1", "tags": {"shop": [email_ses.tag(shop)]}}
        assert email_ses.feedback({"eventType": "Send", "mail": mail})[0].shop == shop


def test_the_message_and_its_attempt_ride_in_the_context_of_a_text(certificate: Any) -> None:
    with stage(sms_eum, "ok", certificate) as (letter, who, seen):
        sms_eum.send(letter, who, {}, now=NOW)
    sent = seen.requests[0]
    assert sent["Context"] == {"message": LETTER.message, "shop": "teashop", "attempt": LETTER.attempt}
    assert (sent["MaxPrice"], sent["TimeToLive"], sent["MessageType"]) == ("0.10", 600, "TRANSACTIONAL")
    assert sent["ConfigurationSetName"] == "sms-1"


def test_an_sns_text_carries_its_sender_and_price_cap(certificate: Any) -> None:
    with stage(sms_sns, "ok", certificate) as (letter, who, seen):
        sms_sns.send(letter, who, {}, now=NOW)
    form = seen.requests[0]["form"]
    assert all(word in form for word in ("TeaShop", "MaxPrice", "Transactional", "359881234567"))


def test_a_text_beyond_the_carriers_length_is_refused(certificate: Any) -> None:
    for channel in (sms_eum, sms_sns):
        with pytest.raises(Refused, match="1601 characters"):
            channel.send(replace(LETTER, to=TO["sms"], text="x" * 1601), sender(channel), {}, now=NOW)


# --- the shop's own server


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_shops_own_server_gets_the_letter_under_tls(security: str, certificate: Any) -> None:
    with peers.smtp("ok", certificate, security=security) as (port, seen):
        who = sender(email_smtp, port=port, security=security)
        receipt = email_smtp.send(replace(LETTER, text="one\n.\n..two"), who, SECRET["email_smtp"], now=NOW)
    assert seen.mails[0]["Message-ID"] == receipt.provider_id
    assert LETTER.message in receipt.provider_id
    assert LETTER.attempt in receipt.provider_id
    text = seen.mails[0].get_body(("plain",))
    assert text is not None
    assert text.get_content().split() == ["one", ".", "..two"]
    assert receipt.detail == "OK queued as 42"


def test_a_server_without_tls_gets_neither_password_nor_letter(certificate: Any) -> None:
    with peers.smtp("no-tls", certificate) as (port, seen), pytest.raises((Refused, Later)):
        email_smtp.send(LETTER, sender(email_smtp, port=port), SECRET["email_smtp"], now=NOW)
    assert not seen.mails


def test_a_server_with_a_strange_certificate_gets_nothing(certificate: Any, tmp_path: Path) -> None:
    stranger = peers.make_certificate(tmp_path)
    with peers.smtp("ok", certificate) as (port, seen):
        told = {"OUTGOING_ALLOW": f"localhost:{port}", "SMTP_CA_FILE": str(stranger[0])}
        with resources.use(told), pytest.raises(Later, match="no TLS"):
            email_smtp.send(LETTER, sender(email_smtp, port=port), SECRET["email_smtp"], now=NOW)
    assert not seen.mails


def test_a_wrong_password_is_for_a_person_to_put_right(certificate: Any) -> None:
    with peers.smtp("ok", certificate) as (port, _), pytest.raises(Refused) as told:
        email_smtp.send(LETTER, sender(email_smtp, port=port), {"password": "wrong-password"}, now=NOW)
    assert told.value.code == "login-refused"
    assert "wrong-password" not in told.value.reason


@pytest.mark.parametrize(
    ("case", "code"),
    [("refused", "bad-address"), ("full", "bounced"), ("spam", "rejected")],
)
def test_a_refusal_in_the_conversation_tells_a_dead_address_from_a_full_one(
    case: str, code: str, certificate: Any
) -> None:
    with peers.smtp(case, certificate) as (port, _), pytest.raises(Refused) as told:
        email_smtp.send(LETTER, sender(email_smtp, port=port), SECRET["email_smtp"], now=NOW)
    assert told.value.code == code


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 587), ("localhost", 465), ("169.254.169.254", 587), ("8.8.8.8", 25)]
)
def test_a_mail_server_inside_our_own_network_is_never_spoken_to(host: str, port: int) -> None:
    with resources.use({}), pytest.raises(Refused):
        email_smtp.send(LETTER, sender(email_smtp, host=host, port=port), SECRET["email_smtp"], now=NOW)


# --- Telegram


def test_telegram_gets_a_silent_message_in_its_topic_without_previews(certificate: Any) -> None:
    with stage(telegram, "ok", certificate) as (letter, who, seen):
        receipt = telegram.send(replace(letter, html=""), who, SECRET["telegram"], now=NOW)
    sent = json.loads(seen.bodies[0])
    assert receipt.provider_id == "77"
    assert (sent["chat_id"], sent["text"], sent["message_thread_id"]) == ("4242", LETTER.text, 5)
    assert sent["disable_notification"] is True
    assert sent["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in sent


def test_telegram_names_its_wait_in_the_body(certificate: Any) -> None:
    wait = b'{"parameters":{"retry_after":33},"description":"Too Many Requests"}'
    with peers.https("throttled", wait=wait), pytest.raises(Later) as told:
        telegram.send(replace(LETTER, to="1"), sender(telegram), SECRET["telegram"], now=NOW)
    assert told.value.at == NOW + timedelta(seconds=33)


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (403, "Forbidden: bot was blocked by the user", "blocked"),
        (400, "Bad Request: chat not found", "bad-address"),
        (401, "Unauthorized", "login-refused"),
        (404, "Not Found", "refused"),
    ],
)
def test_telegrams_reasons_have_our_words(status: int, said: str, code: str) -> None:
    body = json.dumps({"ok": False, "description": said}).encode()
    with peers.https("refused", status=status, refusal=body), pytest.raises(Refused) as told:
        telegram.send(replace(LETTER, to="1"), sender(telegram), SECRET["telegram"], now=NOW)
    assert told.value.code == code


def test_telegram_limits_the_bot_the_chat_and_the_group() -> None:
    person = telegram.buckets(replace(LETTER, to="4242"), sender(telegram))
    group = telegram.buckets(replace(LETTER, to="-100777"), sender(telegram))
    assert [(cap, seconds) for _, cap, seconds in person] == [(30, 1), (1, 1)]
    assert [(cap, seconds) for _, cap, seconds in group] == [(30, 1), (1, 1), (20, 60)]


def test_a_connection_is_kept_for_the_next_message(certificate: Any) -> None:
    with stage(telegram, "ok", certificate) as (letter, who, seen):
        for _ in range(3):
            telegram.send(letter, who, SECRET["telegram"], now=NOW)
        assert (len(seen.bodies), seen.connections) == (3, 1)


# --- webhooks


def test_a_webhook_can_be_proved_by_the_standards_own_library(certificate: Any) -> None:
    now = datetime.now(UTC)
    with stage(webhook, "ok", certificate) as (letter, who, seen):
        webhook.send(replace(letter, payload={"type": "order.placed", "сумма": 1}), who, SECRET["webhook"], now=now)
    headers, body = seen.headers[0], seen.bodies[0]
    assert Webhook(peers.WEBHOOK_SECRET).verify(body, headers) == {"type": "order.placed", "сумма": 1}
    assert headers["webhook-id"] == LETTER.message
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"another").decode()).verify(body, headers)


def test_during_a_change_of_keys_both_receivers_can_prove_it(certificate: Any) -> None:
    other = "whsec_" + base64.b64encode(b"the key of before, still in use").decode()
    with stage(webhook, "ok", certificate) as (letter, who, seen):
        webhook.send(letter, who, {**SECRET["webhook"], "previous_secret": other}, now=datetime.now(UTC))
    for key in (other, peers.WEBHOOK_SECRET):
        Webhook(key).verify(seen.bodies[0], seen.headers[0])


def test_a_webhook_that_is_gone_is_refused_with_that_word(certificate: Any) -> None:
    with peers.https("refused", status=410) as (url, _), pytest.raises(Refused) as told:
        webhook.send(replace(LETTER, to=url), sender(webhook), SECRET["webhook"], now=NOW)
    assert told.value.code == "gone"


def test_a_webhook_without_a_secret_is_not_sent_unsigned(certificate: Any) -> None:
    with peers.https("ok") as (url, seen), pytest.raises(Refused, match="no webhook secret"):
        webhook.send(replace(LETTER, to=url), sender(webhook), {}, now=NOW)
    assert not seen.bodies


def test_the_channel_of_the_documentation_keeps_the_contract() -> None:
    text = (Path(__file__).parents[1] / "docs" / "add-a-channel.md").read_text()
    slack = ModuleType("slack")
    exec(text.split("```python\n")[1].split("```")[0], slack.__dict__)  # noqa: S102  (the documentation's own example)
    who = Sender("teashop", "team", slack.CHANNEL, slack.PLUGIN)
    meanings = {"ok": None, "refused": Refused, "throttled": Later, "busy": Unknown, "closed": Unknown}
    for case, meaning in meanings.items():
        with peers.https(case, status=404) as (url, seen):
            if meaning is None:
                assert slack.send(LETTER, who, {"url": url}, now=NOW).provider_id
                assert json.loads(seen.bodies[0]) == {"text": LETTER.text}
            else:
                with pytest.raises(meaning):
                    slack.send(LETTER, who, {"url": url}, now=NOW)
    assert slack.buckets(LETTER, who)

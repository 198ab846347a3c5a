"""A stage: what one deployment is called and how it differs from the next. Read from cdk.json or `-c key=value`."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FEATURES = {
    "sms-voice": "End User Messaging SMS: its configuration set, and the receipts that come through it",
}


@dataclass(frozen=True)
class Stage:
    """`without`: features of the map that this deployment leaves out (emulators lack some). `domain`,
    `certificate`: the API's own host name and its ACM certificate. `alarm_email`: who hears of alarms. `rate`,
    `burst`: requests a second that the API takes from everybody together. `ses_rate`, `sms_rate`: messages a second
    that SES grants the account, and End User Messaging SMS each of its numbers; 0: the channels' own pace."""

    name: str = "dev"
    without: frozenset[str] = frozenset()
    domain: str = ""
    certificate: str = ""
    alarm_email: str = ""
    rate: int = 1000
    burst: int = 2000
    ses_rate: float = 0
    sms_rate: float = 0

    def __post_init__(self) -> None:
        if unknown := self.without - FEATURES.keys():
            raise ValueError(f"`without` may name {sorted(FEATURES)}, not {sorted(unknown)}")
        if bool(self.domain) != bool(self.certificate):
            raise ValueError("`domain` and `certificate` (the ARN of its ACM certificate) go together")
        if min(self.ses_rate, self.sms_rate) < 0:
            raise ValueError("`ses_rate` and `sms_rate` are messages a second")

    def named(self, name: str) -> str:
        """The name in AWS of a thing of this stage."""
        return f"vestnik-{self.name}-{name}"

    @property
    def rates(self) -> dict[str, float]:
        """Messages a second that the account may send, by the map's word for who sends them; only where set."""
        return {word: rate for word, rate in (("ses", self.ses_rate), ("sms-voice", self.sms_rate)) if rate}

    @property
    def secrets_prefix(self) -> str:
        """What the names of the shops' own secrets begin with."""
        return f"vestnik/{self.name}/shops/"

    @property
    def link_key(self) -> str:
        """The name of the secret that signs public links."""
        return f"vestnik/{self.name}/link-key"


def from_context(get: Callable[[str], Any]) -> Stage:
    """The stage that a CDK context describes. `without` is a list, or, by `-c`, a string with commas."""
    without = get("without") or []
    names = without.split(",") if isinstance(without, str) else without
    return Stage(
        name=get("stage") or Stage.name,
        without=frozenset(name for name in names if name),
        domain=get("domain") or "",
        certificate=get("certificate") or "",
        alarm_email=get("alarm_email") or "",
        rate=int(get("rate") or Stage.rate),
        burst=int(get("burst") or Stage.burst),
        ses_rate=float(get("ses_rate") or Stage.ses_rate),
        sms_rate=float(get("sms_rate") or Stage.sms_rate),
    )


def committed_context() -> dict[str, Any]:
    """The context of cdk.json. Only the CLI reads it by itself; read here, both ways give one template."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def given(pairs: Iterable[str]) -> dict[str, str]:
    """The context that `key=value` pairs give."""
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}

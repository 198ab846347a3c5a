"""The smoke test: the same map, deployed by the CDK's own command line to an emulator, and the main story over HTTP.

`python -m infra.smoke [--keep]` prints what was seen and ends with 1 where something was not.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import httpx
from rich.console import Console
from rich.table import Table

from infra import alone, first_key, layers, permissions, sending_domains
from infra.emulator import ACCOUNT, REGION, Emulator
from infra.layers import BUILD, ROOT
from infra.stage import Stage
from vestnik import resources
from vestnik.store import due

HOME = BUILD / "smoke"
ASSEMBLY = HOME / "cdk.out"
STAGE = Stage("smoke", without=frozenset({"sms-voice"}))
SHOP = "samovar"
PATIENCE = 150.0  # seconds: the schedule ticks once a minute, and a busy machine starts functions slowly
CDK = ROOT / "node_modules" / ".bin" / "cdk"
MAIL = {"from_address": "orders@samovar.example", "from_name": "Samovar"}
SETTINGS = {
    "name": "Samovar",
    "url": "https://samovar.example",
    "email": "help@samovar.example",
    "language": "en",
    "timezone": "Europe/Sofia",
    "country": "BG",
    "currency": "EUR",
}
LATER = {
    "name": "later",
    "pattern": {"type": ["order.delivered"]},
    "recipients": [{"kind": "customer"}],
    "channel": "email",
    "delay": "PT20M",
}


WINDOW = """from functions import _in_a_window


def handler(event, context):
    return _in_a_window.handler({"shardId": "shardId-of-the-emulator", "state": {}, **event}, context)
"""


class NotSeen(Exception):
    """What the story waits for did not come."""


@dataclass
class Seen:
    """What was looked for, what was found, after how many seconds."""

    rows: list[tuple[str, str, float]] = field(default_factory=list)

    def note(self, what: str, found: str, began: float) -> None:
        """Keep one line, and say it at once."""
        seconds = time.monotonic() - began
        self.rows.append((what, found, seconds))
        print(f"  seen: {what}: {found} ({seconds:.1f} s)", flush=True)

    def show(self) -> None:
        """Print all as a table."""
        table = Table("what", "seen", "seconds", title="Smoke: the deployed map")
        for what, found, seconds in self.rows:
            table.add_row(what, found, f"{seconds:.1f}")
        Console(width=110).print(table)


def prepare() -> None:
    """The cloud assembly of the smoke stage, its vendor layer exchanged for the same lock's wheels of this machine."""
    shutil.rmtree(ASSEMBLY, ignore_errors=True)
    ours = layers.for_this_machine()
    context = ["-c", f"stage={STAGE.name}", "-c", f"without={','.join(STAGE.without)}"]
    run([sys.executable, "-m", "infra.app", *context], {**os.environ, "CDK_OUTDIR": str(ASSEMBLY)})
    vendor = asset("layer-vendor-arm64/Code")
    shutil.rmtree(vendor)
    shutil.copytree(ours, vendor)
    name_the_shard(asset("function-authorize-request/Code") / "functions")
    shutil.rmtree(ASSEMBLY / ".cache", ignore_errors=True)  # or the CLI uploads the old zip


def asset(name: str) -> Path:
    """The folder of one asset of the work stack, by the name that the CDK shows."""
    files = json.loads((ASSEMBLY / f"{STAGE.named('work')}.assets.json").read_text())["files"].values()
    (path,) = [file["source"]["path"] for file in files if file["displayName"] == name]
    return ASSEMBLY / str(path)


def name_the_shard(doors: Path) -> None:
    """The emulator has no tumbling windows, so its stream names no shard: say which, before the door is reached."""
    door = doors / "count_statistics.py"
    door.rename(doors / "_in_a_window.py")
    for compiled in (doors / "__pycache__").glob("count_statistics.*"):
        compiled.unlink()
    door.write_text(WINDOW)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run a program; what it said is shown only where it fails."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")


def deploy(emulator: Emulator) -> None:
    """Bootstrap and deploy all three stacks as one would in an account."""
    app = ["--app", str(ASSEMBLY)]
    run([str(CDK), "bootstrap", f"aws://{ACCOUNT}/{REGION}", *app], emulator.environment())
    run([str(CDK), "deploy", "--all", "--require-approval", "never", *app], emulator.environment())


def until(what: str, look: Callable[[], Any]) -> Any:
    """What `look` finds, as soon as it finds something. Raises NotSeen."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.3)
    raise NotSeen(what)


class Story:
    """The main story against one deployment."""

    def __init__(self, emulator: Emulator, seen: Seen) -> None:
        self.emulator, self.seen = emulator, seen
        session = botocore.session.get_session()
        self.sdk: dict[str, Any] = {
            name: session.create_client(name, region_name=REGION)
            for name in ("lambda", "sqs", "sns", "sesv2", "dynamodb")
        }
        self.variables = first_key.variables(STAGE, "manage-shop", REGION, self.sdk["lambda"])
        api = self.variables["PUBLIC_URL"].removeprefix("https://").partition(".")[0]
        self.http = httpx.Client(base_url=emulator.url, headers={"Host": emulator.host_of(api)}, timeout=60)

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 0) -> Any:
        """One request; its JSON. Raises NotSeen where the answer is another one than expected (2xx)."""
        answer = self.http.request(method, path, json=body)
        if answer.status_code != expect and (expect or not answer.is_success):
            raise NotSeen(f"{method} {path}: {answer.status_code} {answer.text[:600]}")
        with suppress(ValueError):
            return answer.json()
        return answer.text

    def play(self) -> None:
        """Every scene in its order."""
        for scene in (self.keys, self.shop, self.mail, self.feedback, self.statistics, self.schedule, self.poison):
            scene()

    def keys(self) -> None:
        """The authorizer lets a key in and nobody else; open routes need none."""
        began = time.monotonic()
        self.call("GET", "/v1/shop", expect=401)
        self.http.headers["Authorization"] = "Bearer vst_of_nobody"
        self.call("GET", "/v1/shop", expect=403)
        self.seen.note("authorizer", "no key 401, a wrong key 403", began)
        began = time.monotonic()
        key = first_key.make(SHOP, self.variables, datetime.now(UTC))
        sending_domains.grant(SHOP, ["samovar.example"], self.variables, datetime.now(UTC))
        self.http.headers["Authorization"] = f"Bearer {key}"
        self.call("GET", "/v1/shop", expect=200)
        self.seen.note("first key", "made, and in force", began)
        began = time.monotonic()
        document = self.call("GET", "/v1/openapi.json", expect=200)
        self.seen.note("open route", f"OpenAPI {document['openapi']}, {len(document['paths'])} paths", began)

    def shop(self) -> None:
        """A shop, its sender, a customer, put over the API."""
        began = time.monotonic()
        # What an owner does in the SES console: only verified domains may send.
        self.sdk["sesv2"].create_email_identity(EmailIdentity="samovar.example")
        self.call("PUT", "/v1/shop", SETTINGS)
        self.call("PUT", "/v1/senders/mail", {"plugin": "email_ses", "config": MAIL, "default": True})
        self.call("PUT", "/v1/customers/c-1", customer())
        self.seen.note("settings", "shop, sender and customer put", began)

    def mail(self) -> None:
        """An order posted over HTTP becomes a mail in the emulator's SES, and a message that says so."""
        began = time.monotonic()
        self.post("order.placed", "o-1")
        mail = self.mail_to("maria@example.com", 1)
        self.seen.note("mail", f"{mail['Subject']!r} from {mail['Source']}", began)
        self.message = until("the message's record as sent", lambda: self.one_message(state="sent"))
        self.seen.note("message", f"{self.message['state']} by {self.message['plugin']}", began)

    def feedback(self) -> None:
        """SES's own event, by the topic it publishes to (the emulator publishes none)."""
        began = time.monotonic()
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{STAGE.named('feedback-ses')}"
        self.sdk["sns"].publish(TopicArn=topic, Message=json.dumps(delivery(self.message)))
        found = until("delivered_at", lambda: self.one_message(told="delivered"))
        self.seen.note("feedback", f"delivered at {found['times']['delivered']}", began)

    def statistics(self) -> None:
        """The ledger's stream arrives in the sums."""
        began = time.monotonic()
        total = until("sums with the sent and the delivered mail", self.counted)
        self.seen.note("statistics", ", ".join(f"{name} {n}" for name, n in sorted(total.items()) if n), began)

    def schedule(self) -> None:
        """A deferred message's row, moved to now, is swept by the clock, released and sent."""
        began = time.monotonic()
        self.call("PUT", "/v1/rules/later", LATER)
        self.post("order.delivered", "o-1")
        waiting = until("a deferred message", lambda: self.one_message(state="deferred"))
        self.make_due(waiting["id"])
        until("the deferred message as sent", lambda: self.one_message(id=waiting["id"], state="sent"))
        self.seen.note("schedule", "a row of the table of deferred work, swept, released, sent", began)

    def poison(self) -> None:
        """A message that nobody can read ends in the dead-letter queue."""
        began = time.monotonic()
        queue, dead = self.variables["QUEUE_TO_EVALUATE"], self.variables["DEAD_TO_EVALUATE"]
        # Five tries under the map's own time-out would take half an hour.
        self.sdk["sqs"].set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
        self.sdk["sqs"].send_message(QueueUrl=queue, MessageBody="poison")
        until("a dead letter", lambda: self.depth(dead))
        self.seen.note("dead letters", f"{self.depth(dead)} in {STAGE.named('to-evaluate-dead')}", began)

    def post(self, type: str, order: str) -> None:
        """Post one event of the shop."""
        event = {
            "specversion": "1.0",
            "id": f"{type}-{order}",
            "source": "https://samovar.example",
            "type": type,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "data": {"order": order_of(order), "customer": {"id": "c-1"}},
        }
        self.call("POST", "/v1/events", event, expect=202)

    def mail_to(self, address: str, count: int) -> dict[str, Any]:
        """The newest mail to an address, once there are so many."""

        def found() -> list[dict[str, Any]]:
            mails = [mail for mail in self.emulator.mailbox() if any(address in to for to in mail["To"])]
            return mails if len(mails) >= count else []

        newest: dict[str, Any] = until(f"mail to {address}", found)[-1]
        return newest

    def one_message(self, *, state: str = "", told: str = "", id: str = "") -> dict[str, Any] | None:
        """The customer's first message of today that is so."""
        for message in self.call("GET", "/v1/messages?person=customer:c-1")["items"]:
            if state in ("", message["state"]) and id in ("", message["id"]) and (not told or told in message["times"]):
                return dict(message)
        return None

    def counted(self) -> dict[str, int]:
        """Today's sums, once they hold the sent and the delivered mail."""
        total: dict[str, int] = self.call("GET", "/v1/statistics")["total"]
        return total if total.get("sent") and total.get("delivered") else {}

    def make_due(self, message: str) -> None:
        """Move the row of a deferred message to now, through the store, as if its time had passed."""
        rows = self.sdk["dynamodb"].scan(TableName=self.variables["TABLE_DUE"])["Items"]
        (row,) = [row for row in rows if message in row["sk"]["S"]]
        key = {"pk": row["pk"], "sk": row["sk"]}
        with resources.use(self.variables):
            due.put(json.loads(row["job"]["S"]), datetime.now(UTC))
        self.sdk["dynamodb"].delete_item(TableName=self.variables["TABLE_DUE"], Key=key)

    def depth(self, queue: str) -> int:
        """How many messages a queue holds."""
        answer = self.sdk["sqs"].get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def customer() -> dict[str, Any]:
    """Who receives the story's mail."""
    return {
        "kind": "person",
        "name": "Maria Ivanova",
        "email": "maria@example.com",
        "language": "en",
        "timezone": "Europe/Sofia",
        "consent": {"email": True, "sms": False, "telegram": False},
    }


def order_of(id: str) -> dict[str, Any]:
    """An order paid on delivery: the customer is told at once."""
    money = {"amount": 2490, "currency": "EUR"}
    return {
        "id": id,
        "number": "20871",
        "status": "new",
        "customer_id": "c-1",
        "currency": "EUR",
        "total": money,
        "items": [{"sku": "TEA-250", "name": "Assam tea", "quantity": 1, "price": money, "total": money}],
        "delivery": {"method": "courier", "address": "12 Shipka Street, Sofia"},
        "payment": {"method": "cash_on_delivery", "status": "pending"},
        "url": f"https://samovar.example/orders/{id}",
        "origin": "shop",
    }


def delivery(message: dict[str, Any]) -> dict[str, Any]:
    """SES's event of a delivery (SES Developer Guide, "Examples of event data"), for one of our messages."""
    at, to = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}", [message["address"]]
    tags = {"message": [message["id"]], "shop": [SHOP]}
    mail = {"timestamp": at, "messageId": message["provider_id"], "destination": to, "tags": tags}
    outcome = {"timestamp": at, "processingTimeMillis": 612, "recipients": to, "smtpResponse": "250 2.0.0 OK"}
    return {"eventType": "Delivery", "mail": mail, "delivery": outcome}


def main() -> None:
    """Prepare, deploy, play; say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the emulator running until Enter is pressed")
    keep, seen = parser.parse_args().keep, Seen()
    HOME.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    seen.note("layers alone", alone.look(layers.build(alone.LAYERS), permissions.services()), began)
    began = time.monotonic()
    prepare()
    seen.note("templates", "the same map, less " + ", ".join(sorted(STAGE.without)), began)
    # Its Lambdas have no /opt: the templates' layer is shown to them where it was built.
    extra = {"VESTNIK_TEMPLATES": str(BUILD / "layers" / "templates" / "templates")}
    with Emulator(HOME / "emulator.log", extra) as emulator:
        os.environ.update({k: v for k, v in emulator.environment().items() if k.startswith("AWS_")})
        sys.exit(perform(emulator, seen, keep))


def perform(emulator: Emulator, seen: Seen, keep: bool) -> int:
    """Deploy and play; 0 where all was seen."""
    began, missed = time.monotonic(), ""
    deploy(emulator)
    seen.note("deployment", "three stacks by cdk bootstrap and cdk deploy", began)
    try:
        Story(emulator, seen).play()
    except NotSeen as error:
        missed = str(error)
    seen.show()
    print(f"NOT SEEN: {missed}\n{tail(HOME / 'emulator.log')}" if missed else "smoke: all was seen", flush=True)
    if keep:
        input(f"the emulator answers at {emulator.url}; Enter ends it ")
    return bool(missed)


def tail(log: Path, lines: int = 40) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


if __name__ == "__main__":
    main()

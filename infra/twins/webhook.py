"""A machine of a shop's that takes webhooks, and checks each one's signature by the Standard Webhooks specification.

It answers for every host that a shop names (`infra.world.internet` brings them here). The path says how it behaves:
`/gone` answers 410, `/fail` 500, `/slow-down` 429 with Retry-After, all else 204.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from datetime import datetime

from infra.twins.listening import Answer, HttpTwin, Meet
from infra.world.outbox import Outbox

TOLERANCE_SECONDS = 300
STATUSES = {"/gone": 410, "/fail": 500, "/slow-down": 429}


class Webhook(HttpTwin):
    """Keeps what is signed rightly by one of `secrets()`; answers 401 to all else."""

    service = "webhook"

    def __init__(
        self, meet: Meet, outbox: Outbox, now: Callable[[], datetime], secrets: Callable[[], Iterable[str]]
    ) -> None:
        self._outbox, self._now, self._secrets = outbox, now, secrets
        super().__init__(meet)

    def operation(self, path: str) -> str:
        """It knows only POST."""
        return "POST"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Take a webhook."""
        if not self._signed(headers, body):
            return 401, b'{"error": "bad signature"}'
        if path in STATUSES:
            return STATUSES[path], b"{}"
        self._outbox.add(
            "webhook",
            "webhook",
            self._address(headers.get("host", self.place), path),
            subject=str(json.loads(body).get("type", "")),
            text=body.decode(),
            headers={name: value for name, value in headers.items() if name.startswith("webhook-")},
            message_id=headers["webhook-id"],
        )
        return 204, b""

    def _address(self, host: str, path: str) -> str:
        return f"{'http' if host == self.place else 'https'}://{host}{path}"

    def _signed(self, headers: dict[str, str], body: bytes) -> bool:
        id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - self._now().timestamp()) > TOLERANCE_SECONDS:
            return False
        given = [
            part.partition(",")[2] for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")
        ]
        signed = f"{id}.{stamp}.".encode() + body
        return any(hmac.compare_digest(_sign(key, signed), one) for key in self._secrets() for one in given)


def _sign(secret: str, content: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"))
    except binascii.Error:
        key = b""
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()

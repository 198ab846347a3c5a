"""SMS by Amazon SNS: moto answers; here the text is put into the outbox."""

from collections.abc import Callable
from typing import Any

from infra.world import wire
from infra.world.outbox import Outbox

WhoseText = Callable[[str, str], str]  # number, text -> the message's id


def keeper(outbox: Outbox, message_of: WhoseText) -> Callable[[Any, Any], None]:
    """What to do after SNS has answered a Publish: keep the text if it went to a phone."""

    def keep(request: Any, response: Any) -> None:
        asked = {name: values[0] for name, values in wire.form(request).items()}
        to, text = asked.get("PhoneNumber"), asked.get("Message", "")
        if to and response.status_code == 200:
            sender = next((v for k, v in asked.items() if k.endswith("StringValue") and not v.startswith("Trans")), "")
            outbox.add("sms", "sms_sns", to, text=text, message_id=message_of(to, text), sender=sender)

    return keep

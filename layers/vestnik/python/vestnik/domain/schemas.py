"""The shapes that events carry, as JSON Schema 2020-12 fragments: each shape is described once, here.

Every object takes further fields: a shop may carry its own, and rules and templates may use them. Optional
fields may be null, which means the same as their absence.
"""

from typing import Any

type Schema = dict[str, Any]


def text(description: str, longest: int = 300, **more: Any) -> Schema:
    """A string of at most `longest` characters, or null."""
    return {"type": ["string", "null"], "maxLength": longest, "description": description, **more}


def name(description: str, longest: int = 128) -> Schema:
    """An identifier: a string that is never empty or null."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "description": description}


def moment(description: str) -> Schema:
    """A time by RFC 3339, or null."""
    return {
        "type": ["string", "null"],
        "pattern": r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$",
        "description": f"{description} (RFC 3339).",
    }


def link(description: str) -> Schema:
    """A full http(s) address, or null."""
    return text(description, 2048, pattern="^https?://[^\\s]+$")


def whole(description: str, least: int = 0) -> Schema:
    """A whole number of at least `least`, or null."""
    return {"type": ["integer", "null"], "minimum": least, "description": description}


def shape(title: str, properties: dict[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object with a name of its own in the documentation."""
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        **({"required": list(required)} if required else {}),
        **more,
    }


MONEY = shape(
    "Money",
    {
        "amount": {
            "type": "integer",
            "description": "In the currency's smallest unit: 1990 is 19.90 EUR, 500 is 500 JPY.",
        },
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code."},
    },
    required=("amount", "currency"),
)

ITEM = shape(
    "Item",
    {
        "sku": text("The shop's code of the item.", 128),
        "name": text("As the customer reads it, in the order's language.", 500),
        "quantity": {"type": "number", "exclusiveMinimum": 0, "description": "How many, in the item's unit."},
        "price": MONEY | {"description": "Of one."},
        "total": MONEY | {"description": "Of all, discounts taken off."},
        "url": link("The item's page in the shop."),
        "image": link("A picture of the item."),
    },
)

DELIVERY = shape(
    "Delivery",
    {
        "method": text("`courier`, `post`, `pickup`, or the shop's own word.", 64),
        "address": text("Where to, in one line.", 500),
        "price": MONEY | {"description": "What the customer pays for delivery."},
        "eta": moment("When it should arrive"),
        "carrier": text("The delivery service, as the customer knows it.", 128),
        "tracking_number": text("The carrier's number of the parcel.", 128),
        "tracking_url": link("Where the customer can follow the parcel."),
        "pickup_point": text("Name, address and hours of the pick-up point.", 500),
    },
)

PAYMENT = shape(
    "Payment",
    {
        "method": text(
            "`card` (paid online), `bank_transfer`, `cash_on_delivery`, or the shop's own word for a way of "
            "paying online.",
            64,
        ),
        "status": text("`pending`, `paid`, `failed`, `refunded`, `partially_refunded`.", 64),
        "url": link("Where an unpaid order can be paid."),
    },
)

ORDER = shape(
    "Order",
    {
        "id": name("The shop's id of the order: the one that never changes."),
        "number": text("The number people see and say.", 64),
        "status": text("The shop's word for where the order stands: `new`, `assembled`, `shipped` ...", 64),
        "customer_id": text("Whose order it is. Where it says nothing: the event's customer's.", 128),
        "manager_id": text("The member of staff who looks after it.", 128),
        "currency": text("ISO 4217 code.", 3),
        "total": MONEY | {"description": "What the customer pays in all, delivery included."},
        "items": {"type": "array", "items": ITEM, "maxItems": 500, "description": "What was ordered."},
        "delivery": DELIVERY | {"description": "How it gets there, whole: a part replaces all of it."},
        "payment": PAYMENT | {"description": "How it is paid, whole."},
        "url": link("The order's page in the customer's account."),
        "created_at": moment("When it was placed"),
        "store": text("Which of the shop's stores it belongs to.", 128),
        "origin": {
            "type": "string",
            "maxLength": 64,
            "description": "Where it was placed: `shop` (also when absent) or a marketplace's name. A marketplace's "
            "buyers are not the shop's customers: the default customer rules skip them.",
        },
        "marketplace": {
            "type": ["object", "null"],
            "description": "The marketplace's order that it was made from: both are one reservation.",
            "properties": {
                "account": text("The account at the marketplace, by its id here.", 120),
                "number": text("The marketplace's number of the order.", 128),
            },
        },
        "comment": text("What the customer wrote with it.", 2000),
    },
    required=("id",),
)

CONSENT = shape(
    "Consent",
    {
        channel: {"type": "boolean", "description": f"Whether marketing may come by {channel}."}
        for channel in ("email", "sms", "telegram")
    },
    description="By channel: what an event does not name stays as it was.",
)

CUSTOMER = shape(
    "Customer",
    {
        "id": name("The shop's id of the customer."),
        "kind": text("`person` or `company`.", 16),
        "name": text("As we greet the customer.", 200),
        "email": text("E-mail address.", 320),
        "phone": text("Phone number, best in E.164 (`+359...`).", 40),
        "telegram": text("Id of the chat with the shop's bot.", 64),
        "language": text("`en`, `ru` or `bg`; others fall back to the shop's language.", 16),
        "timezone": text("IANA name, such as `Europe/Sofia`.", 64),
        "manager_id": text("The member of staff who looks after the customer.", 128),
        "consent": CONSENT,
        "tags": {"type": "array", "items": {"type": "string"}, "description": "The shop's own marks."},
    },
    required=("id",),
)

STAFF = shape(
    "Staff",
    {
        "id": name("The shop's id of the colleague."),
        "name": text("Name.", 200),
        "email": text("E-mail address.", 320),
        "phone": text("Phone number in E.164.", 40),
        "telegram": text("Id of the chat with the shop's bot.", 64),
        "language": text("`en`, `ru` or `bg`.", 16),
        "timezone": text("IANA name.", 64),
        "roles": {
            "type": "array",
            "items": {"type": "string"},
            "description": "`owner`, `manager`, `operator`, `warehouse`, `kitchen`, `marketer`, `accountant`.",
        },
        "groups": {"type": "array", "items": {"type": "string"}, "description": "Groups that rules can tell."},
        "active": {"type": "boolean", "description": "Whoever is not active gets nothing."},
    },
    required=("id",),
)

SHOP = shape(
    "Shop",
    {
        "id": text("The shop.", 64),
        "name": text("As customers know it.", 200),
        "url": link("Its front page."),
        "email": text("Where customers can write to.", 320),
        "phone": text("Where customers can call.", 40),
        "address": text("Postal address, in one line.", 500),
        "logo_url": link("Its logo."),
        "color": text("Its colour, `#rrggbb`.", 16),
        "language": text("Language of last resort.", 16),
        "timezone": text("IANA name.", 64),
        "country": text("ISO 3166 code: how local phone numbers are read.", 2),
        "currency": text("ISO 4217 code.", 3),
        "bank_details": text("What a customer needs for a bank transfer; lines are kept.", 2000),
        "staff_chat": text("Id of the Telegram chat where staff read.", 64),
    },
)

ACTOR = shape(
    "Actor",
    {
        "kind": {
            "type": "string",
            "enum": ["staff", "customer", "system", "marketplace"],
            "description": "What kind of actor.",
        },
        "id": text("Which one, in the shop's own ids.", 128),
    },
    required=("kind",),
    description="Who did it just now. With no actor, nobody is left out as the one who did it.",
)

AUTHOR = {**ACTOR, "title": "Author", "description": "Who created the document, perhaps long ago."}

COURIER = shape(
    "Courier",
    {
        "name": text("Name, as the customer may address the courier.", 200),
        "phone": text("Phone the customer may call, in E.164.", 40),
    },
)

RECEIVED_PAYMENT = shape(
    "Received payment",
    {
        "id": text("The payment's id in the shop or at the bank.", 128),
        "amount": MONEY,
        "method": text("`card`, `bank_transfer`, `cash_on_delivery`, or the shop's own word.", 64),
        "received_at": moment("When the money came in"),
        "receipt_url": link("The receipt."),
    },
)

PRODUCT = shape(
    "Product",
    {
        "sku": name("The shop's code of the item."),
        "name": text("Name of the item.", 500),
        "quantity": {"type": ["number", "null"], "description": "How many are left."},
        "minimum": {"type": ["number", "null"], "description": "Below this the shop reorders."},
        "unit": text("Unit of quantity, such as `pcs`.", 16),
        "warehouse": text("Where it is kept.", 128),
        "url": link("The item's page in the shop."),
        "tracked": {
            "type": "boolean",
            "description": "Whether its stock is watched (also when absent). Nobody is told of others.",
        },
    },
    required=("sku",),
)

MARKETPLACE_ACCOUNT = shape(
    "Marketplace account",
    {
        "id": name("The account's id in Vestnik."),
        "name": name("As the shop's people call it.", 200),
        "marketplace": name("`ozon`, `wildberries`, `yandex_market` ...", 64),
    },
    required=("id", "name", "marketplace"),
)

MARKETPLACE_LINE = shape(
    "Marketplace line",
    {
        "unit": name("The marketplace's key of what is sold: Ozon's offer_id, Wildberries' chrtID, Yandex's offerId."),
        "name": text("As the marketplace calls it.", 500),
        "article": text("The shop's own article.", 200),
        "quantity": whole("How many."),
    },
    required=("unit",),
)

MARKETPLACE_ORDER = shape(
    "Marketplace order",
    {
        "number": name("The marketplace's number of the posting."),
        "status": text("In our unified words: `new`, `confirmed`, `packed` ...", 64),
        "ship_by": moment("When it must have left"),
        "total": MONEY | {"description": "What the buyer pays for the goods."},
        "lines": {"type": "array", "items": MARKETPLACE_LINE, "maxItems": 500, "description": "What was ordered."},
    },
    required=("number",),
)

MARKETPLACE_REQUEST = shape(
    "Marketplace request",
    {
        "id": name("The definition's id."),
        "title": text("What the call is for, in words.", 200),
        "marketplace": name("Whose call it is.", 64),
        "purpose": text("What of ours it serves: `orders.list`, `stock.write` ...", 64),
        "version": whole("Which version of the definition was in force."),
    },
    required=("id", "marketplace"),
)

SHAPES = (
    ORDER,
    ITEM,
    DELIVERY,
    PAYMENT,
    CUSTOMER,
    CONSENT,
    STAFF,
    SHOP,
    MONEY,
    ACTOR,
    COURIER,
    RECEIVED_PAYMENT,
    PRODUCT,
    MARKETPLACE_ACCOUNT,
    MARKETPLACE_ORDER,
    MARKETPLACE_LINE,
    MARKETPLACE_REQUEST,
)


def data_of_order(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """The `data` of an event about an order: `order`, or `order_id` of one that is already known."""
    return {
        "type": "object",
        "properties": {
            "order": ORDER | {"description": "The order, whole or just what changed; `id` always."},
            "order_id": name("The order, where nothing of it changed."),
            "customer": CUSTOMER | {"description": "The customer, whole or just what changed."},
            **properties,
            "actor": ACTOR,
            "author": AUTHOR,
        },
        "anyOf": [{"required": ["order"]}, {"required": ["order_id"]}],
        **({"required": list(required)} if required else {}),
    }


def data_of_customer(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """The `data` of an event about an account: `customer`, or `customer_id` of one that is already known."""
    return {
        "type": "object",
        "properties": {
            "customer": CUSTOMER | {"description": "The customer, whole or just what changed; `id` always."},
            "customer_id": name("The customer, where nothing of the profile changed."),
            **properties,
            "actor": ACTOR,
        },
        "anyOf": [{"required": ["customer"]}, {"required": ["customer_id"]}],
        **({"required": list(required)} if required else {}),
    }


def data_of_product(properties: dict[str, Schema]) -> Schema:
    """The `data` of an event about stock."""
    return {
        "type": "object",
        "properties": {"product": PRODUCT, **properties, "actor": ACTOR},
        "required": ["product"],
    }


def data_of_marketplace(properties: dict[str, Schema], required: tuple[str, ...] = ("account",)) -> Schema:
    """The `data` of an event of a marketplace account. Its order has no `id`: it is no order of the shop's own."""
    account = MARKETPLACE_ACCOUNT | {"description": "The account it happened in."}
    return {
        "type": "object",
        "properties": {"account": account, **properties, "actor": ACTOR},
        "required": list(required),
    }


def data_of_marketplace_order(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """The `data` of an event about a marketplace's order."""
    order = MARKETPLACE_ORDER | {"description": "The order, as it stands."}
    return data_of_marketplace({"order": order, **properties}, ("account", "order", *required))

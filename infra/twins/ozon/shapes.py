"""What Ozon answers, in its own field names (Seller API, text of 2026-08-14): all fields that have a value here."""

from typing import Any

from infra.twins.ozon.pushes import stamp
from infra.twins.ozon.records import Line, Pile, Posting, Product, Return, Warehouse

Json = dict[str, Any]
FLOWS = {"FBS": "ozon", "Express": "ozon", "rFBS": "non_integrated", "FBP": "FBP"}
INITIATORS = {"client": "Клиент", "seller": "Продавец", "ozon": "Ozon"}
REQUIRED = ("mandatory_mark", "gtd", "rnpt", "country", "change_country", "jw_uin", "imei", "weight")
CURRENCY = "RUB"


def roubles(kopecks: int) -> str:
    """Money as text."""
    return f"{kopecks // 100}.{kopecks % 100:02d}"


def amount(kopecks: int) -> Json:
    """Money as newer methods write it."""
    return {"amount": roubles(kopecks), "currency": CURRENCY}


def listed_product(one: Product, has_fbs: bool, has_fbo: bool) -> Json:
    """A row of /v3/product/list."""
    return {
        "product_id": one.product_id,
        "offer_id": one.unit,
        "sku": one.sku,
        "has_fbo_stocks": has_fbo,
        "has_fbs_stocks": has_fbs,
        "archived": one.archived,
        "is_discounted": False,
        "quants": [],
    }


def product(one: Product, stock: Pile) -> Json:
    """A row of /v3/product/info/list."""
    image = f"https://cdn.example/{one.product_id}.jpg"
    stocks = [{"present": stock.present, "reserved": stock.reserved, "sku": one.sku, "source": "fbs"}]
    status = {
        "is_created": one.ready,
        "moderate_status": "approved" if one.ready else "",
        "status": "price_sent" if one.ready else "imported",
        "status_updated_at": stamp(one.made),
        "validation_status": "success",
    }
    return {
        "id": one.product_id,
        "offer_id": one.unit,
        "sku": one.sku,
        "name": one.name,
        "barcodes": one.barcodes,
        "created_at": stamp(one.made),
        "updated_at": stamp(one.made),
        "currency_code": CURRENCY,
        "price": roubles(one.price),
        "old_price": "",
        "min_price": "",
        "vat": "0.22",
        "description_category_id": one.category,
        "type_id": one.type,
        "images": [image],
        "primary_image": [image],
        "is_archived": one.archived,
        "is_autoarchived": False,
        "is_kgt": one.kgt,
        "statuses": status,
        "stocks": {"has_stock": stock.free > 0, "stocks": stocks},
        "errors": [],
    }


def warehouse(one: Warehouse) -> Json:
    """A row of /v2/warehouse/list."""
    return {
        "warehouse_id": one.id,
        "name": one.name,
        "status": one.status,
        "is_rfbs": one.scheme == "rFBS",
        "is_express": one.scheme == "Express",
        "is_kgt": one.kgt,
        "is_comfort": False,
        "is_auto_assembly": False,
        "has_entrusted_acceptance": False,
        "has_postings_limit": False,
        "postings_limit": -1,
        "cut_in_time": 600,
        "sla_cut_in": 60,
        "carriage_label_type": "BIG",
        "first_mile": {"type": "DROP_OFF", "first_mile_is_changing": False},
        "working_days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
    }


def stock(one: Product, place: int, pile: Pile) -> Json:
    """A row of the stock methods."""
    return {
        "sku": one.sku,
        "product_id": one.product_id,
        "offer_id": one.unit,
        "warehouse_id": place,
        "present": pile.present,
        "reserved": pile.reserved,
        "free_stock": pile.free,
    }


def posting(one: Posting, place: str) -> Json:
    """What every version tells of a posting, but for its products."""
    flow = FLOWS.get(one.scheme, "ozon")
    skus = [str(line.sku) for line in one.lines]
    return {
        "posting_number": one.number,
        "order_id": one.order_id,
        "order_number": one.order_number,
        "parent_posting_number": one.parent,
        "status": one.status,
        "substatus": one.substatus,
        "in_process_at": stamp(one.created),
        "shipment_date": stamp(one.ship_by),
        "shipment_date_without_delay": stamp(one.ship_by),
        "delivery_method": _method(one, place),
        "tpl_integration_type": flow,
        "integration_type_flow": flow,
        "tracking_number": "",
        "is_express": one.scheme == "Express",
        "is_multibox": False,
        "multi_box_qty": 1,
        "available_actions": _actions(one),
        "barcodes": {"upper_barcode": f"%101%{one.order_id}", "lower_barcode": f"{one.order_id}000"},
        "cancellation": cancellation(one),
        "requirements": {f"products_requiring_{name}": skus if name in one.requires else [] for name in REQUIRED},
    }


def _method(one: Posting, place: str) -> Json:
    return {
        "id": one.warehouse,
        "name": f"Ozon, {place}",
        "tpl_provider": "Ozon",
        "tpl_provider_id": 24,
        "warehouse": place,
        "warehouse_id": one.warehouse,
    }


def _actions(one: Posting) -> list[str]:
    if one.packing is not None:
        return ["ship_async_in_process"]
    if one.status == "awaiting_packaging":
        again = ["ship_async_retry"] if one.substatus == "ship_failed" else ["ship_async"]
        return ["cancel", "product_cancel", "ship", *again]
    return ["cancel", "label_download"] if one.status == "awaiting_deliver" else []


def cancellation(one: Posting) -> Json:
    """Why and by whom a posting was called off; empty while it was not."""
    return {
        "affect_cancellation_rating": one.cancelled_by == "seller",
        "cancel_reason": one.cancel_reason[1],
        "cancel_reason_id": one.cancel_reason[0],
        "cancellation_initiator": INITIATORS.get(one.cancelled_by, ""),
        "cancellation_type": one.cancelled_by,
        "cancelled_after_ship": one.cancelled_late,
    }


def posting_v4(one: Posting, place: str) -> Json:
    """A posting as /v4/posting/fbs/list has it."""
    products = [{**_line(line), "price": amount(line.price), "imei": [], "weight": 0.5} for line in one.lines]
    external = {"is_external": False, "platform_name": ""}
    more = {"delivery_schema": one.scheme.lower(), "external_order": external, "is_click_and_collect": False}
    return {**posting(one, place), "products": products, **more}


def posting_v3(one: Posting, place: str) -> Json:
    """A posting as /v3/posting/fbs/list and /v3/posting/fbs/get have it: money is text beside its currency."""
    money = {line.sku: {"price": f"{roubles(line.price)}00", "currency_code": CURRENCY} for line in one.lines}
    return {**posting(one, place), "products": [{**_line(line), **money[line.sku]} for line in one.lines]}


def _line(one: Line) -> Json:
    return {"offer_id": one.unit, "sku": one.sku, "name": one.name, "quantity": one.quantity}


def posting_fbo(one: Posting) -> Json:
    """A row of /v3/posting/fbo/list."""
    return {
        "posting_number": one.number,
        "order_id": one.order_id,
        "order_number": one.order_number,
        "status": one.status,
        "substatus": one.substatus,
        "created_at": stamp(one.created),
        "in_process_at": stamp(one.created),
        "cancel_reason_id": one.cancel_reason[0],
        "products": [{**_line(line), "price": amount(line.price), "digital_codes": []} for line in one.lines],
        "analytics_data": {"warehouse_id": one.warehouse, "warehouse_name": "Ozon", "delivery_type": "PVZ"},
        "additional_data": [],
    }


def returned(one: Return, posting: Posting) -> Json:
    """A row of /v1/returns/list."""
    price = {"currency_code": CURRENCY, "price": one.line.price / 100}
    line = {"sku": one.line.sku, "offer_id": one.line.unit, "name": one.line.name, "quantity": one.line.quantity}
    return {
        "id": one.id,
        "posting_number": one.number,
        "order_id": posting.order_id,
        "order_number": posting.order_number,
        "type": one.kind,
        "schema": "Fbo" if posting.scheme == "FBO" else "Fbs",
        "return_reason_name": one.reason,
        "product": {**line, "price": price},
        "logistic": {"return_date": stamp(one.changed), "barcode": f"ii{one.id}"},
        "visual": {
            "status": {"id": 1, "display_name": one.status, "sys_name": one.status},
            "change_moment": stamp(one.changed),
        },
        "place": {"id": posting.warehouse, "name": "Sorting centre", "address": ""},
    }

"""Market's answers: the official field names, filled from what the cabinet knows."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from infra.twins.market import Reply
from infra.twins.yandex_market.cabinet import Cabinet, clock_of
from infra.twins.yandex_market.records import (
    MOSCOW,
    Campaign,
    Line,
    Offer,
    Order,
    Return,
    Shipment,
    Stock,
    Warehouse,
)

Json = dict[str, Any]


def good(result: Json | None = None) -> Reply:
    """200, with a result where there is one."""
    return Reply(200, {"status": "OK"} if result is None else {"status": "OK", "result": result})


def bad(status: int, code: str, message: str) -> Reply:
    """An error as all methods have it."""
    return Reply(status, {"status": "ERROR", "errors": [{"code": code, "message": message}]})


def iso(at: datetime) -> str:
    """A time with Moscow's offset."""
    return at.astimezone(MOSCOW).isoformat(timespec="seconds")


def dmy(at: datetime) -> str:
    """A time as the older methods have it."""
    return f"{at.astimezone(MOSCOW):%d-%m-%Y %H:%M:%S}"


def roubles(kopecks: int) -> Json:
    """An amount of money."""
    return {"value": number(kopecks), "currencyId": "RUR"}


def number(kopecks: int) -> float | int:
    """Kopecks as a number of roubles."""
    return kopecks / 100 if kopecks % 100 else kopecks // 100


def campaign(shown: Campaign, cabinet: Cabinet) -> Json:
    """CampaignDTO."""
    placement = "FBS" if shown.placement == "EXPRESS" else shown.placement
    business = {"id": cabinet.business, "name": cabinet.name}
    named = {"domain": f"{cabinet.name} {shown.placement}", "id": shown.id, "business": business}
    return {**named, "placementType": placement, "apiAvailability": shown.available}


def warehouse_v3(shown: Warehouse, of: Campaign) -> Json:
    """PartnerWarehouseDTO."""
    model = {"placementType": of.placement, "apiAvailability": of.available}
    return {"id": shown.id, "name": shown.name, "models": [model]}


def warehouse_v2(shown: Warehouse, of: Campaign, components: Iterable[str]) -> Json:
    """WarehouseDetailsDTO."""
    said: Json = {"id": shown.id, "name": shown.name, "campaignId": of.id, "express": of.placement == "EXPRESS"}
    if shown.group is not None:
        said["groupInfo"] = {"id": shown.group, "name": f"Group {shown.group}"}
    if "STATUS" in components:
        said["status"] = {"status": "OTHER" if of.available == "AVAILABLE" else "DISABLED_MANUALLY"}
    return said


def mapping(offer: Offer, cabinet: Cabinet) -> Json:
    """GetOfferMappingDTO."""
    shown = {
        "offerId": offer.unit,
        "name": offer.name,
        "marketCategoryId": offer.category,
        "pictures": [f"https://avatars.example/{offer.market_sku}.jpg"],
        "vendor": "Vestnik",
        "vendorCode": offer.article,
        "basicPrice": {**roubles(offer.price), "updatedAt": iso(offer.updated)},
        "cardStatus": "HAS_CARD_CAN_UPDATE",
        "campaigns": [{"campaignId": id, "status": "PUBLISHED"} for id in cabinet.campaigns],
        "archived": offer.archived,
    }
    if offer.barcodes:
        shown["barcodes"] = offer.barcodes
    known = {"marketSku": offer.market_sku, "marketSkuName": offer.name, "marketCategoryId": offer.category}
    return {"offer": shown, "mapping": {**known, "marketCategoryName": "Telephones"}}


def stock(unit: str, kept: Stock) -> Json:
    """PartnerWarehouseOfferDTO and WarehouseOfferDTO."""
    counts = {"FIT": kept.available + kept.frozen, "FREEZE": kept.frozen, "AVAILABLE": kept.available}
    shown: Json = {"offerId": unit, "stocks": [{"type": name, "count": n} for name, n in counts.items()]}
    return shown if kept.written is None else {**shown, "updatedAt": iso(kept.written)}


def order(shown: Order) -> Json:
    """BusinessOrderDTO."""
    total = sum(line.price * line.count for line in shown.lines)
    points = sum(line.points for line in shown.lines)
    said: Json = {
        "orderId": shown.number,
        "campaignId": shown.campaign,
        "programType": shown.program,
        "status": shown.status,
        "substatus": shown.substatus,
        "creationDate": iso(shown.created),
        "updateDate": iso(shown.updated),
        "paymentType": "PREPAID",
        "paymentMethod": "YANDEX",
        "fake": shown.fake,
        "items": [_line(line) for line in shown.lines],
        "prices": {"payment": roubles(total - points), "cashback": roubles(points)},
        "delivery": _delivery(shown),
        "buyerType": "PERSON",
        "sourcePlatform": "MARKET",
    }
    return said if shown.asked_to_cancel is None else {**said, "cancelRequested": True}


def _line(line: Line) -> Json:
    prices: Json = {"payment": roubles(line.price * line.count - line.points), "vat": "VAT_22"}
    if line.points:
        prices["cashback"] = roubles(line.points)
    said = {"id": line.id, "offerId": line.unit, "offerName": line.name, "count": line.count, "prices": prices}
    return {**said, "requiredInstanceTypes": list(line.requires)} if line.requires else said


def _delivery(shown: Order) -> Json:
    said: Json = {
        "type": "PICKUP",
        "serviceName": "Market",
        "deliveryServiceId": 1005486,
        "warehouseId": str(shown.warehouse),
        "deliveryPartnerType": "YANDEX_MARKET" if shown.program in ("FBS", "FBY") else "SHOP",
        "dates": {"fromDate": shown.ship_day.isoformat(), "toDate": shown.ship_day.isoformat()},
        "shipment": {"id": shown.shipment, "shipmentDate": shown.ship_day.isoformat()},
    }
    if shown.ship_time is not None:
        said["shipment"]["shipmentTime"] = clock_of(shown.ship_time)
    if shown.boxes:
        said["boxesLayout"] = [{**box, "barcode": f"{shown.number}-{n}"} for n, box in enumerate(shown.boxes, 1)]
    return said


def old_order(shown: Order) -> Json:
    """OrderDTO: the older form, which changing a status still answers with."""
    total = number(sum(line.price * line.count for line in shown.lines))
    day = f"{shown.ship_day:%d-%m-%Y}"
    return {
        "id": shown.number,
        "status": shown.status,
        "substatus": shown.substatus,
        "creationDate": dmy(shown.created),
        "updatedAt": dmy(shown.updated),
        "currency": "RUR",
        "itemsTotal": total,
        "deliveryTotal": 0,
        "buyerItemsTotalBeforeDiscount": total,
        "paymentType": "PREPAID",
        "paymentMethod": "YANDEX",
        "fake": shown.fake,
        "items": [_old_line(line) for line in shown.lines],
        "delivery": {
            "type": "PICKUP",
            "serviceName": "Market",
            "deliveryPartnerType": "YANDEX_MARKET",
            "dates": {"fromDate": day, "toDate": day},
            "deliveryServiceId": 1005486,
        },
        "buyer": {"type": "PERSON"},
        "taxSystem": "OSN",
    }


def _old_line(line: Line) -> Json:
    price = number(line.price)
    told = {"id": line.id, "offerId": line.unit, "offerName": line.name, "price": price, "buyerPrice": price}
    return {**told, "buyerPriceBeforeDiscount": price, "count": line.count}


def shipment(shown: Shipment, cabinet: Cabinet) -> Json:
    """ShipmentInfoDTO."""
    warehouse = cabinet.warehouses[shown.warehouse]
    begins = datetime.combine(shown.day, time(10), MOSCOW)
    ready = [id for id in shown.orders if cabinet.order(id).status != "CANCELLED"]
    said = {
        "id": shown.id,
        "planIntervalFrom": iso(begins),
        "planIntervalTo": iso(begins.replace(hour=18)),
        "shipmentType": "IMPORT",
        "warehouse": {"id": warehouse.id, "name": warehouse.name},
        "orderIds": ready,
        "draftCount": len(shown.orders),
        "plannedCount": len(ready),
        "factCount": len(ready) if shown.status in ("ACCEPTED", "FINISHED") else 0,
        "signature": {"signed": shown.status == "OUTBOUND_SIGNED"},
        "status": shown.status,
    }
    if shown.external:
        said["externalId"] = shown.external
    return said if shown.updated is None else {**said, "statusUpdateTime": iso(shown.updated)}


def returned(shown: Return, cabinet: Cabinet) -> Json:
    """ReturnDTO."""
    items = [_returned_line(unit, n, cabinet) for unit, n in shown.lines]
    said = {
        "id": shown.id,
        "orderId": shown.order,
        "creationDate": iso(shown.created),
        "updateDate": iso(shown.updated),
        "shipmentRecipientType": "SHOP",
        "shipmentStatus": shown.shipment_status,
        "amount": roubles(shown.amount),
        "items": items,
        "returnType": shown.kind,
    }
    return said if shown.refund_status is None else {**said, "refundStatus": shown.refund_status}


def _returned_line(unit: str, quantity: int, cabinet: Cabinet) -> Json:
    return {"marketSku": cabinet.offers[unit].market_sku, "shopSku": unit, "count": quantity}

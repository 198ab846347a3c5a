"""Accounts: the shop's cabinets at marketplaces, their credentials, and whether they are worked."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from vestnik import resources
from vestnik.api import _accounts, _kept
from vestnik.api._accounts import KIND, AccountId
from vestnik.api._models import Model, Page, Trail
from vestnik.api._problems import Problem
from vestnik.api._routes import Cursor, Limit, Router, needs
from vestnik.flows import accounts as fares
from vestnik.flows import connecting, notifications, stock_send
from vestnik.marketplaces import names, shipped

router = Router()

type Credential = Annotated[str, StringConstraints(strip_whitespace=True), Field(max_length=4000)]
Release = Annotated[
    bool, Query(description="Let go of the goods that its orders hold, though they were promised there.")
]
type State = Literal["new", "dry", "connected", "paused"]


class AccountFields(Model):
    """What is told of an account."""

    marketplace: str = Field(
        max_length=40, description="The marketplace: `GET /v1/accounts/marketplaces`.", examples=["ozon"]
    )
    name: str = Field("", max_length=200, description="For people.", examples=["Ozon, main"])
    main: bool = Field(
        False,
        description=(
            "The marketplace's main account, preselected in new documents. The first whose credentials are good is."
        ),
    )
    schemes: list[str] = Field(
        default_factory=list,
        max_length=10,
        description="Which of the marketplace's schemes it works by; none named: all.",
        examples=[["FBS"]],
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="What the marketplace needs beside: `GET /v1/accounts/marketplaces` tells."
    )
    link_template: str | None = Field(
        None,
        max_length=500,
        description="A product's address, `{article}` and `{unit}` in it.",
        examples=["https://www.ozon.ru/product/{product}"],
    )
    organisation: str | None = Field(None, max_length=200, description="Who sells.")
    contract: str | None = Field(None, max_length=200, description="Under which contract.")
    buffer: int = Field(0, ge=0, le=1_000_000, description="So many pieces of each unit are never offered.")
    low_stock: int = Field(
        3, ge=0, le=1_000_000, description="Staff are told when so few pieces of an item are left over all channels."
    )
    zero_limit_percent: int = Field(
        20, ge=0, le=100, description="A run that would zero more of the units for sale than this waits for a person."
    )
    carry_over: dict[str, str] | None = Field(
        None,
        max_length=50,
        description=(
            "What a product gives the item that it is linked to, where the item has none: our field (`name`, "
            "`barcodes`, or any of the item's `fields`) and a JMESPath expression over the product. Where absent: "
            "name and barcodes."
        ),
        examples=[{"name": "name", "barcodes": "barcodes", "picture": "image"}],
    )
    hours_to_ship: int | None = Field(
        None, ge=1, le=720, description="Hours from an order to its hand-over, where the marketplace names no time."
    )


class Account(AccountFields):
    """An account at a marketplace."""

    credentials: dict[str, Credential] | None = Field(
        None,
        max_length=10,
        description=(
            "What it signs in with; never shown again. Space around a value is cut off. Where absent, those that are "
            "kept stay."
        ),
        examples=[{"client_id": "123456", "api_key": "0f1e2d3c-0000-0000-0000-000000000000"}],
    )


class CredentialsChecked(Model):
    """What the marketplace says of the credentials."""

    ok: bool | None = Field(description="Whether it takes them; null: it could not be asked.")
    checked_at: str | None = Field(None, description="When it was asked.")
    expires_at: str | None = Field(None, description="When they end, where it tells.")
    name: str | None = Field(None, description="What the cabinet is called there.")
    scopes: Any = Field(None, description="What they may do, in its words.")
    error: dict[str, Any] | None = Field(None, description="Why not: {code, reason}; of a setting also `where`.")


class Notifications(Model):
    """Where the marketplace tells of changes at once."""

    url: str = Field(description="Who knows it can let orders be read earlier, and nothing else.")
    set_in: str | None = Field(description="Where you enter it; null: it is entered for you when you connect.")


class AccountShown(AccountFields, Trail):
    """An account, without its credentials."""

    id: str = Field(description="Its id.")
    secrets: list[str] = Field(description="Which credentials are kept.")
    state: State = Field(description="`new`, `dry` (a dry run was asked for), `connected`, `paused`.")
    connected_at: str | None = Field(description="When it was first connected.")
    notifications: Notifications | None = Field(description="Null: the marketplace has none.")


class AccountPut(AccountShown):
    """An account as it was just written, and what the marketplace says of its credentials."""

    check: CredentialsChecked


class Marketplace(Model):
    """A marketplace that there is."""

    name: str
    title: str
    credentials: dict[str, str] = Field(description="What an account needs to sign in, and what each is.")
    settings: dict[str, Any] = Field(description="What an account tells beside: {title, type, required}.")
    schemes: dict[str, str] = Field(description="`worked`, `shown` (not operated by us), `read` (only read).")


class Marketplaces(Model):
    """The marketplaces there are."""

    items: list[Marketplace]


class Connect(Model):
    """How to connect."""

    dry: bool = Field(False, description="Only look at what would change.")


class Connected(Model):
    """Where connecting stands."""

    state: State
    dry_run: dict[str, Any] | None = Field(description="Of a dry run: {asked}; its report comes with the health.")


class AccountHealth(Model):
    """How an account fares."""

    state: State
    credentials: dict[str, Any] = Field(description="As they were last checked.")
    counts: dict[str, Any] = Field(description="{units, linked, unlinked, archived, gone}, as last counted.")
    running: list[str] = Field(description="The flows under way just now.")
    flows: dict[str, dict[str, Any]] = Field(
        description="By flow (`orders`, `stock`, `products`, `readback`, `health`, `dry`, `push`): `last_run`, "
        "`last_ok`, `error`, `progress`, and what it keeps beside (`dry`: its `report`; `readback`: the drift)."
    )


@router.get("/accounts")
@needs("read")
def list_accounts(limit: Limit = 50, cursor: Cursor = "") -> Page[AccountShown]:
    """List the accounts."""
    entries, following = _kept.merged(KIND, {}, limit, cursor)
    return Page[AccountShown](items=[_shown(entry) for entry in entries], next=following)


@router.get("/accounts/marketplaces")
@needs("read")
def list_marketplaces() -> Marketplaces:
    """List the marketplaces there are, and what an account at each needs."""
    found = [shipped(name) for name in names()]
    shown = [
        {"name": m.name, "title": m.title, "credentials": m.credentials, "settings": m.settings, "schemes": m.schemes}
        for m in found
    ]
    return Marketplaces(items=[Marketplace.model_validate(one) for one in shown])


@router.get("/accounts/<id>")
@needs("read")
def read_account(id: AccountId) -> AccountShown:
    """Read an account."""
    return _shown(_kept.find(KIND, id))


@router.put("/accounts/<id>")
@needs(
    "admin",
    match=True,
    problems=(409,),
    links={
        "read": ("read_account", {"id": "$response.body#/id"}),
        "check": ("check_account", {"id": "$response.body#/id"}),
        "delete": ("delete_account", {"id": "$response.body#/id"}),
    },
)
def put_account(id: AccountId, body: Account) -> AccountPut:
    """Write an account, and check its credentials and what it tells beside.

    A cabinet is one account: another of the same cabinet is refused (409 `same-cabinet`). The credentials go to the
    secrets store and are never shown again. Nothing is read or written there before it is connected.
    """
    kept = body.model_dump(mode="json", exclude={"credentials"})
    if faults := _accounts.faults(kept, body.credentials):
        raise Problem(422, "invalid-account", f"{faults[0].where}: {faults[0].message}", *faults)
    _accounts.write(id, kept, body.credentials)
    said = CredentialsChecked.model_validate(fares.check(_accounts.find(id), resources.now()))
    return AccountPut.model_validate({**_accounts.shown(_kept.find(KIND, id)), "check": said.model_dump()})


@router.delete("/accounts/<id>", status_code=204)
@needs("admin", match=True, problems=(409, 503))
def delete_account(id: AccountId, release: Release = False) -> None:
    """Remove an account, its credentials, and what is known of its units and links.

    One that is connected is paused first. Orders that came by it stay in the lists. While some that have not left hold
    goods it is refused (409 `orders-open`), for the goods are promised to a buyer: hand them over or cancel them, or
    say `release=true`, and the goods are for sale again elsewhere. Where there are very many orders, 503 `try-again`
    says that not all are done yet: ask again.
    """
    _accounts.remove(id, release)


@router.post("/accounts/<id>/check")
@needs("operate", problems=(404,))
def check_account(id: AccountId) -> CredentialsChecked:
    """Ask the marketplace whether it takes the account's credentials."""
    return CredentialsChecked.model_validate(fares.check(_accounts.find(id), resources.now()))


@router.post("/accounts/<id>/connect")
@needs("admin", problems=(404,))
def connect_account(id: AccountId, body: Connect) -> Connected:
    """Begin to work an account, or only look at what that would change.

    A dry run reads its products, warehouses and numbers in the background, and changes nothing: `flows.dry` of its
    health has the progress and then the report. Connected, its orders are read and its linked units get our stock;
    a unit without a link, or of an item whose stock you never told, is not written. Paused, it goes on.
    """
    account, now = _accounts.find(id), resources.now()
    if body.dry:
        if account.state == "connected":
            raise Problem(422, "already-connected", "it is connected: there is nothing to look at before it")
        asked = connecting.ask_dry(account, now)
        return Connected.model_validate({"state": _accounts.find(id).state, "dry_run": {"asked": asked["asked"]}})
    connecting.connect(account, _kept.me(), now)
    return Connected(state="connected", dry_run=None)


@router.post("/accounts/<id>/pause")
@needs("operate", problems=(404,))
def pause_account(id: AccountId) -> Connected:
    """Let an account rest: nothing is read or written there, and what it shows stays. `connect` resumes."""
    connecting.pause(_accounts.find(id), _kept.me(), resources.now())
    return Connected(state="paused", dry_run=None)


@router.post("/accounts/<id>/confirm")
@needs("operate", problems=(404, 409))
def confirm_account(id: AccountId) -> Connected:
    """Let a stock run go on that was held because it would zero too much at once."""
    account = _accounts.find(id)
    if not stock_send.confirm(account.shop, account.id, resources.now()):
        raise Problem(409, "nothing-held", "no run of its stock waits for you")
    return Connected.model_validate({"state": account.state, "dry_run": None})


@router.post("/accounts/<id>/notifications")
@needs("admin", problems=(404,))
def renew_account_notifications(id: AccountId) -> AccountShown:
    """Give an account another address for its marketplace's notifications, should the one before be known to others.

    What comes to that one is refused from now on (within 20 seconds). Where the marketplace is told by us, it is.
    """
    account, now = _accounts.find(id), resources.now()
    if notifications.address(account) is None:
        raise Problem(422, "no-notifications", "its marketplace sends no notifications")
    connecting.new_address(account, _kept.me(), now)
    return _shown(_kept.find(KIND, id))


@router.get("/accounts/<id>/health")
@needs("read")
def read_account_health(id: AccountId) -> AccountHealth:
    """See how an account fares: last runs, errors, progress, counts, drift."""
    return AccountHealth.model_validate(fares.health(_accounts.find(id), resources.now()))


def _shown(entry: _kept.Entry) -> AccountShown:
    return AccountShown.model_validate(_accounts.shown(entry))

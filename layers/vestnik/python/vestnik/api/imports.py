"""Imports: many customers, staff or orders at once, as JSON or CSV, with a dry run and an error per row."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, ValidationError

from vestnik import resources
from vestnik.api import _profiles, _records
from vestnik.api._models import Model
from vestnik.api._problems import Fault, Problem, of_validation
from vestnik.api._routes import Router, caller, needs, request
from vestnik.domain import csv_rows
from vestnik.domain.schemas import CUSTOMER, ORDER, STAFF
from vestnik.errors import Refused
from vestnik.flows import imports

router = Router()

LARGEST = 5_000_000
MOST_ERRORS = 1000
KINDS = {"customers": "customer", "staff": "staff", "orders": "order"}
SHAPES = {"customers": CUSTOMER, "staff": STAFF, "orders": ORDER}

Kind = Literal["customers", "staff", "orders"]


class Import(Model):
    """What to keep."""

    kind: Kind
    dry_run: bool = False
    rows: list[Any] = Field(max_length=imports.MOST_ROWS)


class RowError(Model):
    """One thing wrong in a row."""

    row: int = Field(description="The row, counted from 1; a CSV's first line, which names the columns, is not one.")
    id: str = Field(description="The record's id, where the row has one.")
    field: str = Field(description="The field, dotted: `consent.email`, `items.0.sku`.")
    found: str = Field(description="What stood there.")
    expected: str = Field(description="What would be right.")


class Report(Model):
    """What became of the rows. Good rows are kept whatever the others are."""

    kind: Kind
    dry_run: bool
    rows: int = Field(description="Rows read.")
    good: int = Field(description="Rows without a fault.")
    bad: int = Field(description="Rows with one or more.")
    kept: int = Field(description="Rows written: the good ones, none in a dry run.")
    errors: list[RowError] = Field(description="The faults, at most ten of a row and 1,000 in all.")


CONTENT = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "enum": list(KINDS)},
                "dry_run": {"type": "boolean", "default": False},
                "rows": {
                    "type": "array",
                    "maxItems": imports.MOST_ROWS,
                    "items": {},
                    "description": "Records as PUT takes them, each with its `id`; the answer tells of any other.",
                },
            },
            "required": ["kind", "rows"],
            "additionalProperties": False,
        },
        "example": {"kind": "customers", "dry_run": True, "rows": [{"id": "c-1", "email": "maria@example.com"}]},
    },
    "text/csv": {
        "schema": {"type": "string"},
        "example": "id;name;consent.email;tags\nc-1;Maria;yes;regular|tea\n",
    },
}

KindOfRows = Annotated[Kind | None, Query(description="What the rows are: a CSV cannot say so itself.")]
DryRun = Annotated[bool | None, Query(description="Only say what would become of the rows.")]


@router.post("/imports")
@needs("operate", largest=LARGEST, raw=("application/json", "text/csv"), content=CONTENT)
def import_records(kind: KindOfRows = None, dry_run: DryRun = None) -> Report:
    """Keep up to 1,000 records at once; nobody is notified.

    A CSV is UTF-8; its first line names the columns, divided by `;` or `,`. A dotted name is a field of a field
    (`consent.email`), a list of words is divided by `|`, an empty cell is no field.
    """
    asked = _of_csv(kind, dry_run) if request().content_type == "text/csv" else _of_json(kind, dry_run)
    shop, record_kind = caller().shop, KINDS[asked.kind]
    country = _records.country(shop)
    told = imports.take(
        shop,
        record_kind,
        asked.rows,
        lambda row: _profiles.check(record_kind, row, country),
        dry_run=asked.dry_run,
        now=resources.now(),
    )
    told["errors"] = told["errors"][:MOST_ERRORS]
    return Report(kind=asked.kind, dry_run=asked.dry_run, **told)


def _of_json(kind: Kind | None, dry_run: bool | None) -> Import:
    try:
        asked = Import.model_validate_json(request().body)
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors(include_url=False)]
        raise of_validation(errors, Import.model_fields) from None
    if kind not in (None, asked.kind):
        fault = Fault("?kind", "is not what the body says", kind, asked.kind)
        raise Problem(422, "invalid", "address and body name different kinds", fault)
    return asked.model_copy(update={"dry_run": asked.dry_run or bool(dry_run)})


def _of_csv(kind: Kind | None, dry_run: bool | None) -> Import:
    if kind is None:
        fault = Fault("?kind", "is missing", expected=", ".join(KINDS))
        raise Problem(422, "invalid", "say what the rows of the CSV are: ?kind=customers", fault)
    try:
        text = request().body.decode("utf-8-sig")
    except UnicodeDecodeError as odd:
        raise Refused(f"The file is not UTF-8: byte {odd.start} does not fit.", code="bad-csv") from None
    rows = csv_rows.read(text, SHAPES[kind], imports.MOST_ROWS)
    return Import(kind=kind, dry_run=bool(dry_run), rows=rows)

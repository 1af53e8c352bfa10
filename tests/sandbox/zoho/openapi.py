"""Checks requests and answers against Zoho's own description of its API, where that lies beside the repository.

The description has defects: places where recorded answers of the real service, or clients that work, say otherwise.
Each is listed in `KNOWN_DEFECTS` with its reason; everything else that does not fit is a problem.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "zoho-openapi"
BASE = "/books/v3"

needs_description = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"Zoho's description is not there: {FOLDER}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A place where the description is wrong: what matches `problem` at `call` is not a problem."""

    call: str
    problem: str
    reason: str


KNOWN_DEFECTS = (
    Defect(
        call=r"POST /invoices|PUT /invoices.*",
        problem=r"request line_items\[\]: 'item_id' is a required property",
        reason="lines with a name and a rate and no item are widely used; items can be switched off altogether",
    ),
    Defect(
        call=r"PUT /(invoices|creditnotes|customerpayments|contacts|items).*",
        problem=r"request (line_items\[\])?: '\w+' is a required property",
        reason="updates are partial: recorded updates sent one field alone",
    ),
    Defect(
        call=r"(POST|PUT) /invoices.*",
        problem=r"request (currency_code|shipping_charge_tax_id): not described",
        reason="taken by the service according to clients in production",
    ),
    Defect(
        call=r"(POST|PUT) /(invoices|creditnotes).*",
        problem=r"request (line_items\[\]\.)?(account_id|tax_exemption_id|rate|line_item_id|discount|unit): not .*",
        reason="named in answers and sent by clients; the description's requests lack them",
    ),
    Defect(
        call=r"(POST|PUT) /.*",
        problem=r"request custom_fields\[\](\.(api_name|customfield_id|value): not .*|: .* is not of type 'string')",
        reason="custom fields are named by api_name or id everywhere, the description varies from call to call",
    ),
    Defect(
        call=r"(POST|PUT) /(invoices|creditnotes).*",
        problem=r"request (shipping_charge|discount): .* is not of type '(string|number)'",
        reason="its own prose takes an amount as number and a percentage as text",
    ),
    Defect(
        call=r"(POST|PUT) /creditnotes.*",
        problem=r"request (adjustment(_description)?|discount_type|shipping_charge|is_discount_before_tax): not .*",
        reason="in answers and in the sister calls of invoices",
    ),
    Defect(
        call=r"POST /creditnotes",
        problem=r"request : 'creditnote_number' is a required property",
        reason="recorded credit notes were made without a number",
    ),
    Defect(
        call=r"POST /creditnotes/\{creditnote_id\}/invoices",
        problem=r"request : '(invoice_id|amount_applied)' is a required property",
        reason="they stand in the list of invoices; the description names them on both levels",
    ),
    Defect(
        call=r"POST /customerpayments",
        problem=r"request : '(invoice_id|amount_applied|invoices)' is a required property",
        reason="a recorded payment was made with the list alone; one without invoices is an advance",
    ),
    Defect(
        call=r"GET /(contacts|invoices|creditnotes|items|customerpayments)",
        problem=r"query (sort_order|\w+_(startswith|contains|start|end|before|after)|last_modified_time|cf_\w+): .*",
        reason="named in the prose of other parameters, or seen in recorded calls",
    ),
    Defect(
        call=r"GET /contacts",
        problem=r"answer contacts\[\]\.\w+: .*",
        reason="the rows' types differ between description and recordings",
    ),
    Defect(
        call=r".* /(invoices|creditnotes)(/\{\w+\})?",
        problem=r"answer .*(total|balance|shipping_charge|tax_amount|tax_percentage|documents|custom_fields\[\]): .*",
        reason="amounts are described as text and recorded as numbers",
    ),
    Defect(
        call=r"GET /(invoices|contacts|items|creditnotes|customerpayments|settings/\w+)",
        problem=r"answer page_context: .* is not of type 'array'",
        reason="recorded as one object",
    ),
    Defect(
        call=r"GET /creditnotes",
        problem=r"answer creditnotes: .* is not of type 'object'",
        reason="recorded as a list, like every other list",
    ),
    Defect(
        call=r".* /items(/\{\w+\})?",
        problem=r"answer items?(\[\])?\.(tax_percentage|\w+): .* is not of type 'string'",
        reason="percentages are described as text and recorded as numbers",
    ),
    Defect(
        call=r".* /settings/taxes(/\{\w+\})?",
        problem=r"answer tax: .* is not of type 'array'",
        reason="its own example is one object",
    ),
    Defect(
        call=r"GET /organizations(/\{organization_id\})?",
        problem=r"answer organizations?(\[\])?\.fiscal_year_start_month: .*",
        reason="the type varies; recorded as text",
    ),
    Defect(
        call=r"(POST|PUT) /settings/taxes.*",
        problem=r"answer : .*",
        reason="what creating answers is one object in the recordings of other resources",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call as it is described."""

    method: str
    template: str
    pattern: re.Pattern[str]
    parameters: frozenset[str]
    request: Mapping[str, Any] | None
    answers: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Method and address."""
        return f"{self.method} {self.template}"


@cache
def operations() -> tuple[Operation, ...]:
    """Read the whole description, the more particular addresses first."""
    found = [one for path in sorted(FOLDER.glob("*.yml")) for one in _read(path)]
    return tuple(sorted(found, key=lambda one: (one.template.count("{"), one.template)))


def _read(path: Path) -> Iterator[Operation]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for template, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method, described in methods.items():
            if method in {"get", "post", "put", "delete"}:
                yield _operation(document, template, method, described, shared)


def _operation(
    document: Mapping[str, Any], template: str, method: str, described: Mapping[str, Any], shared: list[Any]
) -> Operation:
    parameters = [_resolved(document, one) for one in [*shared, *described.get("parameters", [])]]
    return Operation(
        method=method.upper(),
        template=template,
        pattern=re.compile(re.sub(r"\{\w+\}", "[^/]+", template)),
        parameters=frozenset(str(one["name"]) for one in parameters),
        request=_schema(document, described.get("requestBody", {})),
        answers={
            str(status): schema
            for status, answer in described.get("responses", {}).items()
            if (schema := _schema(document, answer)) is not None
        },
        document=document,
    )


def _schema(document: Mapping[str, Any], holder: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = holder.get("content", {})
    for media_type, described in content.items():
        if "json" in media_type and "schema" in described:
            return _resolved(document, described["schema"])
    return None


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"][schema["$ref"].split("/")[-2]][schema["$ref"].split("/")[-1]]
    return schema


def operation_of(method: str, path: str) -> Operation | None:
    """Find what describes a call; the path may begin with the API's base."""
    short = path.removeprefix(BASE).rstrip("/")
    return next((one for one in operations() if one.method == method and one.pattern.fullmatch(short)), None)


def check_request(method: str, path: str, query: Mapping[str, str], body: Any = None) -> list[str]:
    """Say what in a request does not fit the description, known defects left out."""
    operation = operation_of(method, path)
    if operation is None:
        return [f"{method} {path}: not described"]
    names = operation.parameters | {"organization_id", "page", "per_page"}
    problems = [f"query {name}: not described" for name in query if name not in names]
    if body is not None and operation.request is not None:
        problems += [f"request {problem}" for problem in _misfits(operation, operation.request, body)]
        problems += [f"request {name}: not described" for name in _undescribed(operation, operation.request, body, "")]
    return _without_defects(operation, problems)


def check_answer(method: str, path: str, status: int, body: Any) -> list[str]:
    """Say what in a good answer does not fit the description, known defects left out."""
    operation = operation_of(method, path)
    if operation is None:
        return [f"{method} {path}: not described"]
    schema = operation.answers.get(str(status))
    if schema is None:
        described = ", ".join(operation.answers) or "none"
        return _without_defects(operation, [f"answer status {status}: described are {described}"])
    problems = [f"answer {problem}" for problem in _misfits(operation, schema, body)]
    return _without_defects(operation, problems)


def _misfits(operation: Operation, schema: Mapping[str, Any], body: Any) -> Iterator[str]:
    whole = {**schema, "components": operation.document["components"]}
    for error in jsonschema.Draft7Validator(whole).iter_errors(body):
        place = ".".join("[]" if isinstance(part, int) else str(part) for part in error.absolute_path)
        yield f"{place.replace('.[]', '[]')}: {error.message}"


def _undescribed(operation: Operation, schema: Mapping[str, Any], body: Any, place: str) -> Iterator[str]:
    schema = _resolved(operation.document, schema)
    if isinstance(body, list):
        for one in body:
            yield from _undescribed(operation, schema.get("items", {}), one, f"{place}[]")
    elif isinstance(body, dict) and "properties" in schema:
        for name, value in body.items():
            here = f"{place}.{name}" if place else name
            if name not in schema["properties"]:
                yield here
            else:
                yield from _undescribed(operation, schema["properties"][name], value, here)


def _without_defects(operation: Operation, problems: list[str]) -> list[str]:
    return sorted(
        f"{operation.name}: {problem}"
        for problem in set(problems)
        if not any(
            re.fullmatch(defect.call, operation.name) and re.fullmatch(defect.problem, problem)
            for defect in KNOWN_DEFECTS
        )
    )

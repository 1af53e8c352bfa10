"""Currencies, and the calls that show an organisation."""

from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.calls import Answer, Call, invalid, missing
from sandbox.zoho.clock import Clock
from sandbox.zoho.listing import Listing, page
from sandbox.zoho.organizations import Organization
from sandbox.zoho.store import Document, Search, Store

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "PLN": "zł"}
_PRECISIONS = {"JPY": 0, "KRW": 0, "HUF": 0, "ISK": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3, "JOD": 3, "OMR": 3}
_CODE_LENGTH = 3
_LISTING = Listing(
    resource="currencies", report="Currencies", filters={}, orders={"currency_code": "name"}, order="currency_code"
)


def symbol(code: str) -> str:
    """Give a currency's sign, or its code where it has none."""
    return _SYMBOLS.get(code, code)


def usual_precision(code: str) -> int:
    """Give a currency's usual digits after the point."""
    return _PRECISIONS.get(code, 2)


def currency_by_id(call: Call, currency_id: str) -> Document | None:
    """Find one of the organisation's currencies by its id."""
    return call.store.get("currency", call.organization.organization_id, currency_id)


def currency_by_code(call: Call, code: str) -> Document | None:
    """Find one of the organisation's currencies by its code."""
    return call.store.first("currency", call.organization.organization_id, "name = ?", code)


def make_currency(
    store: Store, organization_id: str, *, currency_id: str, code: str, precision: int | None = None, rate: object = 1
) -> None:
    """Write a currency of an organisation. `rate` is units of the base currency per unit of this one."""
    body = {
        "currency_code": code,
        "price_precision": usual_precision(code) if precision is None else precision,
        "exchange_rate": rate,
    }
    store.put(Document(id=currency_id, kind="currency", organization_id=organization_id, body=body))


def _shown(call: Call, document: Document) -> dict[str, Any]:
    code, precision = document.body["currency_code"], int(document.body["price_precision"])
    is_base = code == call.organization.currency_code
    return {
        "currency_id": document.id,
        "currency_code": code,
        "currency_name": code,
        "currency_name_formatted": f"{code}- {code}",
        "currency_symbol": symbol(code),
        "price_precision": precision,
        "currency_format": "1,234,567" + ("." + "890"[:precision] if precision else ""),
        "is_base_currency": is_base,
        "exchange_rate": 0 if is_base else document.body["exchange_rate"],
        "effective_date": "",
        "auto_exchange_rate_enabled": False,
    }


def list_currencies(call: Call) -> Answer:
    """GET /settings/currencies: 200 a page unless asked otherwise, as recorded."""
    found = call.store.find("currency", call.organization.organization_id, Search(order="name, id", limit=1000))
    if "per_page" not in call.query:
        call.query = {**call.query, "per_page": "200"}
    answer = page(call, _LISTING, [_shown(call, one) for one in found], extra={})
    for name in ("sort_column", "sort_order"):
        del answer.body["page_context"][name]
    return answer


def get_currency(call: Call) -> Answer:
    """GET /settings/currencies/{currency_id}."""
    document = currency_by_id(call, call.names["currency_id"])
    if document is None:
        raise missing(call, "The currency")
    return Answer(body={"code": 0, "message": "success", "currency": _shown(call, document)})


def create_currency(call: Call) -> Answer:
    """POST /settings/currencies."""
    body = call.mapping()
    code = checks.text(call, body, "currency_code").upper()
    if len(code) != _CODE_LENGTH or not code.isalpha() or currency_by_code(call, code) is not None:
        raise invalid("currency_code")
    id_ = call.ids.take()
    precision = checks.whole(body, "price_precision", usual_precision(code))
    make_currency(call.store, call.organization.organization_id, currency_id=id_, code=code, precision=precision)
    document = currency_by_id(call, id_)
    shown = _shown(call, document) if document is not None else {}
    return Answer(status=201, body={"code": 0, "message": "The currency has been added.", "currency": shown})


def shown_organization(organization: Organization, clock: Clock, *, is_default: bool) -> dict[str, Any]:
    """Give an organisation as its list shows it."""
    code = organization.currency_code
    texts = ("field_separator", "industry_type", "industry_size", "company_id_label", "company_id_value")
    return {
        "organization_id": organization.organization_id,
        "name": organization.name,
        "contact_name": "Sandbox User",
        "email": organization.email,
        "is_default_org": is_default,
        "language_code": "en",
        "fiscal_year_start_month": "1",
        "account_created_date": clock.date(organization.time_zone, at=organization.created),
        "time_zone": organization.time_zone,
        "is_dst_active": True,
        "date_format": "yyyy-MM-dd",
        **dict.fromkeys([*texts, "tax_id_label", "tax_id_value"], ""),
        "currency_id": organization.currency_id,
        "currency_code": code,
        "currency_symbol": symbol(code),
        "currency_format": "###,##0.00",
        "price_precision": organization.price_precision,
        "plan_type": 3,
        "plan_name": organization.plan_name,
        "plan_period": "Month",
        "country_code": organization.country_code,
        "country_name": organization.country_code,
        "portal_name": f"sandbox{organization.organization_id}",
        "org_settings": {"is_org_active": organization.is_active},
    }

"""Zoho's answers as pydantic models that tolerate drift: extras are ignored, and everything but the key is optional.

Seen to vary between list and detail, between organisations and between months: ids as numbers, amounts as texts,
booleans as texts, ``null`` or an empty text for a missing value, blanks at the end of a text, ``zip`` and ``zipcode``.
A value that cannot be read counts as missing; only a missing key makes an answer unreadable.
"""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).strip()


def _identity(value: Any) -> str:
    # A double has lost digits of an id already: 18 digits do not fit, so it names somebody else's document.
    if isinstance(value, bool | float | Decimal) or not _text(value):
        raise ValueError("an id must be a text or a whole number")
    return _text(value)


def _flag(value: Any) -> bool:
    return value is True or value == 1 or _text(value).lower() in {"true", "yes"}


def _optional_flag(value: Any) -> bool | None:
    return None if value is None or value == "" else _flag(value)


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool | float) or value is None:
        return None
    try:
        number = Decimal(_text(value).replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _digits(value: Any) -> int | None:
    number = _amount(value)
    return int(number) if number is not None and 0 <= number <= 9 else None  # noqa: PLR2004 more decimals has none


def _rows(value: Any) -> list[Any]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _optional_rows(value: Any) -> list[Any] | None:
    return _rows(value) if isinstance(value, list) else None


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


def _optional_object(value: Any) -> Any:
    return value if isinstance(value, dict) else None


Text = Annotated[str, BeforeValidator(_text)]
OptionalText = Annotated[str | None, BeforeValidator(lambda value: None if value is None else _text(value))]
Identity = Annotated[str, BeforeValidator(_identity)]
Flag = Annotated[bool, BeforeValidator(_flag)]
OptionalFlag = Annotated[bool | None, BeforeValidator(_optional_flag)]
Amount = Annotated[Decimal | None, BeforeValidator(_amount)]
Digits = Annotated[int | None, BeforeValidator(_digits)]


class Document(BaseModel):
    """What all answers have in common: unknown fields are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AddressDocument(Document):
    """A postal address of a contact or an invoice."""

    attention: Text = ""
    address: Text = Field("", validation_alias=AliasChoices("address", "street"))
    street2: Text = ""
    city: Text = ""
    state: Text = ""
    zip_code: Text = Field("", validation_alias=AliasChoices("zip", "zipcode", "zip_code"))
    country: Text = ""
    country_code: Text = ""
    phone: Text = ""


class PersonDocument(Document):
    """Somebody at a contact; fields that mean nothing to us are kept, so that an update can send them back."""

    model_config = ConfigDict(extra="allow", frozen=True)

    contact_person_id: Identity
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    phone: Text = ""
    mobile: Text = ""
    is_primary_contact: Flag = False


class ContactDocument(Document):
    """A contact; a list's row has neither addresses nor persons (None)."""

    contact_id: Identity
    contact_name: Text = ""
    company_name: Text = ""
    contact_type: Text = "customer"
    customer_sub_type: Text = ""
    status: Text = "active"
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    language_code: OptionalText = None
    currency_id: Text = ""
    currency_code: Text = ""
    notes: OptionalText = None
    vat_reg_no: OptionalText = Field(None, validation_alias=AliasChoices("vat_reg_no", "tax_reg_no"))
    billing_address: Annotated[AddressDocument | None, BeforeValidator(_optional_object)] = None
    shipping_address: Annotated[AddressDocument | None, BeforeValidator(_optional_object)] = None
    contact_persons: Annotated[list[PersonDocument] | None, BeforeValidator(_optional_rows)] = None
    created_time: Text = ""
    last_modified_time: Text = ""


class LineTaxDocument(Document):
    """One tax of one line; of a group's line there are several."""

    tax_id: Text = ""
    tax_name: Text = ""
    tax_amount: Amount = None


class LineDocument(Document):
    """One line of an invoice."""

    line_item_id: Identity
    name: Text = ""
    quantity: Amount = None
    rate: Amount = None
    item_total: Amount = None
    tax_id: Text = ""
    tax_name: Text = ""
    tax_type: Text = ""
    tax_percentage: Amount = None
    line_item_taxes: Annotated[list[LineTaxDocument], BeforeValidator(_rows)] = []


class InvoiceTaxDocument(Document):
    """The sum of one tax over an invoice; some answers name it, some also give its id or percentage."""

    tax_id: Text = ""
    tax_name: Text = ""
    tax_percentage: Amount = None
    tax_amount: Amount = None


class CustomFieldDocument(Document):
    """One custom field of a document."""

    api_name: Text = ""
    customfield_id: Text = ""
    label: Text = ""
    value: OptionalText = None


class InvoiceDocument(Document):
    """An invoice; a list's row has neither lines nor taxes (None)."""

    invoice_id: Identity
    invoice_number: Text = ""
    status: Text = ""
    reference_number: Text = ""
    customer_id: Text = ""
    date: Text = ""
    due_date: Text = ""
    total: Amount = None
    balance: Amount = None
    is_emailed: OptionalFlag = None
    tax_total: Amount = None
    currency_id: Text = ""
    currency_code: Text = ""
    tax_rounding: Text = ""
    notes: OptionalText = None
    terms: OptionalText = None
    salesperson_name: OptionalText = None
    template_id: OptionalText = None
    payment_terms_label: OptionalText = None
    created_time: Text = ""
    last_modified_time: Text = ""
    line_items: Annotated[list[LineDocument] | None, BeforeValidator(_optional_rows)] = None
    taxes: Annotated[list[InvoiceTaxDocument] | None, BeforeValidator(_optional_rows)] = None
    custom_fields: Annotated[list[CustomFieldDocument], BeforeValidator(_rows)] = []
    custom_field_hash: Annotated[dict[str, Any], BeforeValidator(_object)] = {}


class CreditNoteDocument(InvoiceDocument):
    """A credit note; it has an invoice's lines, taxes and texts."""

    invoice_id: Identity = Field(validation_alias="creditnote_id")
    invoice_number: Text = Field("", validation_alias="creditnote_number")


class PaymentDocument(Document):
    """A customer's payment."""

    payment_id: Identity
    payment_number: Text = ""
    customer_id: Text = ""
    amount: Amount = None
    currency_code: Text = ""
    reference_number: Text = ""
    date: Text = ""
    created_time: Text = ""
    last_modified_time: Text = ""


class CreditRefundDocument(Document):
    """Money of a credit note that was given back."""

    creditnote_refund_id: Identity
    creditnote_id: Text = ""
    amount: Amount = None
    reference_number: Text = ""
    date: Text = ""


class LockDocument(Document):
    """Until when one module of the books is locked. Which of the names an answer uses is not proved."""

    module: Text = Field("", validation_alias=AliasChoices("transaction_lock_module", "module"))
    locked_until: Text = Field("", validation_alias=AliasChoices("transaction_lock_date", "lock_date"))
    status: Text = Field("", validation_alias=AliasChoices("transaction_lock_status", "status"))


class TaxDocument(Document):
    """A tax, or a group of taxes; both stand in the same list."""

    tax_id: Identity = Field(validation_alias=AliasChoices("tax_id", "tax_group_id"))
    tax_name: Text = Field("", validation_alias=AliasChoices("tax_name", "tax_group_name"))
    tax_percentage: Amount = Field(None, validation_alias=AliasChoices("tax_percentage", "tax_group_percentage"))
    tax_type: Text = "tax"
    country: Text = ""
    country_code: Text = ""
    status: Text = ""
    is_inactive: Flag = False
    taxes: Annotated[list["TaxDocument"], BeforeValidator(_rows)] = []


class CurrencyDocument(Document):
    """A currency of the organisation."""

    currency_id: Identity
    currency_code: Text = ""
    price_precision: Digits = None
    is_base_currency: Flag = False


class OrganizationSettingsDocument(Document):
    """The part of an organisation that says whether it is in use."""

    is_org_active: OptionalFlag = None


class OrganizationDocument(Document):
    """An organisation that the user belongs to."""

    organization_id: Identity
    name: Text = ""
    currency_code: Text = ""
    time_zone: Text = ""
    country_code: Text = ""
    country: Text = ""
    plan_name: Text = ""
    price_precision: Digits = None
    is_default_org: Flag = False
    is_org_active: OptionalFlag = None
    org_settings: Annotated[OrganizationSettingsDocument, BeforeValidator(_object)] = OrganizationSettingsDocument()


class ItemDocument(Document):
    """A product."""

    item_id: Identity
    name: Text = Field("", validation_alias=AliasChoices("name", "item_name"))
    sku: Text = ""
    status: Text = "active"


class PageContextDocument(Document):
    """Where in a list an answer stands; missing on some lists."""

    has_more_page: Flag = False

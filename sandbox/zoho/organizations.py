"""Organisations: their settings, limits and switches, and the two calls that show them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from sandbox.zoho.switches import check_switch, switch_default

TEMPLATES = {"460000000000017001": "Standard Template"}  # id and name of the layouts for print; the first is usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many calls an organisation is allowed.

    `per_minute` counts over a rolling window of `window_seconds`; `per_day` over the organisation's own calendar day,
    or over `day_seconds` where that is given; `concurrent` counts the calls that are inside at once.
    """

    per_minute: int = 100
    window_seconds: float = 60.0
    per_day: int = 10_000
    day_seconds: float | None = None
    concurrent: int = 10


def limits_of(values: Mapping[str, Any]) -> Limits:
    """Read limits from JSON, whose numbers with a point are Decimal. Raises `TypeError` for one that does not exist."""
    plain: dict[str, Any] = {name: float(one) if isinstance(one, Decimal) else one for name, one in values.items()}
    return Limits(**plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One company's books: the settings that its people would have made."""

    organization_id: str
    name: str
    currency_id: str
    currency_code: str = "EUR"
    time_zone: str = "Europe/Berlin"
    country_code: str = "DE"
    price_precision: int = 2
    plan_name: str = "Professional"
    email: str = "books@sandbox.test"
    created: float = 0.0
    is_active: bool = True
    number_prefix: str = "INV-"
    transaction_lock_date: str | None = None
    unique_field: str | None = None
    unique_field_id: str = ""
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=lambda: dict(TEMPLATES))
    limits: Limits = field(default_factory=Limits)
    switches: Mapping[str, Any] = field(default_factory=dict)

    def switch(self, name: str) -> Any:
        """Give the organisation's answer to an open question. Raises `KeyError` for one that does not exist."""
        return self.switches.get(name, switch_default(name))

    def to_json(self) -> dict[str, Any]:
        """Give all settings as JSON."""
        return asdict(self) | {
            "switches": dict(self.switches),
            "custom_fields": dict(self.custom_fields),
            "templates": dict(self.templates),
        }


def from_json(data: Mapping[str, Any]) -> Organization:
    """Read an organisation as `to_json` wrote it. Raises `TypeError` for a setting that does not exist."""
    return Organization(**{**data, "limits": limits_of(data.get("limits", {}))})


class UnknownSettingError(ValueError):
    """A setting that an organisation does not have."""


_CHANGEABLE = {
    "name",
    "time_zone",
    "country_code",
    "price_precision",
    "plan_name",
    "is_active",
    "number_prefix",
    "transaction_lock_date",
    "unique_field",
    "unique_field_id",
    "custom_fields",
    "templates",
}


def changed(organization: Organization, changes: Mapping[str, Any]) -> Organization:
    """Give the organisation with some settings changed; limits and switches are merged into what is there.

    `tax_rounding` may be given like a setting, as Zoho's settings page has it. Raises `UnknownSettingError` and
    `UnknownSwitchError`.
    """
    plain = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    switches = dict(changes.get("switches") or {})
    if "tax_rounding" in changes:
        switches["tax_rounding"] = changes["tax_rounding"]
    for name, answer in switches.items():
        check_switch(name, answer)
    unknown = set(changes) - _CHANGEABLE - {"limits", "switches", "tax_rounding"}
    if unknown:
        raise UnknownSettingError(f"An organisation has no setting {', '.join(sorted(unknown))}.")
    limits = _merged_limits(organization.limits, changes.get("limits") or {})
    return replace(organization, **plain, limits=limits, switches={**organization.switches, **switches})


def _merged_limits(limits: Limits, changes: Mapping[str, Any]) -> Limits:
    try:
        return limits_of({**asdict(limits), **changes})
    except TypeError as error:
        raise UnknownSettingError(f"Limits are {', '.join(asdict(limits))}: {error}.") from error

"""Zoho's data centres: a closed list of hosts. Nothing that comes from outside ever names a host.

The callback of an authorisation names a data centre, and every token answer names an API host. Whoever calls an
address that came in so can be sent anywhere with the client's secret; therefore what comes in is only compared.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from consumer.domain.settings import SANDBOX_DATA_CENTER
from consumer.errors import ConfigurationError

SANDBOX_SETTING = "BOOKED_SANDBOX_LEDGER_URL"
PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCenter:
    """One data centre; each field is an origin (scheme, host and perhaps a port) without a path."""

    name: str
    accounts: str
    api: str
    app: str  # the pages for people


def _zoho(name: str, accounts: str, api: str, app: str) -> DataCenter:
    return DataCenter(name=name, accounts=f"https://{accounts}", api=f"https://{api}", app=f"https://{app}")


ZOHO_DATA_CENTERS: Mapping[str, DataCenter] = {
    center.name: center
    for center in (
        _zoho("us", "accounts.zoho.com", "www.zohoapis.com", "books.zoho.com"),
        _zoho("eu", "accounts.zoho.eu", "www.zohoapis.eu", "books.zoho.eu"),
        _zoho("in", "accounts.zoho.in", "www.zohoapis.in", "books.zoho.in"),
        _zoho("au", "accounts.zoho.com.au", "www.zohoapis.com.au", "books.zoho.com.au"),
        _zoho("jp", "accounts.zoho.jp", "www.zohoapis.jp", "books.zoho.jp"),
        _zoho("ca", "accounts.zohocloud.ca", "www.zohoapis.ca", "books.zohocloud.ca"),
        _zoho("cn", "accounts.zoho.com.cn", "www.zohoapis.com.cn", "books.zoho.com.cn"),
        _zoho("sa", "accounts.zoho.sa", "www.zohoapis.sa", "books.zoho.sa"),
        _zoho("uk", "accounts.zoho.uk", "www.zohoapis.uk", "books.zoho.uk"),
    )
}
"""The data centres of Zoho by the name that a connection's `data_center` holds."""


@dataclass(frozen=True, slots=True)
class DataCenters:
    """The data centres that this process may call: Zoho's, and the sandbox where its address was given."""

    by_name: Mapping[str, DataCenter]

    @classmethod
    def make(cls, *, sandbox_url: str | None = None, environment: str = "") -> Self:
        """Make the list. ``sandbox_url`` is the setting's value; empty or None means that there is no sandbox.

        Raises ConfigurationError where the address is not a loopback or private one, or the environment is
        "production": a stand-in must never take orders of a real shop.
        """
        if not sandbox_url:
            return cls(ZOHO_DATA_CENTERS)
        if environment.strip().lower() == PRODUCTION:
            raise ConfigurationError(
                SANDBOX_SETTING, "must not be set with BOOKED_ENVIRONMENT=production; remove one of the two"
            )
        origin = _private_origin(sandbox_url)
        sandbox = DataCenter(name=SANDBOX_DATA_CENTER, accounts=origin, api=origin, app=origin)
        return cls({**ZOHO_DATA_CENTERS, SANDBOX_DATA_CENTER: sandbox})

    def get(self, name: str) -> DataCenter:
        """Give a data centre by its name. Raises ConfigurationError for a name that is not on the list."""
        center = self.by_name.get(name)
        if center is None:
            hint = f"; set {SANDBOX_SETTING} to use the sandbox" if name == SANDBOX_DATA_CENTER else ""
            known = ", ".join(sorted(self.by_name))
            raise ConfigurationError("data_center", f"{name!r} is not a data centre of Zoho; use one of {known}{hint}")
        return center

    def by_api_domain(self, api_domain: str) -> DataCenter | None:
        """Tell which data centre a token answer's ``api_domain`` belongs to; None for an address not on the list."""
        wanted = api_domain.strip().rstrip("/").lower()
        return next((center for center in self.by_name.values() if center.api == wanted), None)


def _private_origin(url: str) -> str:
    """Check the sandbox's address and cut it to its origin. Names are not resolved: they may change after the check."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(SANDBOX_SETTING, f"is not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(SANDBOX_SETTING, "must be an http or https address, such as http://127.0.0.1:8123")
    if parts.username or parts.password or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ConfigurationError(SANDBOX_SETTING, "must hold scheme, host and port only")
    if not _is_private(parts.hostname):
        raise ConfigurationError(SANDBOX_SETTING, "must be localhost or a loopback or private IP address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _is_private(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # is_private also holds for 0.0.0.0 and for ranges kept for documentation, which nobody serves from on purpose.
    return (address.is_loopback or address.is_private) and not (address.is_unspecified or address.is_link_local)

"""A shop's own list of orders, as the file of shops names it."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from consumer.config import FILE_SUFFIX, PREFIX
from consumer.domain.settings import OrderListSettings, Platform

_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError("it is no address such as https://shop.example/booked/orders") from error
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError("it is no address such as https://shop.example/booked/orders")
    if parts.username is not None or parts.fragment:
        raise ValueError("name and password have no place in it, nor has a part behind #; see token_variable")
    return text


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("it is the name of an environment variable, such as SHOP_NL_TOKEN, never the secret itself")
    if name.startswith(PREFIX) or name.endswith(FILE_SUFFIX):
        raise ValueError(f"it must not begin with {PREFIX}, nor end in {FILE_SUFFIX}: those names have their meaning")
    return name


class OrderListPart(BaseModel):
    """Where a shop lists its own orders."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(max_length=1000), AfterValidator(_url)]
    kind: Platform | None = None
    token_variable: Annotated[str, AfterValidator(_variable)]
    api_version: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2})?$")] = ""
    allow_private: bool = False
    allow_http: bool = False

    @model_validator(mode="after")
    def _encrypted(self) -> "OrderListPart":
        if not self.allow_http and urlsplit(self.url).scheme != "https":
            raise ValueError("url has to begin with https://, or anybody on the way could read the secret")
        return self

    def settings(self, source: Platform) -> OrderListSettings:
        """Give it as the domain has it; without a kind the list speaks as the shop's events do."""
        return OrderListSettings(
            url=self.url,
            kind=self.kind or source,
            token_variable=self.token_variable,
            api_version=self.api_version,
            allow_private=self.allow_private,
            allow_http=self.allow_http,
        )

"""The accounts server: the page where a person allows a client, codes, tokens, revoking.

Its errors arrive as `{"error": …}`, by default with HTTP 200: the body has to be read before the status.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

from sandbox.zoho.calls import Answer
from sandbox.zoho.numbers import loads
from sandbox.zoho.switches import switch_default
from sandbox.zoho.tokens import Grant, Tokens

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox accounts</title></head><body>
<h1>Sandbox accounts</h1><p>{client} asks for:</p><ul>{scopes}</ul>
<p><a id="allow" href="{allow}">Allow</a> <a id="deny" href="{deny}">Deny</a></p></body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Answers `/oauth/v2/…`. `switch` gives how the organisations of a grant answer an open question."""

    tokens: Tokens
    origin: str
    switch: Callable[[Grant | None, str], Any]

    def answer(self, method: str, path: str, values: Mapping[str, str]) -> Answer:
        """Answer one call; `values` are query and form together."""
        if path == "/oauth/v2/auth" and method == "GET":
            return self._authorise(values)
        if path == "/oauth/v2/token" and method == "POST":
            return self._token(values)
        if path == "/oauth/v2/token/revoke" and method == "POST":
            return self._revoke(values)
        if path == "/oauth/serverinfo":
            return Answer(body={"result": "success", "locations": {"us": self.origin}})
        return Answer(status=404, content=b"<html><body>Not found</body></html>", media_type="text/html")

    def _authorise(self, values: Mapping[str, str]) -> Answer:
        """Show the page with Allow and Deny; `sandbox_auto=allow` or `=deny` presses the button at once."""
        client = self.tokens.client(values.get("client_id", ""))
        redirect_uri = values.get("redirect_uri", "")
        if client is None:
            return _page("This client is not known.", status=400)
        if redirect_uri not in client[1]:
            return _page("This redirect address is not registered for the client.", status=400)
        choice = values.get("sandbox_auto")
        if choice == "allow":
            return self._allow(values, redirect_uri)
        if choice == "deny":
            return _redirect(redirect_uri, {"error": "access_denied", **_state(values)})
        scopes = "".join(f"<li>{escape(one)}</li>" for one in _scopes(values))
        links = {
            name: escape(f"/oauth/v2/auth?{urlencode({**values, 'sandbox_auto': name})}") for name in ("allow", "deny")
        }
        page = _PAGE.format(client=escape(values["client_id"]), scopes=scopes, **links)
        return Answer(content=page.encode(), media_type="text/html;charset=UTF-8")

    def _allow(self, values: Mapping[str, str], redirect_uri: str) -> Answer:
        organizations = values.get("sandbox_organizations")
        # A client that was allowed before gets another refresh token only where it asks for the consent again.
        is_new = values.get("prompt") == "consent" or not self.tokens.has_refresh_token(values["client_id"])
        code = self.tokens.make_code(
            client_id=values["client_id"],
            scopes=_scopes(values),
            organizations=organizations.split(",") if organizations else None,
            redirect_uri=redirect_uri,
            offline=values.get("access_type") == "offline" and is_new,
        )
        return _redirect(
            redirect_uri, {"code": code, "location": "us", "accounts-server": self.origin, **_state(values)}
        )

    def _token(self, values: Mapping[str, str]) -> Answer:
        client = self.tokens.client(values.get("client_id", ""))
        if client is None:
            return self._error("invalid_client")
        if client[0] != values.get("client_secret"):
            return self._error("invalid_client_secret" if values.get("client_secret") is None else "invalid_client")
        kinds = {
            "authorization_code": self._exchange,
            "refresh_token": self._refresh,
            "client_credentials": self._client_credentials,
        }
        kind = kinds.get(values.get("grant_type", ""))
        return kind(values) if kind is not None else self._error("unsupported_grant_type")

    def _exchange(self, values: Mapping[str, str]) -> Answer:
        code = self.tokens.take_code(values.get("code", ""))
        if code is None or code["client_id"] != values["client_id"]:
            return self._error("invalid_code")
        # A code of the API console has no redirect address; that of a page must come back to the same one.
        if code["redirect_uri"] is not None and code["redirect_uri"] != values.get("redirect_uri"):
            return self._error("invalid_redirect_uri")
        organizations, scopes = loads(code["organizations"]), loads(code["scopes"])
        if not code["offline"]:
            online = Grant(
                token=f"online:{code['client_id']}",
                client_id=code["client_id"],
                scopes=tuple(scopes),
                organizations=organizations,
            )
            return self._granted(online)
        grant = self.tokens.make_refresh_token(client_id=code["client_id"], scopes=scopes, organizations=organizations)
        return self._granted(grant, refresh_token=grant.token)

    def _refresh(self, values: Mapping[str, str]) -> Answer:
        grant = self.tokens.refresh_token(values.get("refresh_token", ""))
        if grant is None or grant.client_id != values["client_id"]:
            return self._error("invalid_code")
        if self.tokens.is_throttled(grant.token):
            text = "You have made too many requests continuously. Please try again after some time."
            status = int(self.switch(grant, "oauth_throttle_status"))
            return Answer(status=status, body={"error": "Access Denied", "error_description": text})
        return self._granted(grant)

    def _client_credentials(self, values: Mapping[str, str]) -> Answer:
        service, _, organization_id = values.get("soid", "").partition(".")
        if not service or not organization_id:
            return self._error("missing_org_info")
        grant = Grant(token="", client_id=values["client_id"], scopes=_scopes(values), organizations=(organization_id,))
        return self._granted(grant)

    def _granted(self, grant: Grant, **more: str) -> Answer:
        return Answer(
            body={
                "access_token": self.tokens.make_access_token(grant),
                **more,
                "scope": " ".join(grant.scopes),
                "api_domain": self.origin,
                "token_type": "Bearer",
                "expires_in": int(self.tokens.rules.access_token_seconds),
            }
        )

    def _revoke(self, values: Mapping[str, str]) -> Answer:
        if self.tokens.revoke(values.get("token", "")):
            return Answer(body={"status": "success"})
        return self._error("invalid_token")

    def _error(self, name: str) -> Answer:
        return Answer(status=int(self.switch(None, "oauth_error_status")), body={"error": name})


def usual(_grant: Grant | None, name: str) -> Any:
    """Answer every open question as usual."""
    return switch_default(name)


def _scopes(values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(one.strip() for one in values.get("scope", "").split(",") if one.strip())


def _state(values: Mapping[str, str]) -> dict[str, str]:
    return {"state": values["state"]} if "state" in values else {}


def _redirect(address: str, values: Mapping[str, str]) -> Answer:
    joint = "&" if "?" in address else "?"
    return Answer(status=302, content=b"", headers={"Location": f"{address}{joint}{urlencode(values)}"})


def _page(message: str, *, status: int) -> Answer:
    return Answer(
        status=status, content=f"<html><body>{escape(message)}</body></html>".encode(), media_type="text/html"
    )

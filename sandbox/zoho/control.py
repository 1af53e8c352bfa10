"""The control API: what tests, the demo and the command line tell the stand-in, and ask it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sandbox.zoho.calls import Answer, Refusal
from sandbox.zoho.faults import InvalidFaultError
from sandbox.zoho.founding import found_organization
from sandbox.zoho.invoice_states import change_by_hand
from sandbox.zoho.ledger import ledger_of, live_invoices
from sandbox.zoho.numbers import dumps, loads
from sandbox.zoho.organizations import Organization, UnknownSettingError, changed
from sandbox.zoho.switches import SWITCHES, UnknownSwitchError
from sandbox.zoho.world import World

type_body = dict[str, Any]
_REFUSED = (UnknownSettingError, UnknownSwitchError, InvalidFaultError, TypeError, ValueError, KeyError)


class Control:
    """Answers `/control/…`."""

    def __init__(self, *, world: World) -> None:
        self._world = world
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
            (method, re.compile(f"/control{pattern}/?"), handler)
            for method, pattern, handler in (
                ("GET", "/health", self._health),
                ("GET", "/switches", self._switches),
                ("GET", "/organizations", self._organizations),
                ("POST", "/organizations", self._found),
                ("GET", "/organizations/(?P<organization_id>[^/]+)", self._organization),
                ("PATCH", "/organizations/(?P<organization_id>[^/]+)", self._change),
                ("POST", "/clients", self._client),
                ("POST", "/grants", self._grant),
                ("POST", "/codes", self._code),
                ("PATCH", "/oauth", self._oauth),
                ("POST", "/tokens/expire", self._expire),
                ("POST", "/tokens/revoke", self._revoke),
                ("GET", "/requests", self._requests),
                ("GET", "/requests/count", self._counts),
                ("PATCH", "/requests", self._keep),
                ("GET", "/faults", self._faults),
                ("POST", "/faults", self._add_faults),
                ("DELETE", "/faults", self._clear_faults),
                ("POST", "/latency", self._latency),
                ("GET", "/ledger/(?P<organization_id>[^/]+)", self._ledger),
                ("GET", "/invoices/(?P<organization_id>[^/]+)/live", self._live),
                ("PATCH", "/invoices/(?P<organization_id>[^/]+)/(?P<invoice_id>[^/]+)", self._by_hand),
            )
        ]

    def answer(self, method: str, path: str, query: Mapping[str, str], content: bytes) -> Answer:
        """Answer one call; what is wrong with it is said with status 400 and `error`."""
        for wanted, pattern, handler in self._routes:
            matched = pattern.fullmatch(path)
            if matched is None or wanted != method:
                continue
            try:
                body = loads(content) if content else {}
                with self._world.store.transaction():
                    return Answer(body=handler(body=body, query=query, **matched.groupdict()))
            except Refusal as refusal:
                return refusal.answer()
            except _REFUSED as error:
                return Answer(status=400, body={"error": f"{type(error).__name__}: {error}"})
        return Answer(status=404, body={"error": f"The control API has no {method} {path}."})

    def _health(self, **_: Any) -> dict[str, Any]:
        return {"status": "ok", "organizations": len(self._world.organizations), "seq": self._world.recorder.newest()}

    def _switches(self, **_: Any) -> dict[str, Any]:
        return {"switches": {name: list(answers) for name, answers in SWITCHES.items()}}

    def _organizations(self, **_: Any) -> dict[str, Any]:
        return {"organizations": [self._shown(one) for one in self._world.organizations.values()]}

    def _shown(self, organization: Organization) -> dict[str, Any]:
        used = self._world.limits.day_used(organization)
        return organization.to_json() | {"day_used": used, "limits": asdict(organization.limits)}

    def _known(self, organization_id: str) -> Organization:
        organization = self._world.organizations.get(organization_id)
        if organization is None:
            raise KeyError(f"There is no organization {organization_id}; make it with POST /control/organizations.")
        return organization

    def _found(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        return found_organization(self._world, body)

    def _organization(self, *, organization_id: str, **_: Any) -> dict[str, Any]:
        return self._shown(self._known(organization_id))

    def _change(self, *, organization_id: str, body: type_body, **_: Any) -> dict[str, Any]:
        organization = changed(self._known(organization_id), body)
        if organization.unique_field and not organization.unique_field_id:
            organization = changed(organization, {"unique_field_id": self._world.ids.take()})
        self._world.keep_organization(organization)
        return self._shown(organization)

    def _client(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        client_id = str(body.get("client_id") or f"1000.{self._world.ids.take()}")
        client_secret = str(body.get("client_secret") or self._world.ids.take())
        redirect_uris = [str(one) for one in body.get("redirect_uris", [])]
        self._world.tokens.add_client(client_id, client_secret, redirect_uris)
        return {"client_id": client_id, "client_secret": client_secret, "redirect_uris": redirect_uris}

    def _grant(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        """Make a refresh token at once, as if a person had allowed it; an unknown client is registered with it."""
        tokens, client_id = self._world.tokens, str(body["client_id"])
        if tokens.client(client_id) is None:
            tokens.add_client(client_id, str(body["client_secret"]), [])
        grant = tokens.make_refresh_token(
            client_id=client_id, scopes=_scopes(body), organizations=body.get("organization_ids")
        )
        return {"refresh_token": grant.token, "access_token": tokens.make_access_token(grant)}

    def _code(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        """Make a code as the API console gives it to a self client; `seconds` is how long it may be exchanged."""
        code = self._world.tokens.make_code(
            client_id=str(body["client_id"]),
            scopes=_scopes(body),
            organizations=body.get("organization_ids"),
            redirect_uri=None,
            offline=True,
            seconds=float(body["seconds"]) if "seconds" in body else None,
        )
        return {"code": code}

    def _oauth(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        numbers = {name: int(value) if name == "tokens_per_window" else float(value) for name, value in body.items()}
        return asdict(self._world.tokens.set_rules(numbers))

    def _expire(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        return {"expired": self._world.tokens.expire(refresh_token=body.get("refresh_token"))}

    def _revoke(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        return {"revoked": self._world.tokens.revoke(str(body["token"]))}

    def _requests(self, *, query: Mapping[str, str], **_: Any) -> dict[str, Any]:
        rows = self._world.recorder.since(
            int(query.get("since", 0)),
            organization_id=query.get("organization_id"),
            limit=int(query.get("limit", 1000)),
        )
        return {"requests": rows}

    def _counts(self, *, query: Mapping[str, str], **_: Any) -> dict[str, Any]:
        since, organization_id = int(query.get("since", 0)), query.get("organization_id")
        return {"counts": self._world.recorder.counts(since=since, organization_id=organization_id)}

    def _keep(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        self._world.recorder.keep = int(body["keep"])
        self._world.keep_setting("keep_requests", self._world.recorder.keep)
        return {"keep": self._world.recorder.keep}

    def _faults(self, **_: Any) -> dict[str, Any]:
        return {"faults": self._world.faults.shown()}

    def _add_faults(self, *, body: type_body | list[type_body], **_: Any) -> dict[str, Any]:
        given = body if isinstance(body, list) else body.get("faults", [body])
        return {"ids": self._world.faults.add(given)}

    def _clear_faults(self, *, query: Mapping[str, str], **_: Any) -> dict[str, Any]:
        return {"removed": self._world.faults.clear(query.get("id"))}

    def _latency(self, *, body: type_body, **_: Any) -> dict[str, Any]:
        self._world.latency_seconds = float(body["seconds"])
        self._world.keep_setting("latency_seconds", self._world.latency_seconds)
        return {"seconds": self._world.latency_seconds}

    def _ledger(self, *, organization_id: str, **_: Any) -> dict[str, Any]:
        return ledger_of(self._world, self._known(organization_id))

    def _live(self, *, organization_id: str, **_: Any) -> dict[str, Any]:
        return live_invoices(self._world, self._known(organization_id))

    def _by_hand(self, *, organization_id: str, invoice_id: str, body: type_body, **_: Any) -> dict[str, Any]:
        """Do what a person does in the books: `{"action": "edit", "changes": {…}}`, void, sent or delete."""
        call = self._world.call_of(self._known(organization_id), query={"ignore_auto_number_generation": "true"})
        change_by_hand(call, invoice_id, str(body.get("action", "edit")), dict(body.get("changes", {})))
        return {"done": True}


def _scopes(body: type_body) -> list[str]:
    given = body.get("scopes", ["ZohoBooks.fullaccess.all"])
    return given.split(",") if isinstance(given, str) else [str(one) for one in given]


def seed(world: World, text: str) -> None:
    """Apply a seed file: a JSON object with lists of `clients`, `organizations` and `grants`.

    What is there already stays as it is, so that a restart with the same file changes nothing. Raises `ValueError`
    where the control API refuses an entry.
    """
    control = Control(world=world)
    given = loads(text)
    known = {"organizations": set(world.organizations)}
    for name in ("clients", "organizations", "grants"):
        for one in given.get(name, []):
            if one.get("organization_id") in known.get(name, set()):
                continue
            answer = control.answer("POST", f"/control/{name}", {}, dumps(one).encode())
            if answer.status != 200:  # noqa: PLR2004  # the control API's one good status
                raise ValueError(f"The seed file's {name} hold an entry that is refused: {answer.body['error']}")

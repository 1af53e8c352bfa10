"""One request from its arrival to the end of its answer.

The order is: who is asking, which books, is there such a call, is it allowed, are there calls left, is the call struck
by a fault, the call itself, and the answer. The call's effect, its place in the day's count and the record of it are
one transaction, committed before the first byte of the answer.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Send

from sandbox.zoho.calls import Answer, Refusal
from sandbox.zoho.currencies import shown_organization
from sandbox.zoho.delivery import deliver
from sandbox.zoho.faults import AFTER, BEFORE, Action, Fault
from sandbox.zoho.numbers import loads
from sandbox.zoho.oauth import Accounts
from sandbox.zoho.organizations import Organization
from sandbox.zoho.routes import BASE, Route, find
from sandbox.zoho.switches import switch_default
from sandbox.zoho.tokens import Grant
from sandbox.zoho.world import World

_ORGANIZATIONS = f"{BASE}/organizations"


class CutConnection(Exception):  # noqa: N818  # it is an order, not a mistake
    """The connection is to be cut instead of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request as it came in."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    content: bytes
    caller: tuple[str, int]

    @property
    def query(self) -> dict[str, str]:
        """The query's names and values; the last of several wins."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The query and a form body together."""
        return {**self.query, **dict(parse_qsl(self.content.decode("utf-8", "replace"), keep_blank_values=True))}


@dataclass(slots=True, kw_only=True)
class Visit:
    """The work on one request."""

    world: World
    arrival: Arrival
    began: float = field(default_factory=time.perf_counter)
    seq: int = 0
    held_seconds: float = 0.0
    inside: Organization | None = None
    struck: list[Fault] = field(default_factory=list)
    grant: Grant | None = None
    template: str = ""

    async def run(self, send: Send) -> None:
        """Work the request off. Never raises for what a caller or a handler does wrong."""
        self._begin()
        ended = "cut"
        try:
            answer = await self._answer()
            await self._afterwards()
            ended = await self._send(send, answer)
        except (CutConnection, asyncio.CancelledError):
            # Cancelled is a held call only when the process is told to stop: its caller gets no answer any more.
            self.world.connections.cut(self.arrival.caller)
            # The connection's end is worked off in the loop's next rounds; before that there is still a caller to
            # whom the server would send an error of its own.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        finally:
            if self.inside is not None:
                self.world.limits.leave(self.inside)
            faults = ",".join(one.id for one in self.struck)
            self.world.recorder.ended(
                self.seq, answer=ended, began=self.began, held_seconds=self.held_seconds, faults=faults
            )

    def _begin(self) -> None:
        arrival = self.arrival
        # What the accounts server receives are secrets: they are not written down.
        is_secret = arrival.path.startswith("/oauth")
        self.seq = self.world.recorder.begin(
            at=self.world.clock.now(),
            method=arrival.method,
            path=arrival.path,
            query="" if is_secret else arrival.query_string,
            body="" if is_secret else arrival.content.decode("utf-8", "replace"),
            organization_id=arrival.query.get("organization_id", ""),
        )

    async def _answer(self) -> Answer:
        try:
            if self.arrival.path.startswith("/oauth"):
                return await self._accounts()
            return await self._books()
        except Refusal as refusal:
            self._decided(refusal.answer(), committed=False)
            return refusal.answer()
        except CutConnection:
            raise
        except Exception:  # noqa: BLE001  # the loop's edge: a mistake of the stand-in is an answer of 500, not its end
            traceback.print_exc(file=sys.stderr)
            answer = Answer(status=500, body={"code": 1000, "message": "Internal error of the sandbox."})
            self._decided(answer, committed=False)
            return answer

    async def _accounts(self) -> Answer:
        self._strike("")
        await self._hold(self.world.latency_seconds)
        instead = await self._instead()
        if instead is not None:
            self._decided(instead, committed=False)
            return instead
        accounts = Accounts(tokens=self.world.tokens, origin=self.world.origin, switch=self.world.switch)
        with self.world.store.transaction():
            answer = accounts.answer(self.arrival.method, self.arrival.path, self.arrival.form)
            self._decided(answer, committed="access_token" in answer.body)
        return answer

    async def _books(self) -> Answer:
        self.grant = self._authorised()
        if self.arrival.path.rstrip("/").startswith(_ORGANIZATIONS):
            return await self._organizations(self.grant)
        organization = self._organization(self.grant)
        found = find(self.arrival.method, self.arrival.path)
        if found.route is None and found.methods:
            raise Refusal(
                status=int(organization.switch("method_status")),
                code=37,
                message="The method is not allowed here.",
                headers={"Allow": ", ".join(found.methods)},
            )
        if found.route is None:
            raise Refusal(status=404, code=5, message="Invalid URL passed")
        self.template = found.route.template
        if not self.grant.allows(found.route.scope):
            raise _unauthorised(57)
        self.world.limits.enter(organization)
        self.inside = organization
        self._strike(organization.organization_id)
        await self._hold(self.world.latency_seconds)
        return await self._called(organization, found.route, found.names)

    async def _called(self, organization: Organization, route: Route, names: Mapping[str, str]) -> Answer:
        """Do the call, or what a fault puts in its place; either takes one call from the day."""
        instead = await self._instead()
        if instead is not None:
            with self.world.store.transaction():
                self.world.limits.count_day(organization)
                self._decided(instead, committed=False, counted=True)
            return instead
        with self.world.store.transaction():
            self.world.limits.count_day(organization)
            answer = self._perform(organization, route, names)
            committed = self.arrival.method != "GET" and answer.body.get("code", 1) == 0
            self._decided(answer, committed=committed, counted=True)
        answer.headers |= self.world.limits.headers(organization) | {"Allow": f"OPTIONS, {route.method}"}
        return answer

    def _perform(self, organization: Organization, route: Route, names: Mapping[str, str]) -> Answer:
        """Run the handler; what a refused call has written already is undone, its place in the day's count is not."""
        store = self.world.store
        store.execute("SAVEPOINT call")
        try:
            call = self.world.call_of(
                organization,
                method=self.arrival.method,
                path=self.arrival.path,
                names=names,
                query=self.arrival.query,
                headers=self.arrival.headers,
                body=self._json(),
                stale_seconds=self._number("stale_list", "seconds"),
            )
            answer = route.handler(call)
        except Refusal as refusal:
            store.execute("ROLLBACK TO call")
            answer = refusal.answer()
        except InvalidOperation:
            # A figure of more digits than the ledger reckons with.
            store.execute("ROLLBACK TO call")
            answer = Refusal(status=400, code=2, message="Invalid value passed for a figure.").answer()
        store.execute("RELEASE call")
        return answer

    def _json(self) -> Any:
        """Read the body as JSON; an empty one is an empty object, as a call without any field."""
        if not self.arrival.content:
            return {}
        try:
            return loads(self.arrival.content)
        except (ValueError, RecursionError) as error:
            raise Refusal(status=400, code=1038, message="The JSON is not well formed.") from error

    def _authorised(self) -> Grant:
        scheme, _, token = self.arrival.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"zoho-oauthtoken", "bearer"} or not token:
            raise _unauthorised(57)
        grant = self.world.tokens.access_token(token.strip())
        if grant is None or (scheme.lower() == "bearer" and self._switch("bearer_scheme") == "refused"):
            self._count_refused()
            raise _unauthorised(int(self._switch("expired_token_code")))
        return grant

    def _named(self) -> Organization | None:
        """Give the organisation that the request names, whoever sends it."""
        return self.world.organizations.get(self.arrival.query.get("organization_id", ""))

    def _count_refused(self) -> None:
        """Take a call whose token is refused from the minute of the organisation it names, where such ones count."""
        organization = self._named()
        if organization is not None and organization.switch("refused_token") == "counted":
            self.world.limits.enter(organization)
            self.world.limits.leave(organization)

    def _switch(self, name: str) -> Any:
        """Give how the organisation that the request names answers an open question; the usual answer without one."""
        organization = self._named()
        return organization.switch(name) if organization is not None else switch_default(name)

    def _organization(self, grant: Grant) -> Organization:
        id_ = self.arrival.query.get("organization_id", "")
        organization = self.world.organizations.get(id_)
        if organization is None or not grant.sees(id_):
            raise Refusal(status=400, code=6041, message="This user is not associated with the company.")
        if not organization.is_active:
            raise Refusal(status=400, code=103001, message="The subscription of the organization is over.")
        return organization

    async def _organizations(self, grant: Grant) -> Answer:
        """Answer the calls that need no organisation; they count for no limit and carry no headers of one."""
        self._strike("")
        await self._hold(self.world.latency_seconds)
        instead = await self._instead()
        if instead is None:
            if not grant.allows("ZohoBooks.settings.READ"):
                raise _unauthorised(57)
            seen = [one for one in self.world.organizations.values() if grant.sees(one.organization_id)]
            shown = [
                shown_organization(one, self.world.clock, is_default=position == 0) for position, one in enumerate(seen)
            ]
            instead = self._organization_answer(shown)
        self._decided(instead, committed=False)
        return instead

    def _organization_answer(self, shown: list[dict[str, Any]]) -> Answer:
        wanted = self.arrival.path.removeprefix(_ORGANIZATIONS).strip("/")
        if not wanted:
            return Answer(body={"code": 0, "message": "success", "organizations": shown})
        for one in shown:
            if one["organization_id"] == wanted:
                return Answer(body={"code": 0, "message": "success", "organization": one})
        raise Refusal(status=400, code=6041, message="This user is not associated with the company.")

    def _strike(self, organization_id: str) -> None:
        self.struck = self.world.faults.strike(self.arrival.method, self.arrival.path, organization_id)

    async def _hold(self, seconds: float) -> None:
        if seconds > 0:
            self.held_seconds += seconds
            await asyncio.sleep(seconds)

    def _number(self, name: str, figure: str) -> float:
        return sum(one.action.number(figure, 0) for one in self.struck if one.action.name == name)

    def _actions(self, names: frozenset[str]) -> list[Action]:
        return [one.action for one in self.struck if one.action.name in names]

    async def _instead(self) -> Answer | None:
        """Do what a fault puts in the place of the call. Raises `Refusal` and `CutConnection`."""
        await self._hold(self._number("delay", "seconds"))
        for action in self._actions(BEFORE):
            if action.name == "cut_before_commit":
                raise CutConnection
            if action.name in {"expired_token", "revoked_token"}:
                self._spoil_token(action.name)
            else:
                return _answer_of(action)
        return None

    def _spoil_token(self, name: str) -> None:
        grant = self.grant
        if grant is None:
            # At the accounts server there is no access token: what is revoked is the refresh token it was sent.
            self.world.tokens.revoke(self.arrival.form.get("refresh_token", ""))
            return
        if name == "revoked_token":
            self.world.tokens.revoke(grant.refresh_token)
        self.world.tokens.expire(access_token=grant.token)
        raise _unauthorised(int(self._switch("expired_token_code")))

    async def _afterwards(self) -> None:
        await self._hold(self._number("hold_after_commit", "seconds"))
        if self._actions(frozenset({"cut_after_commit"})):
            raise CutConnection

    async def _send(self, send: Send, answer: Answer) -> str:
        headers = {"X-Sandbox-Held-Seconds": f"{self.held_seconds:.6f}", "Cache-Control": "no-store"}
        await deliver(send, answer, headers=headers, actions=self._actions(AFTER))
        return "sent" if self.world.connections.is_open(self.arrival.caller) else "lost"

    def _decided(self, answer: Answer, *, committed: bool, counted: bool = False) -> None:
        self.world.recorder.decided(
            self.seq,
            template=self.template or self.arrival.path,
            status=answer.status,
            code=answer.body.get("code"),
            committed=int(committed),
            counted=int(counted),
        )


def _unauthorised(code: int) -> Refusal:
    return Refusal(status=401, code=code, message="You are not authorized to perform this operation")


def _answer_of(action: Action) -> Answer:
    """Make the answer that a fault puts in the place of the call's own."""
    values = action.values
    message = str(values.get("message", "Something went wrong on request of the test."))
    if action.name == "redirect":
        return Answer(status=302, content=b"", headers={"Location": str(values.get("location", "/"))})
    if action.name == "code_in_200":
        return Answer(status=200, body={"code": int(values.get("code", 1000)), "message": message})
    body = values.get("body", {"code": 1000, "message": message})
    answer = Answer(
        status=int(values.get("code", 500)), headers={k: str(v) for k, v in values.get("headers", {}).items()}
    )
    if isinstance(body, dict):
        answer.body = body
    else:
        answer.content, answer.media_type = str(body).encode(), "text/html"
    return answer

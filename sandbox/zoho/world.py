"""Everything that the stand-in's process holds: its state, its clock, its rules, its organisations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.zoho.calls import Call
from sandbox.zoho.clock import Clock
from sandbox.zoho.connections import Connections
from sandbox.zoho.faults import Faults
from sandbox.zoho.ids import Ids
from sandbox.zoho.limits import CallLimits
from sandbox.zoho.numbers import dumps, loads
from sandbox.zoho.organizations import Organization, from_json
from sandbox.zoho.recording import Recorder
from sandbox.zoho.store import Store
from sandbox.zoho.switches import switch_default
from sandbox.zoho.tokens import Grant, Tokens


@dataclass(slots=True, kw_only=True)
class World:
    """The open stand-in. `latency_seconds` is held on every call, beside what faults hold."""

    store: Store
    clock: Clock
    ids: Ids
    tokens: Tokens
    limits: CallLimits
    faults: Faults
    recorder: Recorder
    connections: Connections
    origin: str = ""
    latency_seconds: float = 0.0
    organizations: dict[str, Organization] = field(default_factory=dict)

    def keep_organization(self, organization: Organization) -> None:
        """Write an organisation, new or changed."""
        self.store.execute(
            "INSERT OR REPLACE INTO organizations VALUES (?, ?)",
            (organization.organization_id, dumps(organization.to_json())),
        )
        self.organizations[organization.organization_id] = organization

    def keep_setting(self, name: str, value: Any) -> None:
        """Write a setting of the process, such as its latency."""
        self.store.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, dumps(value)))

    def switch(self, grant: Grant | None, name: str) -> Any:
        """Give how an open question about tokens is answered: by the first concerned organisation that says so."""
        for organization in self.organizations.values():
            concerned = grant is None or grant.sees(organization.organization_id)
            if concerned and organization.switch(name) != switch_default(name):
                return organization.switch(name)
        return switch_default(name)

    def call_of(self, organization: Organization, **parts: Any) -> Call:
        """Make a call on the books of an organisation; what is not given is blank."""
        blank: Mapping[str, Any] = {
            "method": "GET",
            "path": "",
            "names": {},
            "query": {},
            "headers": {},
            "body": None,
        }
        return Call(
            **{**blank, **parts},
            organization=organization,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            origin=self.origin,
        )


def open_world(store: Store, *, clock: Clock | None = None) -> World:
    """Open the stand-in on a state file, as it was when it was closed or killed."""
    used = clock if clock is not None else Clock()
    world = World(
        store=store,
        clock=used,
        ids=Ids(started_at=used.now()),
        tokens=Tokens(store=store, clock=used),
        limits=CallLimits(store=store, clock=used),
        faults=Faults(store=store),
        recorder=Recorder(store=store),
        connections=Connections(),
    )
    for row in store.rows("SELECT body FROM organizations"):
        organization = from_json(loads(row["body"]))
        world.organizations[organization.organization_id] = organization
        world.limits.restore(organization)
    settings = {row["name"]: loads(row["value"]) for row in store.rows("SELECT * FROM settings")}
    world.latency_seconds = float(settings.get("latency_seconds", 0))
    world.recorder.keep = int(settings.get("keep_requests", world.recorder.keep))
    return world

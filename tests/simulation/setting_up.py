"""What is there before a schedule begins: settings, tokens, contacts, and what its special cases need."""

from datetime import timedelta
from typing import TYPE_CHECKING

from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.adapters.memory.tokens import MemoryTokenStore
from consumer.domain.ledger import ContactData, CreateContact, ReadOrganization
from consumer.ports.intake import Position, TopicPartition
from consumer.ports.ledger import ClientCredentials
from consumer.secrets import Keyring
from tests.simulation.clocks import START
from tests.simulation.ledger import exchange
from tests.simulation.process import OLD_KEY
from tests.simulation.scenario import (
    BOOKS,
    GROUP,
    GUEST_CONTACT,
    ORGANIZATIONS,
    PARTITIONS,
    Feature,
    connections,
    shops,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

FLOOD_RECORDS = 200
CLIENT = ClientCredentials(client_id="client", client_secret="secret")


async def set_up(world: "World") -> None:
    """Apply the settings, store the tokens, and let be there what the schedule's features ask for."""
    guest = ""
    for name in BOOKS:
        book = world.servers[ORGANIZATIONS[name]].book
        guest = book.apply(CreateContact(data=ContactData(name=GUEST_CONTACT))).contact_id
        world.guests.add(guest)
        if world.plan.luck.contacts_go:
            # Known to the ledger from before: they have to be read, and brought up to date, unless they are gone.
            for person in ("anna", "bruno", "carla", "dora"):
                book.apply(CreateContact(data=ContactData(name=f"{person} of old", email=f"{person}@example.org")))
        if Feature.SAME_NAME in world.scenario.features:
            for person in ("Anna", "BRUNO"):
                book.apply(CreateContact(data=ContactData(name=f"{person} Rossi")))
    world.shops = shops(world.scenario, guest)
    await MemorySettingsStore(world.database).apply(
        connections(world.scenario), world.shops, actor="anna", dry_run=False
    )
    tokens = MemoryTokenStore(world.database, keyring=Keyring(OLD_KEY))
    for name in BOOKS:
        await tokens.save_grant(
            name,
            client_id=CLIENT.client_id,
            client_secret=CLIENT.client_secret,
            refresh_token=f"refresh-{name}",
            access_token=f"first-{name}",
            expires_in_seconds=world.plan.token_seconds,
            actor="anna",
        )
        world.issue_token(f"refresh-{name}", f"first-{name}")
        if Feature.NEW_CONNECTION not in world.scenario.features:
            row = world.database.connections[name]
            row.facts, row.facts_read_at = world.facts_of(name), world.now()
    _set_up_special_places(world)


def _set_up_special_places(world: "World") -> None:
    if Feature.OLD in world.scenario.features:
        _leave_old_rows(world)
    features, place = world.scenario.features, TopicPartition("order.paid", 0)
    if Feature.GAP in features:
        for _ in range(3):
            world.broker.publish(place.topic, key=b"x", value=None, partition=0)
        world.broker.cut(place, 2)
        world.database.positions[place] = Position(log=1, next_offset=0)
    elif Feature.TOPIC_AGAIN in features:
        world.database.positions[place] = Position(log=1, next_offset=7, last_offset=6, last_checksum=b"other")
    if world.plan.luck.flood:
        for number in range(FLOOD_RECORDS):
            for topic in ("order.paid", "order.updated"):
                world.broker.publish(topic, key=b"x", value=None, partition=number % PARTITIONS)
    if Feature.LOOK_FIRST in features:
        for name in BOOKS:
            world.database.lanes[name].look_first = True
        world.broker.commit_for(GROUP, {TopicPartition("order.updated", 1): 1})
        world.broker.publish("order.updated", key=b"x", value=None, partition=1)


def _leave_old_rows(world: "World") -> None:
    """Let there be logged calls and messages of last year."""
    long_ago = START - timedelta(days=300)
    operation = ReadOrganization()
    world.database.exchanges.append((BOOKS[0], None, long_ago, exchange(operation, 200, "ok")))

"""What a person's words to one order do to it: asked for its document, held, released, retried, or ignored. Pure.

The lane does the work and the ledger has the last word (domain.deciding). Here it is told whether it is work at all,
and where the order stands until then: due now, before everything else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, connection_of
from consumer.domain.releasing import Held
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts, stand
from consumer.domain.states import Ask, OrderState, Priority, Wish


class Mark(StrEnum):
    """What a person does to an order beside asking for its document."""

    HOLD = "hold"  # nothing is written until it is released
    RELEASE = "release"  # let it go on
    RETRY = "retry"  # try a parked one again, now
    IGNORE = "ignore"  # it is never booked; needs a note


class Reception(StrEnum):
    """How a person's words were received."""

    TAKEN = "taken"  # done, or due now
    NOTHING = "nothing"  # there is nothing to do; no error
    REFUSED = "refused"  # it cannot be done; the words say what to do first
    UNKNOWN = "unknown"  # the order is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What comes of it. Only with TAKEN is anything of the order written: its place, and what a person wants of it."""

    reception: Reception
    words: str
    place: Place
    wish: Wish
    released: bool
    asked: Ask | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The order and its settings at the moment; ``connection`` is that of placing.connection_of()."""

    held: Held
    shop: ShopSettings | None
    connection: ConnectionSettings | None
    now: datetime

    @property
    def in_flight(self) -> bool:
        """Tell whether a write is under way, or one whose answer is not known: it has to be asked about first."""
        return self.held.ties.open_intent or self.held.place.state is OrderState.UNCERTAIN


def speak(scene: Scene, what: Ask | Mark) -> Spoken:
    """Tell what a person's words do to an order."""
    return _RULES[what](scene)


def unknown_words(key: OrderKey) -> str:
    """Say that nothing is known of an order, and what to do about it."""
    return f"Nothing is known of order {key.order_id} of shop {key.shop_id}; send the order itself with the call."


def audit_details(scene: Scene, spoken: Spoken, note: str) -> dict[str, str]:
    """Give what the audit log keeps beside who, when and what."""
    before, after = scene.held.place, spoken.place
    details = {"reception": spoken.reception.value, "from": before.state.value, "to": after.state.value}
    if before.reason is not None:
        details["reason"] = before.reason.code.value
    if spoken.reception is Reception.REFUSED:
        details["words"] = spoken.words
    if note:
        details["note"] = note
    return details


def _generate(scene: Scene) -> Spoken:
    facts, place = scene.held.facts, scene.held.place
    if facts.cancelled:
        return _refuse(scene, "The order is cancelled: no document is made for it.")
    if facts.has_document and place.state is OrderState.BOOKED:
        return _nothing(scene, "It is booked already; this is its document.")
    return _due(scene, "Its document is made now.", Ask.GENERATE)


def _update(scene: Scene) -> Spoken:
    if not scene.held.facts.has_document and not scene.in_flight:
        return _refuse(scene, "The order has no document that could be updated: generate makes one.")
    return _due(scene, "Its document is brought up to date now.", Ask.UPDATE)


def _delete(scene: Scene) -> Spoken:
    return _delete_as(scene, Ask.DELETE)


def _delete_sent(scene: Scene) -> Spoken:
    return _delete_as(scene, Ask.DELETE_SENT)


def _delete_as(scene: Scene, ask: Ask) -> Spoken:
    if not scene.held.facts.has_document and not scene.in_flight:
        return _nothing(scene, "There is no document to delete. To keep the order from being booked, ignore it.")
    if scene.held.facts.wish is Wish.HOLD:
        # To end the hold here would let the order's changes be written, should the deletion be refused in the end.
        return _refuse(scene, "It is held: release it first, then delete its document.")
    return _due(scene, "Its document is taken down now.", ask)


def _due(scene: Scene, words: str, ask: Ask) -> Spoken:
    """Make it due before everything else, unless something is missing that no word of a person can make up for.

    A deletion releases nothing: where it is refused in the end, what automatic sending holds back stays held back.
    """
    held = scene.held
    deletes = ask in (Ask.DELETE, Ask.DELETE_SENT)
    standing = stand(replace(held.facts, released=True, wish=Wish.AUTO, asked=ask), scene.shop, scene.connection)
    if standing.state is not OrderState.DUE and not scene.in_flight and standing.reason is not None:
        return _refuse(scene, f"{standing.reason.message} {standing.reason.fix}".strip())
    return Spoken(
        reception=Reception.TAKEN,
        words=words,
        place=_first_in_line(scene),
        wish=held.facts.wish if deletes else Wish.AUTO,  # of a deletion the lane says it, when it is done
        released=held.facts.released or not deletes,
        asked=ask,
    )


def _first_in_line(scene: Scene) -> Place:
    """Give the place of an order that a person waits for. A doubt keeps its time: the ledger is not asked earlier."""
    place = _own(scene)
    doubt = place.state is OrderState.UNCERTAIN
    return replace(
        place,
        state=place.state if doubt else OrderState.DUE,
        reason=None,
        due_at=place.due_at or scene.now if doubt else scene.now,
        priority=Priority.PERSON.rank,
        # What a lane has in its hands keeps its take: it may be the one that kills the process.
        takes=0 if place.state is OrderState.PARKED else place.takes,
        attempts=0,
        changes_in_hour=0,
        changes_since=None,
    )


def _own(scene: Scene) -> Place:
    """Give the order's place with its next change: whoever decides for it at this moment has to decide anew."""
    held = scene.held
    own = connection_of(held.place, held.ties, scene.shop)
    return replace(held.place, connection_id=own, change=held.place.change + 1)


def _hold(scene: Scene) -> Spoken:
    if scene.held.facts.wish is Wish.HOLD:
        return _nothing(scene, "It is held already.")
    facts = replace(scene.held.facts, wish=Wish.HOLD, released=False, asked=None)
    words = "It is held."
    if scene.in_flight:
        words = "A write is under way: when it is known what came of it, nothing more is written."
    return _wished(scene, facts, words)


def _release(scene: Scene) -> Spoken:
    held = scene.held
    place, wish = held.place, held.facts.wish
    if held.facts.cancelled and place.state is OrderState.WITHDRAWN:
        return _nothing(scene, "The order is cancelled; there is nothing to release.")
    if wish is Wish.AUTO and place.state not in (OrderState.WAITING, OrderState.PARKED):
        return _nothing(scene, f"It is {place.state.value}; there is nothing to release.")
    return _let_on(scene, "It goes on.")


def _retry(scene: Scene) -> Spoken:
    place = scene.held.place
    if place.state is not OrderState.PARKED:
        word = "release lets it go on" if place.state is OrderState.WAITING else "there is nothing to retry"
        return _nothing(scene, f"It is not parked but {place.state.value}; {word}.")
    return _let_on(scene, "It is tried again now.")


def _let_on(scene: Scene, words: str) -> Spoken:
    """Let it go on as released; where the settings lack something it waits for that, and the words say so."""
    facts = replace(scene.held.facts, wish=Wish.AUTO, released=True)
    standing = stand(facts, scene.shop, scene.connection)
    told = scene.held.announced and standing.state is OrderState.WITHDRAWN  # who was told has to hear the end
    if standing.state is OrderState.DUE or scene.in_flight or told:
        place = _first_in_line(scene)
        return Spoken(
            reception=Reception.TAKEN, words=words, place=place, wish=facts.wish, released=True, asked=facts.asked
        )
    return _wished(scene, facts, words if standing.reason is None else standing.reason.message)


def _ignore(scene: Scene) -> Spoken:
    if scene.held.facts.wish is Wish.IGNORE:
        return _nothing(scene, "It is ignored already.")
    facts = replace(scene.held.facts, wish=Wish.IGNORE, released=False, asked=None)
    words = "It is not booked any more, whatever comes."
    if facts.has_document:
        words = "Nothing more is written for it; its document stays as it is."
    return _wished(scene, facts, words)


def _wished(scene: Scene, facts: Facts, words: str) -> Spoken:
    """Put the order where its settings and the wish have it. While a write is under way it stays with the lane."""
    standing = stand(facts, scene.shop, scene.connection)
    place = _own(scene)
    silent = standing.state is OrderState.WAITING or not scene.held.announced
    if scene.in_flight or not silent or standing.state is OrderState.DUE:
        # Who was told that it is parked must be told that it is withdrawn: the lane announces that.
        place = _first_in_line(scene)
    else:
        place = replace(place, state=standing.state, reason=standing.reason, due_at=None, takes=0, attempts=0)
    return Spoken(
        reception=Reception.TAKEN,
        words=words,
        place=place,
        wish=facts.wish,
        released=facts.released,
        asked=facts.asked,
    )


def _nothing(scene: Scene, words: str) -> Spoken:
    return _unchanged(scene, Reception.NOTHING, words)


def _refuse(scene: Scene, words: str) -> Spoken:
    return _unchanged(scene, Reception.REFUSED, words)


def _unchanged(scene: Scene, reception: Reception, words: str) -> Spoken:
    facts = scene.held.facts
    return Spoken(
        reception=reception,
        words=words,
        place=scene.held.place,
        wish=facts.wish,
        released=facts.released,
        asked=facts.asked,
    )


_RULES: Mapping[Ask | Mark, Callable[[Scene], Spoken]] = {
    Ask.GENERATE: _generate,
    Ask.UPDATE: _update,
    Ask.DELETE: _delete,
    Ask.DELETE_SENT: _delete_sent,
    Mark.HOLD: _hold,
    Mark.RELEASE: _release,
    Mark.RETRY: _retry,
    Mark.IGNORE: _ignore,
}

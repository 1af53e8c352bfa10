"""What to do next for one order: pure, from what is recorded and what was read, never from "the event".

A booking is a loop: one decision, one call, its outcome, decide again until nothing is left. A restart from what is
stored leads to the same end, because nothing that a decision needs lives anywhere else: what was read within one
booking (``Observations``) can always be read again.
"""

from consumer.domain.deciding.doubts import resolve
from consumer.domain.deciding.existing import decide_existing
from consumer.domain.deciding.new import decide_new
from consumer.domain.deciding.situation import TAKES_MAX, Decision, Rest, Situation, park
from consumer.domain.records import Conclusion, Note, OrderRecord
from consumer.domain.standing import stand
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode, Wish


def decide(situation: Situation) -> Decision:
    """Decide the next step of a booking."""
    record = situation.record
    if record.takes > TAKES_MAX:
        return park(_stops_the_process(record))
    if record.open_intent is not None:
        return resolve(situation, record.open_intent)
    standing = stand(record.facts, situation.shop, situation.connection)
    if standing.state is not OrderState.DUE:
        word = standing.reason.code.value if standing.reason else standing.state.value
        return Rest(conclusion=Conclusion(state=standing.state, reason=standing.reason), note=Note(decision=word))
    live = record.live_invoice
    if live is None and record.facts.asked in (Ask.DELETE, Ask.DELETE_SENT):
        return _not_wanted()
    return decide_new(situation) if live is None else decide_existing(situation, live)


def _not_wanted() -> Rest:
    """What a person wanted gone is gone: it is not made again by any event, nor by the replay."""
    reason = Reason(code=ReasonCode.NOT_WANTED, message="Its document was deleted on purpose; none is wanted.")
    return Rest(
        conclusion=Conclusion(state=OrderState.WITHDRAWN, reason=reason),
        note=Note(decision="not_wanted", words=("There is no document any more, and none is made again.",)),
        wish=Wish.NONE,
    )


def _stops_the_process(record: OrderRecord) -> Reason:
    return Reason(
        code=ReasonCode.STOPS_THE_PROCESS,
        message=f"The process ended {record.takes - 1} times while this order was in hand.",
        fix="Look for this order's last log lines; after a fix release it.",
    )

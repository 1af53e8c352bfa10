"""When what was sent without an answer may be taken as never having arrived."""

from consumer.domain.deciding.situation import Decision, Forget, Rest, Situation
from consumer.domain.records import Conclusion, Intent, Note, Resolution
from consumer.domain.states import OrderState


def doubt(seconds: float, words: str, *, looked: bool = False) -> Rest:
    """Wait, and look then."""
    conclusion = Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=max(seconds, 0.05))
    return Rest(conclusion=conclusion, note=Note(decision="wait_for_certainty", words=(words,)), looked=looked)


def absent(situation: Situation, intent: Intent) -> Decision:
    """A list may lag behind: only two looks, some time apart, make an absence."""
    again = 30.0 if situation.connection is None else situation.connection.limits.look_again_seconds
    if intent.looked_seconds_ago is None:
        return doubt(again, "It was not found; looked for once more in a while.", looked=True)
    if intent.looked_seconds_ago < again:
        return doubt(again - intent.looked_seconds_ago, "It was not found; looked for once more in a while.")
    return Forget(
        resolve=Resolution.ABSENT, note=Note(decision="absent", words=("Two looks found nothing: made anew.",))
    )

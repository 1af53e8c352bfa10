"""Completeness: what shops say was paid against what is recorded, each order once, to the cent."""

from decimal import Decimal

from consumer.domain.completeness import PaidOrder, Source, Sums, Tally, Tallying, Window
from consumer.domain.orders import OrderKey

MARCH = Window(shop_id="north", source=Source.TOPIC, day="2026-03-14", currency="EUR")
LISTED = MARCH._replace(source=Source.LIST)
D = Decimal


def paid(order_id: str, amount: str = "10.00", window: Window = MARCH) -> PaidOrder:
    """Give a paid order."""
    return PaidOrder(key=OrderKey("north", order_id), window=window, amount=D(amount))


def test_what_is_told_is_held_against_what_is_recorded() -> None:
    """Three of 10.00, 20.00 and 5.00; the second is recorded with 19.99, the third not at all."""
    tallying = Tallying()
    tallying.add(paid("1"), recorded=True)
    tallying.add(paid("2", "20.00"), recorded=True, recorded_amount=D("19.99"))
    tallying.add(paid("3", "5.00"), recorded=False)
    assert tallying.take() == Tally(
        sums={MARCH: Sums(told_count=3, told_sum=D("35.00"), recorded_count=2, recorded_sum=D("29.99"))},
        unrecorded=[paid("3", "5.00")],
    )


def test_an_order_counts_once_however_often_it_was_published() -> None:
    """Whether it is recorded or not; the list of the shop is another voice."""
    tallying = Tallying()
    for _ in range(3):
        tallying.add(paid("1"), recorded=True)
        tallying.add(paid("2"), recorded=False)
        tallying.add(paid("1", window=LISTED), recorded=True)
        tallying.add(paid("2", window=LISTED), recorded=False)
    one_of_two = Sums(told_count=2, told_sum=D("20.00"), recorded_count=1, recorded_sum=D("10.00"))
    tally = tallying.take()
    assert tally.sums == {MARCH: one_of_two, LISTED: one_of_two}
    assert tally.unrecorded == [paid("2"), paid("2", window=LISTED)]


def test_what_was_taken_is_not_given_again_and_still_known() -> None:
    """A stretch after the other: sums begin anew, repeats stay repeats."""
    tallying = Tallying()
    tallying.add(paid("1"), recorded=True)
    tallying.add(paid("2"), recorded=False)
    tallying.take()
    tallying.add(paid("1"), recorded=True)
    tallying.add(paid("2"), recorded=False)
    tallying.add(paid("3"), recorded=True)
    assert tallying.take() == Tally(
        sums={MARCH: Sums(told_count=1, told_sum=D("10.00"), recorded_count=1, recorded_sum=D("10.00"))},
        unrecorded=[],
    )
    assert tallying.take() == Tally(sums={}, unrecorded=[])


def test_windows_are_kept_apart() -> None:
    """By shop, day and currency."""
    tallying = Tallying()
    windows = [MARCH, MARCH._replace(day="2026-03-15"), MARCH._replace(currency="USD")]
    for number, window in enumerate(windows):
        tallying.add(paid(str(number), window=window), recorded=True)
    one = Sums(told_count=1, told_sum=D("10.00"), recorded_count=1, recorded_sum=D("10.00"))
    assert tallying.take().sums == dict.fromkeys(windows, one)


def test_twenty_thousand_orders_are_told_apart() -> None:
    """Of a million less than one is taken for a repeat: of these none, and every repeat is."""
    tallying = Tallying()
    for _ in range(2):
        for number in range(20_000):
            tallying.add(paid(str(number), "1.00"), recorded=True)
    assert tallying.take().sums[MARCH].told_count == 20_000


def test_an_id_with_half_a_character_counts_as_any_other() -> None:
    """A shop's id is whatever it sends."""
    tallying = Tallying()
    tallying.add(paid("\ud800"), recorded=True)
    assert tallying.take().sums[MARCH].told_count == 1


def test_what_is_not_recorded_is_named_though_a_message_of_its_order_was() -> None:
    """The bits may take it for a repeat: those that are missing are few, and none of them is left out."""
    tallying = Tallying()
    tallying.add(paid("1"), recorded=True)
    tallying.add(paid("1"), recorded=False)
    assert tallying.take().unrecorded == [paid("1")]

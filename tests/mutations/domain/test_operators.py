"""Which changes are made of a text, which are not, and how each is named."""

import pytest

from tests.mutations.domain.mutants import Mutant
from tests.mutations.domain.operators import mutants_of

FEE = '''
"""A module."""

LIMIT = 3


class Fee:
    """A fee."""

    @property
    def due(self) -> bool:
        """Say so."""
        return self.amount > 5 and not self.paid
'''


def changes(text: str, module: str = "money") -> list[tuple[str, str]]:
    """Give what becomes of what."""
    return [(mutant.before, mutant.after) for mutant in mutants_of(module, text)]


def test_a_property_is_changed_in_every_small_way() -> None:
    """Comparison, bound, connection, negation, and the value itself; the docstrings, the type and the constant stay."""
    line = "return self.amount > 5 and not self.paid"
    assert set(changes(FEE)) == {
        (line, "return None"),
        (line, "return self.amount > 5 or not self.paid"),
        (line, "return self.amount >= 5 and not self.paid"),
        (line, "return self.amount > 6 and not self.paid"),
        (line, "return self.amount > 5 and self.paid"),
    }


def test_a_mutant_says_where_it_stands() -> None:
    """The qualified name, and the lines of the change and of its function."""
    first = mutants_of("money", FEE)[0]
    assert (first.module, first.function, first.line, first.function_lines) == ("money", "Fee.due", 13, (11, 13))
    assert first.name.startswith("money Fee.due: return self.amount > 5")


def test_the_same_change_made_twice_has_two_names() -> None:
    """The second of two equal lines is told apart by its number."""
    text = "def f(x):\n    g(1)\n    x()\n    g(1)\n"
    assert [mutant.name for mutant in mutants_of("money", text)] == [
        "money f: g(1) => g(2)",
        "money f: g(1) => g(2) #2",
    ]


@pytest.mark.parametrize(
    "text",
    [
        'def f(x: int = TEN * 2) -> "Wide | None":\n    """Say it."""\n    raise ValueError("no such thing")\n',
        'def f(x):\n    raise ValueError(f"{x + 1} is no such thing")\n',
        "def f(x):\n    return ()\n",
        "def f(x):\n    return {}\n",
        "def f(x):\n    assert x > 1\n",
        "LIMIT = 1 + 1\n",
    ],
    ids=[
        "a message",
        "what a message shows",
        "what is as false as None",
        "an empty mapping",
        "a check of ours",
        "a constant",
    ],
)
def test_what_no_behaviour_hangs_on_is_left_alone(text: str) -> None:
    """Nothing is made of these."""
    assert changes(text) == []


def test_words_are_changed_where_a_customer_reads_them() -> None:
    """The same string is a message in one module and the text of an invoice in another."""
    text = 'def f(x):\n    g("Discount for you")\n'
    assert changes(text) == []
    assert changes(text, "invoice_words") == [('g("Discount for you")', 'g("XXDiscount for youXX")')]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a=1, b=2)", "f(b=2)"),
        ("min(a)", "max(a)"),
        ("all(a)", "any(a)"),
        ("a - b", "a + b"),
        ("a if b else c", "a if (b) and False else c"),
        ("a is None", "a is not None"),
        ("a in b", "a not in b"),
        ("True", "False"),
    ],
)
def test_a_change_of_each_kind(before: str, after: str) -> None:
    """By a value that is taken on."""
    assert (f"g({before})", f"g({after})") in changes(f"def f():\n    g({before})\n") or (
        f"g({before})",
        f"g({after.replace(', b=2', 'b=2')})",
    ) in changes(f"def f():\n    g({before})\n")


def test_every_mutant_is_a_text_of_its_own() -> None:
    """No change is made twice, and none changes nothing."""
    found: list[Mutant] = mutants_of("money", FEE)
    assert len({mutant.text for mutant in found} | {FEE}) == len(found) + 1

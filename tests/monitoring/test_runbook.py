"""The runbook: whoever gets an alert or meets a reason finds what to look at and what to do."""

import re

import pytest

from consumer.domain.states import ReasonCode
from consumer.observability.metrics import ALARMS
from tests.monitoring.test_alerts import ALERTS, RUNBOOK

TEXT = RUNBOOK.read_text(encoding="utf-8")
REASONS = TEXT.partition("\n## Reasons\n")[2].partition("\n## ")[0]


def _section(alert: str) -> str:
    return TEXT.partition(f"\n### {alert}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_every_alert_has_a_section_that_says_its_severity_and_what_to_do(alert: str) -> None:
    """It begins with the severity that the rule has, and says what to do, or leads to where that stands."""
    section = _section(alert).strip()
    assert section.lower().startswith(ALERTS[alert]["labels"]["severity"] + ".")
    assert "Do:" in section or "](" in section
    assert len(section) > 60


def test_no_section_is_of_an_alert_that_is_gone() -> None:
    """Each heading of an alert is one of the rules."""
    assert set(re.findall(r"^### (Booked\w+)$", TEXT, re.MULTILINE)) == set(ALERTS)


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_its_row(code: ReasonCode) -> None:
    """With where to look, and how such orders go on; what helps stands in errors.md."""
    rows = [line for line in REASONS.splitlines() if line.startswith("|") and f"`{code.value}`" in line.split("|")[1]]
    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].strip("|").split("|"))


@pytest.mark.parametrize("kind", ALARMS)
def test_every_kind_of_alarm_has_its_section(kind: str) -> None:
    """BookedAlarm leads to them, by its label."""
    assert re.search(rf"^### Alarm `{kind}`", TEXT, re.MULTILINE)

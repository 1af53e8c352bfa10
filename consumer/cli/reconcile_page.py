"""A comparison as one page for people: self-contained, printable, without scripts."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from jinja2 import Environment, StrictUndefined, Template

from consumer.cli.reconcile_output import money, rate_words, source_words, summary
from consumer.services.reconcile_report import ReconcileReport

# Everything that is filled in is escaped: names, references and numbers come from shops and from the ledger.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Shop and ledger side by side</title>
<style>
  body { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; }
  table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.2rem; }
  caption { text-align: left; font-weight: 600; padding: .3rem 0; }
  th, td { border-bottom: 1px solid #d4d4d4; padding: .3rem .5rem; text-align: left; vertical-align: top; }
  th { background: #f2f2f2; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  .off { color: #a4000f; font-weight: 600; } .good { color: #1b6e2c; } .small { color: #555; font-size: .87em; }
  code { font: .9em ui-monospace, monospace; }
  @media print { body { margin: 0; max-width: none; font-size: 10pt; } tr { break-inside: avoid; }
    thead { display: table-header-group; } }
</style>
</head>
<body>
<h1>Shop and ledger side by side</h1>
<p class="small">Made {{ made_at }} by booked reconcile.</p>
{% for report in reports %}
<h2>Connection {{ report.connection_id }}{% if report.organization %} ({{ report.organization }}){% endif %},
{{ report.period.from_day }} to {{ report.period.to_day }}</h2>
{% if report.stopped %}<p class="off">Not complete: {{ report.stopped }}</p>{% endif %}
<p>{{ report.counts.orders }} orders compared. {{ sources(report) }}</p>
<ul>{% for line in summary(report) %}<li>{{ line }}</li>{% endfor %}</ul>
<h3>Per month and VAT rate</h3>
{% if report.months %}
<table>
<caption>Net, VAT and total of the shop's orders and of the ledger's documents, by the days of the documents</caption>
<thead><tr><th>Shop</th><th>Month</th><th>VAT rate</th><th class="n">Shop net</th><th class="n">VAT</th>
<th class="n">Total</th><th class="n">Ledger net</th><th class="n">VAT</th><th class="n">Total</th>
<th class="n">Difference net</th><th class="n">VAT</th><th class="n">Total</th><th>Currency</th></tr></thead>
<tbody>
{% for row in report.months %}<tr><td>{{ row.shop_id }}</td><td>{{ row.month }}</td>
<td class="n">{{ rate(row.rate) }}{% if row.rate is not none %} %{% endif %}</td>
{% for side in (row.shop, row.ledger, row.difference) %}{% set off = loop.last %}
{% for part in (side.net, side.tax, side.gross) %}<td class="n{% if off and part %} off{% endif %}">{{ money(part) }}
</td>{% endfor %}{% endfor %}<td>{{ row.currency }}</td></tr>
{% endfor %}</tbody></table>
{% else %}<p>No document and no order of these days.</p>{% endif %}
<h3>Findings</h3>
{% if report.findings %}
<table>
<thead><tr><th>What</th><th>Order</th><th>Documents</th><th class="n">Shop</th><th class="n">Ledger</th>
<th class="n">Difference</th><th>What is the matter, and the fix</th></tr></thead>
<tbody>
{% for one in report.findings %}<tr><td>{{ one.kind.value }}<br><span class="small">{{ one.about.value }}</span></td>
<td>{{ one.key }}{% if one.order_number %}<br><span class="small">{{ one.order_number }}</span>{% endif %}</td>
<td>{% for paper in one.papers %}{{ paper.number }} <span class="small">{{ paper.status }}</span><br>{% endfor %}</td>
<td class="n">{{ money(one.expected) }}</td><td class="n">{{ money(one.found) }}</td>
<td class="n{% if one.difference %} off{% endif %}">{{ money(one.difference) }}</td>
<td>{{ one.words }}<br><code>{{ one.fix }}</code>
{%- if one.explained %}<br><span class="small">The order itself says so.</span>{% endif %}</td></tr>
{% endfor %}</tbody></table>
{% if report.found > report.findings|length %}<p>… and {{ report.found - report.findings|length }} more.</p>{% endif %}
{% else %}<p class="good">Nothing was found.</p>{% endif %}
<p class="small">A document counts in the month of its own day. A refund counts in the month of its credit note; one
that was taken off a draft counts with the invoice. The shop's side is what the orders themselves say; for what an
order came to before a later change it is what was compared to the cent when its document was made.</p>
{% else %}<p>There is no connection to compare.</p>
{% endfor %}
</body>
</html>
"""


def as_html(reports: Sequence[ReconcileReport], *, made_at: datetime) -> str:
    """Write the page; ``made_at`` is in UTC."""
    return _template().render(
        reports=reports,
        made_at=f"{made_at:%Y-%m-%d %H:%M} UTC",
        money=money,
        rate=rate_words,
        sources=source_words,
        summary=summary,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(_PAGE)

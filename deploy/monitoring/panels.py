"""Panels of the dashboards, made with Grafana's own builders: one query language, one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of a panel, and what its series are called."""

    expr: str
    legend: str = ""


def figure(title: str, query: str, *, unit: str = "short", bad_from: float | None = None, text: str) -> stat.Panel:
    """Make one large figure; red from ``bad_from`` on."""
    panel = (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .height(4)
        .span(4)
        .color_mode(shapes.BigValueColorMode.BACKGROUND if bad_from is not None else shapes.BigValueColorMode.NONE)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target(Query(expr=query), "A", instant=True))
    )
    steps = [models.Threshold(color="green", value=None)]
    if bad_from is not None:
        steps.append(models.Threshold(color="red", value=bad_from))
    return panel.thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))


def graph(
    title: str, queries: Sequence[Query], *, unit: str = "short", span: int = 12, text: str, stacked: bool = False
) -> timeseries.Panel:
    """Make lines over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .height(8)
        .span(span)
        .fill_opacity(20 if stacked else 5)
        .show_points(shapes.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(shapes.LegendDisplayMode.LIST)
            .placement(shapes.LegendPlacement.BOTTOM)
        )
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING))
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    for place, query in enumerate(queries):
        panel = panel.with_target(_target(query, chr(ord("A") + place), instant=False))
    return panel


def listing(title: str, query: str, *, unit: str = "short", span: int = 12, text: str) -> table.Panel:
    """Make a table of what stands now, the greatest first."""
    return (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .height(8)
        .span(span)
        .with_target(_target(Query(expr=query), "A", instant=True).format(PromQueryFormat.TABLE))
        .with_transformation(models.DataTransformerConfig(id_val="organize", options={"excludeByName": {"Time": True}}))
    )


def _target(query: Query, ref_id: str, *, instant: bool) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").ref_id(ref_id)
    return target.instant() if instant else target.range()

"""The dashboard and the alerts, held against docs/observe.md, whose table a test of the server holds against the program: every
expression is PromQL, and asks for metrics and labels that there are."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import promql_parser
import pytest
import yaml
from conftest import DEPLOY, ROOT

PAGE = (ROOT / "docs/observe.md").read_text()
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana/daypass.json").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# What Prometheus adds to whatever it reads.
ADDED = {"job", "instance"}
PARTS = {"histogram": ("_bucket", "_sum", "_count")}


def series() -> dict[str, set[str]]:
    """Every series of the table, and its labels."""
    found = {"up": ADDED}
    for name, labels, kind in re.findall(r"^\| `((?:daypass|process)_\w+)(?:\{([\w,]+)\})?` \| (\w+) \|", PAGE, re.MULTILINE):
        own = set(labels.split(",")) if labels else set()
        for part in PARTS.get(kind, ("",)):
            found[name + part] = own | ADDED | ({"le"} if part == "_bucket" else set())
    return found


SERIES = series()


@dataclass
class Asked:
    """What an expression asks for."""

    names: set[str] = field(default_factory=set)
    labels: set[tuple[str, str]] = field(default_factory=set)


def parts(expression: object) -> Iterator[object]:
    """An expression, and all that it is made of."""
    yield expression
    for name in ("lhs", "rhs", "expr", "param", "vector_selector", "vs"):
        part = getattr(expression, name, None)
        if part is not None:
            yield from parts(part)
    for part in getattr(expression, "args", None) or []:
        yield from parts(part)


def asked(text: str) -> Asked:
    """What a text of PromQL asks for. It has to be one, and every metric in it has to have been seen by the parser."""
    found = Asked()
    tree = list(parts(promql_parser.parse(text)))
    for part in tree:
        if isinstance(part, promql_parser.VectorSelector):
            found.names.add(part.name)
            found.labels |= {(part.name, matcher.name) for matcher in part.matchers.matchers}
    words = set(re.findall(r"\b(?:daypass|process)_\w+", text))
    assert words <= found.names, f"{words - found.names} was not looked at"
    for part in tree:
        by = isinstance(part, promql_parser.AggregateExpr) and part.modifier
        if by:
            inside = [it.name for it in parts(part.expr) if isinstance(it, promql_parser.VectorSelector)]
            found.labels |= {(name, label) for name in inside for label in by.labels}
    return found


def assert_there(text: str) -> None:
    found = asked(text)
    assert found.names, text
    assert found.names <= SERIES.keys(), found.names - SERIES.keys()
    unknown = {(name, label) for name, label in found.labels if label not in SERIES[name]}
    assert unknown == set()


def expressions(panel: dict) -> list[str]:
    return [target["expr"].replace("$__rate_interval", "5m") for target in panel["targets"]]


def test_the_page_has_a_table() -> None:
    assert len(SERIES) > 50
    assert SERIES["daypass_request_seconds_bucket"] == {"group", "le"} | ADDED
    assert SERIES["daypass_store_up"] == ADDED


@pytest.mark.parametrize(
    "wrong",
    [
        "daypass_nothing > 0",
        "sum by (user) (daypass_exchanges_total)",
        'rate(daypass_requests_total{path="/"}[5m])',
        "daypass_request_seconds > 1",
        "rate(daypass_store_up",
    ],
)
def test_what_is_not_there_is_found(wrong: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        assert_there(wrong)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(rule: dict) -> None:
    assert_there(rule["expr"])
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"] in [{"severity": "critical"}, {"severity": "warning"}]
    assert set(rule["annotations"]) == {"summary", "cure"} and all(rule["annotations"].values())
    if "for" in rule:
        promql_parser.parse_duration(rule["for"])
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    labels = set().union(*(SERIES[name] for name in asked(rule["expr"]).names))
    assert shown <= labels


def test_the_page_names_every_alert() -> None:
    named = re.findall(r"`(Daypass[A-Z]\w+)`", PAGE)
    assert sorted(named) == sorted(rule["alert"] for rule in RULES)
    assert len(named) == len(set(named))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_there_is(panel: dict) -> None:
    for expression in expressions(panel):
        assert_there(expression)


def test_every_metric_is_on_the_dashboard_or_an_alert_is_made_of_it() -> None:
    texts = [text for panel in PANELS for text in expressions(panel)] + [rule["expr"] for rule in RULES]
    seen = set().union(*(asked(text).names for text in texts))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in seen}
    wanted = {re.sub(r"_(bucket|sum|count)$", "", name) for name in SERIES}
    assert wanted - families == set()


def test_panels_lie_beside_each_other_and_have_ids_of_their_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells

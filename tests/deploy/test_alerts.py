"""Each alert, by Prometheus's own promtool: it is quiet while all is well, and calls when what it is for happens, in the words that
people read."""

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from conftest import DEPLOY

ALERTS = DEPLOY / "prometheus/alerts.yaml"
RULES = {rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]}
PROMTOOL = os.environ.get("DAYPASS_TEST_PROMTOOL", "promtool")

# Two hours of a server that works, a value each minute.
WELL = {
    'up{job="daypass",instance="a"}': "1x120",
    'process_start_time_seconds{job="daypass",instance="a"}': "1000x120",
    'process_open_fds{job="daypass",instance="a"}': "40x120",
    'process_max_fds{job="daypass",instance="a"}': "65536x120",
    'daypass_requests_total{instance="a",route="/readyz",status="2xx"}': "0+12x120",
    'daypass_requests_total{instance="a",route="/readyz",status="5xx"}': "0x120",
    'daypass_requests_total{instance="a",route="/v1/exchange",status="2xx"}': "0+600x120",
    'daypass_requests_total{instance="a",route="/v1/exchange",status="5xx"}': "0+6x120",
    'daypass_requests_refused_early_total{instance="a"}': "0x120",
    'daypass_requests_under_way{instance="a"}': "9x120",
    'daypass_requests_limit{instance="a"}': "2048x120",
    'daypass_connections{instance="a"}': "90x120",
    'daypass_connections_limit{instance="a"}': "8192x120",
    'daypass_store_up{instance="a"}': "1x120",
    'daypass_store_seconds_count{instance="a",work="commit",outcome="ok"}': "0+600x120",
    'daypass_store_seconds_count{instance="a",work="commit",outcome="busy"}': "0+6x120",
    'daypass_store_seconds_count{instance="a",work="commit",outcome="failed"}': "0x120",
    'daypass_store_connections_waiting{instance="a"}': "0x120",
    'daypass_provider_call_seconds_count{instance="a",provider="discord",outcome="ok"}': "0+600x120",
    'daypass_provider_call_seconds_count{instance="a",provider="discord",outcome="failed"}': "0+6x120",
    'daypass_provider_call_seconds_count{instance="a",provider="discord",outcome="resting"}': "0x120",
    'daypass_pool_circuit_open{instance="a",region="eu-west-1"}': "0x120",
    'daypass_signature_seconds_count{instance="a",algorithm="RS512",outcome="failed"}': "0x120",
    'daypass_signing_key_rotation_seconds{instance="a",algorithm="RS512"}': "7776000x120",
    'daypass_signing_key_age_seconds{instance="a",algorithm="RS512"}': "7776000+60x120",
    'daypass_audit_append_seconds_count{instance="a",outcome="ok"}': "0+600x120",
    'daypass_audit_append_seconds_count{instance="a",outcome="failed"}': "0x120",
    'daypass_lines_lost_total{instance="a",to="audit"}': "0x120",
    'daypass_lines_lost_total{instance="a",to="log"}': "0x120",
    'daypass_audit_head_age_seconds{instance="a"}': "9x120",
    'daypass_audit_gathering_age_seconds{instance="a"}': "1x120",
    'daypass_audit_export_lag_seconds{instance="a",exporter="siem"}': "2x120",
    'daypass_audit_export_refused_total{instance="a",exporter="siem"}': "0x120",
    'daypass_audit_export_dropped_total{instance="a",exporter="siem"}': "0x120",
    'daypass_audit_export_damaged_total{instance="a",exporter="siem"}': "0x120",
}


class Trouble(NamedTuple):
    """What happens in the thirtieth minute, and what is called then."""

    alert: str
    # Series of the above that are other ones then: what they were, and what they are.
    series: dict[str, str]
    labels: dict[str, str]
    summary: str
    by: str = "50m"


A = {"instance": "a"}
TROUBLES = [
    Trouble(
        "DaypassDown", {'up{job="daypass",instance="a"}': "1x29 0x30"}, A | {"job": "daypass"}, "a tells nothing"
    ),
    Trouble(
        "DaypassNotReady",
        {'daypass_requests_total{instance="a",route="/readyz",status="5xx"}': "0x29 0+12x30"},
        A,
        "a answers that it is not ready",
    ),
    Trouble(
        "DaypassErrors",
        {'daypass_requests_total{instance="a",route="/v1/exchange",status="5xx"}': "0x29 0+200x30"},
        A,
        "25% of the requests to a fail",
    ),
    Trouble(
        "DaypassRefusesEarly",
        {'daypass_requests_refused_early_total{instance="a"}': "0x29 0+30x30"},
        A,
        "a has too much to do, and sends people away",
    ),
    Trouble(
        "DaypassPlacesRunOut",
        {'daypass_requests_under_way{instance="a"}': "9x29 1843.2x30"},
        A,
        "a has used 90% of its requests, connections or open files",
    ),
    Trouble(
        "DaypassPlacesRunOut",
        {'process_open_fds{job="daypass",instance="a"}': "40x29 65536x30"},
        A | {"job": "daypass"},
        "a has used 100% of its requests, connections or open files",
    ),
    Trouble(
        "DaypassStoreUnavailable",
        {
            'daypass_store_up{instance="a"}': "1x29 0x30",
            'daypass_store_seconds_count{instance="a",work="commit",outcome="failed"}': "0x29 0+6x30",
        },
        A,
        "the store of a gives no answer",
    ),
    Trouble(
        "DaypassStoreBusy",
        {'daypass_store_seconds_count{instance="a",work="commit",outcome="busy"}': "0x29 0+300x30"},
        A,
        "the store of a does not keep up",
    ),
    Trouble(
        "DaypassStoreBusy",
        {'daypass_store_connections_waiting{instance="a"}': "0x29 3x30"},
        A,
        "the store of a does not keep up",
    ),
    Trouble(
        "DaypassProviderFails",
        {'daypass_provider_call_seconds_count{instance="a",provider="discord",outcome="failed"}': "0x29 0+200x30"},
        {"provider": "discord"},
        "25% of the questions to discord come to nothing",
    ),
    Trouble(
        "DaypassCircuitOpen",
        {'daypass_provider_call_seconds_count{instance="a",provider="discord",outcome="resting"}': "0x29 0+2x30"},
        {"provider": "discord"},
        "discord does not answer and is left alone",
    ),
    Trouble(
        "DaypassCircuitOpen",
        {'daypass_pool_circuit_open{instance="a",region="eu-west-1"}': "0x29 1x30"},
        {"region": "eu-west-1"},
        "eu-west-1 does not answer and is left alone",
    ),
    Trouble(
        "DaypassSignaturesFail",
        {'daypass_signature_seconds_count{instance="a",algorithm="RS512",outcome="failed"}': "0x29 0+1x30"},
        A | {"algorithm": "RS512"},
        "a cannot sign with its RS512 key",
    ),
    Trouble(
        "DaypassKeyOverdue",
        {'daypass_signing_key_age_seconds{instance="a",algorithm="RS512"}': "9000000+60x120"},
        A | {"algorithm": "RS512"},
        "the RS512 key of a has signed for longer than it should",
        by="90m",
    ),
    Trouble(
        "DaypassAuditFails",
        {'daypass_audit_append_seconds_count{instance="a",outcome="failed"}': "0x29 0+6x30"},
        A,
        "events of a are not kept, and so nothing is granted",
    ),
    Trouble(
        "DaypassAuditUnsigned",
        {'daypass_audit_head_age_seconds{instance="a"}': "9x29 1200x30"},
        {},
        "no server has signed the audit trail for 20m 0s, and there were events",
    ),
    Trouble(
        "DaypassAuditNotGathered",
        {'daypass_audit_gathering_age_seconds{instance="a"}': "1x29 120x30"},
        {},
        "events in the database have got no order in the trail for 2m 0s",
    ),
    Trouble(
        "DaypassExportBehind",
        {'daypass_audit_export_lag_seconds{instance="a",exporter="siem"}': "2x29 1800x30"},
        {"exporter": "siem"},
        "siem has got no event for 30m 0s",
    ),
    *[
        Trouble(
            "DaypassExportLoses",
            {f'daypass_audit_export_{what}_total{{instance="a",exporter="siem"}}': "0x29 1x30"},
            {"exporter": "siem"},
            "siem never gets some events",
            by="40m",
        )
        for what in ("refused", "dropped", "damaged")
    ],
    Trouble(
        "DaypassLinesLost",
        {'daypass_lines_lost_total{instance="a",to="log"}': "0x29 7x30"},
        A,
        "a could not write lines of its log",
        by="40m",
    ),
    Trouble(
        "DaypassRestarts",
        {'process_start_time_seconds{job="daypass",instance="a"}': "1000x29 2800+60x10"},
        A | {"job": "daypass"},
        "a has started 10 times in a quarter of an hour",
        by="39m",
    ),
]


def test_each_alert_is_tried() -> None:
    assert {trouble.alert for trouble in TROUBLES} == RULES.keys()


def promtool(folder: Path, tests: list[dict]) -> str:
    """What promtool finds wrong."""
    file = folder / "tests.json"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def scene(series: dict[str, str], expected: list[dict], at: str) -> dict:
    """Everything is well but for some series, and at a time these alerts call and no others."""
    written = [{"series": name, "values": values} for name, values in (WELL | series).items()]
    alerts = [
        {
            "eval_time": at,
            "alertname": alert,
            "exp_alerts": [
                {"exp_labels": it["labels"], "exp_annotations": it["annotations"]}
                for it in expected
                if it["alert"] == alert
            ],
        }
        for alert in RULES
    ]
    return {"interval": "1m", "input_series": written, "alert_rule_test": alerts}


def test_the_rules_are_rules() -> None:
    subprocess.run([PROMTOOL, "check", "rules", ALERTS], check=True, capture_output=True, timeout=60)


def test_nobody_is_called_while_all_is_well(tmp_path: Path) -> None:
    assert promtool(tmp_path, [scene({}, [], at) for at in ("10m", "30m", "90m")]) == ""


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: f"{trouble.alert}-{next(iter(trouble.series))}")
def test_whoever_is_called_hears_what_is_so(trouble: Trouble, tmp_path: Path) -> None:
    rule = RULES[trouble.alert]
    annotations = {"summary": trouble.summary, "cure": rule["annotations"]["cure"]}
    expected = [
        {"alert": trouble.alert, "labels": trouble.labels | rule["labels"], "annotations": annotations}
    ]
    # And nobody is called before it happens, or before it lasts.
    before = scene(trouble.series, [], "29m")
    assert promtool(tmp_path, [before, scene(trouble.series, expected, trouble.by)]) == ""

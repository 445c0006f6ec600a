"""The main job on real input: enrol, publish real readings, read them back, verify the record."""

import csv
import gzip
import itertools
import json
import pathlib

import pytest

from tidegate import BINARY, run, wait_for

READINGS = pathlib.Path(__file__).resolve().parent / "data" / "pzem6-excerpt.csv"


def real_readings():
    with open(READINGS, newline="") as file:
        return list(csv.DictReader(file))


def test_a_device_enrols_with_curl_and_openssl_and_its_real_readings_come_back(server):
    server.tenant("acme")
    meter = server.enrolled("acme", "meter-1")
    rows = [row for row in real_readings() if row["meter"] == "1"]
    lines = []
    for row in rows:
        values = {
            "voltage": float(row["voltage_v"]), "current": float(row["current_a"]), "power": float(row["power_w"]),
            "frequency": float(row["frequency_hz"]), "pf": float(row["power_factor"]),
        }
        lines.append(json.dumps({"ts": int(row["ts_ms"]), "values": values}))
    meter.mosquitto_pub("-t", "telemetry", "-q", "1", "-l", input="\n".join(lines).encode())
    token = server.token("acme", "viewer")
    points = server.points("acme", "meter-1", "voltage,power", token)
    assert points["voltage"] == [[int(row["ts_ms"]), float(row["voltage_v"])] for row in rows]
    assert points["power"] == [[int(row["ts_ms"]), float(row["power_w"])] for row in rows]


def test_stepped_values_are_those_of_the_readings(server):
    token = server.token("acme", "viewer")
    rows = [row for row in real_readings() if row["meter"] == "1"]
    step = 60_000
    groups = {
        start: [float(row["power_w"]) for row in group]
        for start, group in itertools.groupby(rows, lambda row: int(row["ts_ms"]) // step * step)
    }
    for aggregate, expected in {
        "min": min, "max": max, "count": len, "first": lambda v: v[0], "last": lambda v: v[-1],
        "sum": lambda v: pytest.approx(sum(v)), "mean": lambda v: pytest.approx(sum(v) / len(v)),
    }.items():
        # A step divides the time that is asked for, and a query has at most a million of them.
        points = server.points(
            "acme", "meter-1", "power", token, "2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z", step="60s", aggregate=aggregate
        )["power"]
        assert points == [[start, expected(values)] for start, values in groups.items()], aggregate


def test_csv_says_the_same(server):
    token = server.token("acme", "viewer")
    answer = server.get(
        "/tenants/acme/devices/meter-1/telemetry", token,
        params={"series": "power", "from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "format": "csv"},
    )
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.strip().splitlines()
    assert len(lines) == 1 + len([row for row in real_readings() if row["meter"] == "1"])


def test_the_audit_trail_tells_it_and_verifies(server):
    token = server.token("acme", "admin")
    answer = wait_for(
        lambda: (lambda a: a if a.status_code == 200 and any(e["code"] == "device.enrolled" for e in a.json()["items"]) else None)(
            server.get("/tenants/acme/audit", token, params={"limit": 100})),
        "the enrolment is in the audit",
    )
    assert {"tenant.created", "device.registered", "device.enrolled"} <= {e["code"] for e in answer.json()["items"]}
    if server.database == "sqlite":
        done = run(BINARY, "verify", "audit", "--data", server.data)
        assert b"ok" in done.stdout.lower()

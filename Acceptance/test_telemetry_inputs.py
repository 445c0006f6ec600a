"""Everything that POST /{tenant}/telemetry accepts and refuses, sent by curl over mutual TLS."""

import gzip
import itertools
import json
import time

import cbor2
import pytest

from clients import curl, send

NAMES = itertools.count(1)
SENML, CBOR, JSON, LINES = (
    "application/senml+json", "application/senml+cbor", "application/json", "application/x-ndjson")
THEN = 1_700_000_000_000


@pytest.fixture(scope="module", autouse=True)
def acme(server):
    server.tenant("acme")
    server.viewer = server.token("acme", "viewer")


@pytest.fixture
def device(server):
    return server.enrolled("acme", f"meter-{next(NAMES)}")


@pytest.fixture(scope="module")
def shared(server):
    """A device for requests that are refused whole."""
    return server.enrolled("acme", "shared")


def modelled(server, **document):
    """A device of a model of its own."""
    name = f"model-{next(NAMES)}"
    server.admin("model", "put", name, "-", "--tenant", "acme", input=json.dumps(document).encode())
    return server.enrolled("acme", f"of-{name}", "--model", name)


def points(device, series):
    found = device.server.points("acme", device.name, series, device.server.viewer, start="1970-01-01T00:00:00Z", end="9999-01-01T00:00:00Z")
    return found.get(series, [])


def units(device):
    answer = device.server.get(f"/tenants/acme/devices/{device.name}/series", device.server.viewer)
    return {item["name"]: item["unit"] for item in answer.json()["items"]}


def as_bytes(value):
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()


# What is accepted


def test_senml_json_with_base_fields(device):
    body = [
        {"bn": "meter/", "bt": THEN / 1000, "bu": "W", "n": "power", "v": 120.5},
        {"n": "power", "v": 121.25, "t": 5},
        {"n": "voltage", "u": "V", "v": 230},
        {"n": "relay", "vb": True},
    ]
    assert send(device, as_bytes(body), SENML).status == 204
    assert points(device, "meter/power") == [[THEN, 120.5], [THEN + 5000, 121.25]]
    assert points(device, "meter/voltage") == [[THEN, 230]]
    assert units(device)["meter/power"] == "W" and units(device)["meter/voltage"] == "V"


def test_senml_cbor_with_integers_floats_and_decimal_fractions(device):
    body = cbor2.dumps([
        {-3: THEN // 1000, 0: "count", 2: 7},
        {0: "power", 1: "W", 2: 0.1},
        {0: "energy", 2: cbor2.CBORTag(4, [-2, 12345])},
        {0: "count", 2: 8, 6: 1.5},
    ])
    assert send(device, body, CBOR).status == 204
    assert points(device, "count") == [[THEN, 7], [THEN + 1500, 8]]
    assert points(device, "power") == [[THEN, 0.1]] and points(device, "energy") == [[THEN, 123.45]]


@pytest.mark.parametrize("content_type", [JSON, JSON + "; charset=utf-8", "application/x-www-form-urlencoded"])
def test_thingsboards_json_in_both_forms_and_as_an_array(device, content_type):
    before = int(time.time() * 1000)
    assert send(device, b'{"power":1}', content_type).status == 204
    assert send(device, as_bytes({"ts": THEN, "values": {"power": 2, "on": True, "gone": None}}), content_type).status == 204
    both = [{"values": {"power": 3}, "ts": THEN + 1}, {"ts": THEN + 2, "values": {"power": 4}}]
    assert send(device, as_bytes(both), content_type).status == 204
    found = points(device, "power")
    assert found[:3] == [[THEN, 2], [THEN + 1, 3], [THEN + 2, 4]]
    assert found[3][1] == 1 and before <= found[3][0] <= time.time() * 1000, "the server's time where there is none"
    assert points(device, "gone") == []


def test_a_batch_of_lines(device):
    lines = "\n".join(json.dumps({"ts": THEN + n, "values": {"power": n}}) for n in range(2000)) + "\n\n"
    assert send(device, lines.encode(), LINES).status == 204
    assert points(device, "power") == [[THEN + n, n] for n in range(2000)]


def test_a_bad_line_is_named_and_the_others_are_kept(device):
    lines = [json.dumps({"ts": THEN + n, "values": {"power": n}}) for n in range(4)]
    lines[2] = '{"ts":oops}'
    answer = send(device, "\n".join(lines).encode(), LINES)
    assert answer.status == 422 and answer.json()["accepted"] == 3, answer
    assert [error["place"].split(",")[0] for error in answer.json()["faults"]] == ["line 3"]
    assert points(device, "power") == [[THEN, 0], [THEN + 1, 1], [THEN + 3, 3]]


def test_a_batch_without_a_good_line_is_refused(device):
    assert send(device, b"nonsense\n{]\n", LINES).status == 400


@pytest.mark.parametrize("declared", [True, False])
def test_a_gzip_body_is_unpacked(device, declared):
    lines = "\n".join(json.dumps({"ts": THEN + n, "values": {"power": n % 97}}) for n in range(500))
    header = ["--header", "Content-Encoding: gzip"] if declared else []
    assert send(device, gzip.compress(lines.encode()), LINES, *header).status == 204
    assert len(points(device, "power")) == 500


def test_duplicates_count_once_and_late_readings_find_their_place(device):
    later = [THEN + 1000 * n for n in range(10)]
    for moment in later[5:] + later[:5] + later[3:7]:
        assert send(device, as_bytes({"ts": moment, "values": {"power": moment % 7}})).status == 204
    assert points(device, "power") == [[moment, moment % 7] for moment in later]


@pytest.mark.parametrize(
    "numbers",
    [
        [0, -1, 0.1, 1e-9, 123456.789, -0.005], [3.141592653589793, 2.5, -1e-15], [1e15, 2**53, -(2**62), 2**63 - 1],
    ],
    ids=str,
)
def test_decimals_come_back_as_they_were_sent(device, numbers):
    body = [{"ts": THEN + n, "values": {"v": number}} for n, number in enumerate(numbers)]
    answer = send(device, as_bytes(body))
    assert answer.status == 204, answer
    assert [value for _, value in points(device, "v")] == numbers


def test_one_absurd_value_does_not_blur_its_neighbours(device):
    for moment, value in enumerate([0.1, 21.5, 2**62, 21.6]):
        assert send(device, as_bytes({"ts": THEN + moment, "values": {"v": value}})).status == 204
    assert [value for _, value in points(device, "v")] == [0.1, 21.5, 2**62, 21.6]


def test_names_may_hold_any_language(device):
    assert send(device, as_bytes({"ts": THEN, "values": {"Spannung in Küche ⚡": 230}})).status == 204
    assert units(device) == {"Spannung in Küche ⚡": ""}


# What is refused


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        (JSON, b"", 400, "telemetry.payload.empty"),
        (JSON, b"{}", 400, "telemetry.payload.empty"),
        (JSON, b"[]", 400, "telemetry.payload.empty"),
        (JSON, b"hello", 400, "telemetry.payload.unknownFormat"),
        (JSON, b'{"power":1', 400, "telemetry.payload.truncated"),
        (JSON, b'{"power":1} {"power":2}', 400, "telemetry.payload.trailingBytes"),
        (JSON, b'{"power":1,}', 400, None),
        (JSON, b'{"power":01}', 400, None),
        (JSON, b'{"power":NaN}', 400, "telemetry.number.notFinite"),
        (JSON, b'{"power":Infinity}', 400, "telemetry.number.notFinite"),
        (JSON, b'{"power":-Infinity}', 400, "telemetry.number.notFinite"),
        (JSON, b'{"power":1e400}', 400, "telemetry.number.tooLarge"),
        (JSON, b'{"power":9223372036854775808}', 400, "telemetry.number.tooLarge"),
        (JSON, b'{"power":123456789012345678901234567890}', 400, "telemetry.number.tooLarge"),
        (JSON, b'{"power":0.12345678901234567890123}', 400, "telemetry.number.tooPrecise"),
        (JSON, b'{"power":1e-300}', 400, "telemetry.number.tooPrecise"),
        (JSON, b'{"po\xff":1}', 400, "telemetry.text.notUTF8"),
        (JSON, b'{"":1}', 400, "telemetry.name.missing"),
        (JSON, b'{"' + b"n" * 200 + b'":1}', 400, "telemetry.name.tooLong"),
        (JSON, b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", 400, "telemetry.payload.tooDeep"),
        (JSON, b'{"state":"on"}', 400, "telemetry.value.text"),
        (JSON, {"ts": 1, "values": {"power": 1}}, 400, "telemetry.time.tooOld"),
        (JSON, {"ts": -5, "values": {"power": 1}}, 400, "telemetry.time.outOfRange"),
        (JSON, {"ts": 10**18, "values": {"power": 1}}, 400, "telemetry.time.outOfRange"),
        (JSON, {"ts": 10**13, "values": {"power": 1}}, 400, "telemetry.time.tooFarAhead"),
        (SENML, b'{"n":"power","v":1}', 400, None),
        (SENML, [{"v": 1}], 400, "telemetry.name.missing"),
        (SENML, [{"n": "power"}], 400, "telemetry.senml.noValue"),
        (SENML, [{"n": "power", "v": 1, "vb": True}], 400, "telemetry.senml.twoValues"),
        (SENML, b'[{"n":"power","v":1,"v":2}]', 400, "telemetry.field.duplicate"),
        (SENML, [{"n": "power", "v": 1, "must_": 1}], 400, "telemetry.senml.mandatoryField"),
        (SENML, [{"bver": 99, "n": "power", "v": 1}], 400, "telemetry.senml.version"),
        (SENML, [{"n": "power", "v": "1"}], 400, "telemetry.field.wrongType"),
        (SENML, [{"n": "a b", "v": 1}], 400, "telemetry.name.invalid"),
        (SENML, [{"n": "power", "v": 1, "u": "x" * 50}], 400, "telemetry.unit.invalid"),
        (CBOR, b"\x9f", 400, "telemetry.payload.truncated"),
        (CBOR, b"\x81\xa2\x00\x65power", 400, "telemetry.payload.truncated"),
        (CBOR, cbor2.dumps([{0: "power", 2: float("nan")}]), 400, "telemetry.number.notFinite"),
        (CBOR, cbor2.dumps([{0: "power", 2: float("inf")}]), 400, "telemetry.number.notFinite"),
        (CBOR, cbor2.dumps([{0: "power", 2: 2**64}]), 400, None),
        (CBOR, cbor2.dumps([{0: "power", 2: 2**63}]), 400, "telemetry.number.tooLarge"),
        (CBOR, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 400, None),
        (CBOR, b"\x81" * 5000, 400, None),
        (CBOR, b"\x81\xa2\x00\x7b\x7f\xff\xff\xff\xff\xff\xff\xff", 400, None),
        ("text/plain", b'{"power":1}', 400, "telemetry.contentType"),
        (JSON, b"\x1f\x8bnot gzip after all", 400, "telemetry.gzip.syntax"),
        (JSON, gzip.compress(b'{"power":1}', mtime=0)[:-6], 400, "telemetry.payload.truncated"),
        (JSON, gzip.compress(b'{"power":' + b" " * (1 << 20) + b"1}", mtime=0), 413, "telemetry.gzip.ratio"),
        (JSON, gzip.compress(b'{"power":' + b" " * (64 << 20) + b"1}", mtime=0), 413, "telemetry.gzip.tooLarge"),
        (JSON, b'{"power":1' + b" " * (2 << 20) + b"}", 413, None),
        (JSON, as_bytes([{"v": n} for n in range(70_000)]), 413, "telemetry.payload.tooManyReadings"),
    ],
    ids=lambda value: repr(value)[:60].replace("\\", "/"),
)
def test_wrong_bodies_are_refused_whole_with_a_stable_code(shared, content_type, body, status, code):
    answer = send(shared, as_bytes(body), content_type)
    assert answer.status == status, answer
    if code:
        assert answer.code == code
        assert len(answer.json()["detail"]) > 20, "and a sentence"


def test_a_body_in_an_encoding_that_is_not_spoken_is_refused(device):
    answer = send(device, gzip.compress(b'{"power":1}'), JSON, "--header", "Content-Encoding: br")
    assert (answer.status, answer.code) == (400, "telemetry.contentEncoding"), answer


def test_nothing_of_a_refused_body_is_kept(device):
    body = [{"ts": THEN, "values": {"power": 1}}, {"ts": 1, "values": {"power": 2}}]
    assert send(device, as_bytes(body)).status == 400
    assert points(device, "power") == []


def test_numbers_beside_texts_are_kept_and_the_texts_are_named(device):
    answer = send(device, as_bytes({"ts": THEN, "values": {"power": 1, "state": "on", "spelt": "21.5", "on": True}}))
    assert (answer.status, answer.code) == (200, "telemetry.value.text"), answer
    document = answer.json()
    assert document["accepted"] == 3 and [error["place"] for error in document["faults"]] == ["state"]
    assert points(device, "power") == [[THEN, 1]] and points(device, "spelt") == [[THEN, 21.5]]
    assert points(device, "on") == [[THEN, 1]] and points(device, "state") == []


def test_texts_break_a_model_that_refuses_what_it_does_not_declare(server):
    strict = modelled(server, series=DECLARED, undeclared="refuse")
    answer = send(strict, as_bytes({"ts": THEN, "values": {"power": 1, "state": "on"}}))
    assert (answer.status, answer.code) == (400, "telemetry.series.undeclared")
    assert points(strict, "power") == []
    wary = modelled(server, series=DECLARED, undeclared="quarantine")
    assert send(wary, as_bytes({"ts": THEN, "values": {"power": 1, "state": "on"}})).status == 200
    assert points(wary, "power") == [[THEN, 1]]


def test_lines_that_break_the_models_rules_leave_the_others_alone(server):
    device = modelled(server, series=DECLARED, undeclared="accept")
    values = [{"power": 1}, {"power": 99_999}, {"state": "on"}, {"power": 2, "state": "on"}, {"power": 3}]
    lines = "\n".join(json.dumps({"ts": THEN + n, "values": value}) for n, value in enumerate(values))
    answer = send(device, lines.encode(), LINES)
    assert answer.status == 422 and answer.json()["accepted"] == 3, answer
    assert [error["place"] for error in answer.json()["faults"]] == ["line 2, power", "line 3, state", "state"]
    assert points(device, "power") == [[THEN, 1], [THEN + 3, 2], [THEN + 4, 3]]


def test_methods_paths_and_strangers_are_refused(shared):
    url = f"{shared.server.device_url}/acme/telemetry"
    assert curl(shared.server, url, device=shared).status == 405
    stranger = curl(shared.server, url, input=b'{"power":1}')
    assert stranger.status == 401 and b"detail" not in stranger.body
    assert curl(shared.server, url, "--header", "Authorization: Bearer guess", input=b"{}").status == 401
    assert send(shared, b'{"power":1}', tenant="other").status == 404
    assert send(shared, b'{"power":1}', tenant="..").status == 404


# What the model says

DECLARED = [
    {"name": "power", "unit": "W", "exponent": -1, "lower": 0, "upper": 10_000},
    {"name": "energy", "unit": "J"},
    {"name": "on", "kind": "boolean"},
]


def test_values_are_kept_at_the_models_resolution_in_its_unit_and_range(server):
    device = modelled(server, series=DECLARED, undeclared="refuse")
    body = [
        {"bt": THEN / 1000, "n": "power", "u": "W", "v": 12.34}, {"n": "power", "u": "kW", "v": 1.5, "t": 1},
        {"n": "energy", "v": 5}, {"n": "on", "vb": True},
    ]
    assert send(device, as_bytes(body), SENML).status == 204
    assert points(device, "power") == [[THEN, 12.3], [THEN + 1000, 1500]]
    assert points(device, "on") == [[THEN, 1]] or points(device, "on") == [[THEN, True]]
    for reading, code in [
        ({"n": "power", "v": -0.1}, "value.outOfRange"),
        ({"n": "power", "v": 10_000.1}, "value.outOfRange"),
        ({"n": "power", "u": "kW", "v": 11}, "value.outOfRange"),
        ({"n": "power", "u": "V", "v": 5}, "unit.mismatch"),
        ({"n": "power", "vb": True}, "value.notANumber"),
        ({"n": "power", "vs": "5"}, "value.notANumber"),
        ({"n": "on", "v": 2}, "value.notBoolean"),
        ({"n": "flow", "v": 1}, "series.undeclared"),
    ]:
        answer = send(device, as_bytes([reading]), SENML)
        assert (answer.status, answer.code) == (400, f"telemetry.{code}"), reading
    assert set(units(device)) == {"power", "energy", "on"}


def test_undeclared_series_are_accepted_or_kept_apart_as_the_model_says(server):
    open_minded = modelled(server, series=DECLARED, undeclared="accept")
    assert send(open_minded, as_bytes({"ts": THEN, "values": {"flow": 3}})).status == 204
    assert points(open_minded, "flow") == [[THEN, 3]]
    wary = modelled(server, series=DECLARED, undeclared="quarantine")
    assert send(wary, as_bytes({"ts": THEN, "values": {"flow": 3, "power": 4}})).status == 204
    assert points(wary, "flow") == [] and points(wary, "quarantine/flow") == [[THEN, 3]]
    assert points(wary, "power") == [[THEN, 4]]


def test_the_models_window_of_time_counts(server):
    device = modelled(server, timeWindow={"pastSeconds": 3600, "futureSeconds": 60})
    now = int(time.time() * 1000)
    for offset, code in [(0, None), (-3000, None), (-7200, "time.tooOld"), (30, None), (120, "time.tooFarAhead")]:
        answer = send(device, as_bytes({"ts": now + offset * 1000, "values": {"power": 1}}))
        if code:
            assert (answer.status, answer.code) == (400, f"telemetry.{code}"), offset
        else:
            assert answer.status == 204, offset


def test_a_changed_model_counts_at_once(server):
    device = modelled(server, series=DECLARED, undeclared="refuse")
    assert send(device, b'{"flow":1}').status == 400
    name = device.name.removeprefix("of-")
    server.admin("model", "put", name, "-", "--tenant", "acme", input=b'{"undeclared":"accept"}')
    assert send(device, b'{"flow":1}').status == 204


# Rates


def test_a_tenant_over_its_rate_is_told_when_to_come_again(server):
    server.tenant("slow")
    server.admin("plan", "put", "tiny", "--set", "tenantMessagesPerSecond=1")
    server.admin("tenant", "plan", "slow", "tiny")
    device = server.enrolled("slow", "chatty")
    assert send(device, b'{"power":1}').status == 204
    # The machine may be slow; as soon as one is refused the rest is not needed.
    answers = (send(device, b'{"power":1}') for _ in range(60))
    refused = next(answer for answer in answers if answer.status != 204)
    assert refused.status == 429
    assert refused.code == "telemetry.rate" and int(refused.headers["retry-after"][0]) >= 1

"""`tidegate verify telemetry`: it reads what a server stores, running or not, and names what is not as it was."""

import json
import shutil
import signal
import sqlite3

import pytest

from clients import send
from tidegate import BINARY, Server, run

THEN = 1_700_000_000_000
HOURS = 3


def verify(*arguments):
    """The exit code and the report."""
    done = run(BINARY, "verify", "telemetry", "--json", *arguments, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def report(device, hour, count=50):
    lines = [json.dumps({"ts": THEN + hour * 3_600_000 + n * 1000, "values": {"power": n / 10, "on": n % 2 == 0}}) for n in range(count)]
    assert send(device, "\n".join(lines).encode(), "application/x-ndjson").status == 204


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A killed server's data: two devices' chunks, and a segment of the log with what no chunk holds yet."""
    folder = tmp_path_factory.mktemp("telemetry")
    server = Server(folder)
    try:
        server.tenant("acme")
        server.tenant("other")
        devices = [server.enrolled("acme", f"meter-{number}") for number in range(2)]
        for hour in range(HOURS):
            for device in devices:
                report(device, hour)
        status, found = verify("--data", server.data)
        assert status == 0 and found["openValues"] == found["visiblePoints"] == 600 and found["chunks"] == 0, "live"
        assert server.stop() == 0
        server.start()
        report(devices[0], 0, 60)
        for tenant, points in (("acme", 620), ("other", 0)):
            status, found = verify("--data", server.data, "--tenant", tenant)
            assert status == 0 and found["visiblePoints"] == points and found["chunks"] in (0, 6), "live, with chunks"
        days = {path.name for path in (server.data / "telemetry").glob("*.db")}
        answer = server.points("acme", "meter-0", "power", server.token("acme", "viewer"), start="2023-01-01T00:00:00Z", end="2024-01-01T00:00:00Z")
        assert len(answer["power"]) == 160
        assert days == {path.name for path in (server.data / "telemetry").glob("*.db")}
    finally:
        server.stop(signal.SIGKILL)
    server.ids = [device.id for device in devices]
    return server


@pytest.fixture
def copy(stored, tmp_path):
    return shutil.copytree(stored.data, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock"))


def changed(data, statement, *arguments):
    with sqlite3.connect(data / "telemetry" / "2023-11-14.db") as day:
        assert day.execute(statement, arguments).rowcount > 0
    day.close()


def named(data, *words):
    """The first damage, which the text names as well."""
    status, found = verify("--data", data)
    assert status == 1 and not found["intact"] and found["damages"], found
    text = run(BINARY, "verify", "telemetry", "--data", data, check=False)
    assert text.returncode == 1 and text.stdout.startswith(b"DAMAGED")
    for word in words:
        assert str(word).encode() in text.stdout
    return found["damages"][0]


def test_what_is_untouched_verifies(copy):
    status, found = verify("--data", copy)
    assert status == 0 and found["intact"] and not found["damages"] and not found["notes"], found
    assert found["partitions"] >= 1 and found["visiblePoints"] == 620 and found["openValues"] == 120
    assert run(BINARY, "verify", "telemetry", "--data", copy).stdout.startswith(b"ok")


def test_a_flipped_byte_in_a_segment_is_named_by_file_and_offset(copy):
    segment = max((copy / "telemetry").glob("log-*.seg"), key=lambda path: path.stat().st_size)
    whole = segment.read_bytes()
    for place in (0, 5, 9, 15, 40, len(whole) // 2, len(whole) - 1):
        segment.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        damage = named(copy, segment.name)
        assert damage["file"] == segment.name and damage["offset"] <= place and damage["kind"] == "damaged"


def test_a_flipped_byte_and_a_cut_in_a_chunk_are_named_by_device_and_hour(copy, stored):
    device = bytes.fromhex(stored.ids[1])
    changed(copy, "UPDATE chunk SET body = CAST(substr(body, 1, 20) || X'FF' || substr(body, 22) AS BLOB) WHERE device = ? AND hour = ?", device, THEN // 3_600_000)
    damage = named(copy, stored.ids[1], "2023-11-14T22:00:00")
    assert (damage["kind"], damage["device"], damage["part"]) == ("damaged", stored.ids[1], 0)
    changed(copy, "UPDATE chunk SET body = substr(body, 1, length(body) - 5) WHERE device = ? AND hour = ?", bytes.fromhex(stored.ids[0]), THEN // 3_600_000)
    assert named(copy, stored.ids[0])["device"] == stored.ids[0]
    changed(copy, "UPDATE chunk SET body = 'text' WHERE device = ? AND hour = ?", bytes.fromhex(stored.ids[0]), THEN // 3_600_000)
    assert named(copy, stored.ids[0])["device"] == stored.ids[0]


def test_chunks_swapped_between_devices_are_named(copy, stored):
    one, two = (bytes.fromhex(identifier) for identifier in stored.ids)
    changed(copy, "UPDATE chunk SET device = CASE device WHEN ? THEN ? ELSE ? END, part = part + 10", one, two, one)
    _, found = verify("--data", copy)
    assert {damage["device"] for damage in found["damages"]} == set(stored.ids)


def test_what_is_gone_is_missed(copy):
    (copy / "telemetry" / "registry.log").unlink()
    assert named(copy)["file"] == "registry.log"


def test_a_lost_day_is_missed(copy):
    for path in (copy / "telemetry").glob("2023-11-14.db*"):
        path.unlink()
    damage = named(copy)
    assert (damage["kind"], damage["file"]) == ("missing", "2023-11-14.db")
    assert not list((copy / "telemetry").glob("2023-11-14.db*")), "and looking makes nothing"


def test_what_is_no_data_directory_is_said_to_be_none(tmp_path):
    done = run(BINARY, "verify", "telemetry", "--data", tmp_path, check=False)
    assert done.returncode == 2 and b"tidegate.db" in done.stderr


def test_an_unknown_tenant_is_said_to_be_none(copy):
    done = run(BINARY, "verify", "telemetry", "--data", copy, "--tenant", "nobody", check=False)
    assert done.returncode == 2 and b"nobody" in done.stderr

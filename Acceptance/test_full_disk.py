"""A disk that is full: at the start, and while the server works."""

import json
import os
import resource
import subprocess

import pytest
import requests

from clients import Paho, send
from tidegate import Server, wait_for
from test_operations import refused_start

THEN = 1_700_000_000_000


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, which only root may make."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", place], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no small file system here: {mounted.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place, leave=0):
    """Takes all space but so many bytes; returns the file that holds it."""
    filler = place / "filler"
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    with open(filler, "ab") as file:
        block = b"\0" * 65536
        written = 0
        try:
            while written < free - leave:
                file.write(block[: min(65536, free - leave - written)])
                file.flush()
                written += 65536
        except OSError:
            pass
    return filler


def test_a_start_on_a_full_disk_is_refused(small_disk):
    fill(small_disk, leave=20 << 20)
    said = refused_start(small_disk / "data")
    assert "MB are free" in said and "make room" in said, said


class SmallDisk:
    """A whole file system that is full."""

    def __init__(self, place, server):
        self.filler = fill(place)

    def empty(self):
        self.filler.unlink()


class FileLimit:
    """Files that may not grow any more, for who may mount nothing: to the server it is the same."""

    def __init__(self, place, server):
        self.process = server.process.pid
        resource.prlimit(self.process, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def empty(self):
        resource.prlimit(self.process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.parametrize("protocol", ["https", "mqtt"])
@pytest.mark.parametrize("kind", [SmallDisk, FileLimit])
def test_a_disk_that_fills_stops_acknowledging_and_nothing_else(request, tmp_path, kind, protocol):
    place = request.getfixturevalue("small_disk") if kind is SmallDisk else tmp_path
    server = Server(place)
    try:
        server.tenant("acme")
        device, viewer = server.enrolled("acme", "meter-1"), server.token("acme", "viewer")
        acknowledged = []

        def report(number):
            """Reports one reading; says whether it was acknowledged."""
            # Large enough that a block of the file does not just have room for it.
            body = {"ts": THEN + number * 1000, "values": {f"s{n}": number * 1000 + n for n in range(200)}}
            if protocol == "https":
                took = send(device, json.dumps(body).encode()).status == 204
            else:
                with Paho(server, device) as client:
                    client.connected()
                    mid = client.client.publish("telemetry", json.dumps(body), 1).mid
                    wait_for(lambda: mid in client.acknowledged or client.disconnected, "an answer")
                    took = mid in client.acknowledged
            if took:
                acknowledged.append(number)
            return took

        assert report(0)
        full = kind(place, server)
        numbers = iter(range(1, 10_000))
        wait_for(lambda: not report(next(numbers)), "a reading is not acknowledged")
        for _ in range(3):
            assert not report(next(numbers))
        # It says so where an operator looks, and goes on answering.
        base = f"http://127.0.0.1:{server.ports['metrics']}"
        assert server.metric("tidegate_telemetry_log_failing") == 1
        ready = requests.get(f"{base}/readyz", timeout=10)
        assert ready.status_code == 503 and "telemetry can not be stored" in ready.text
        assert requests.get(f"{base}/healthz", timeout=10).status_code == 200
        if kind is SmallDisk:
            assert "the telemetry log can not be written" in server.log.read_text()
        answer = server.get("/tenants/acme/devices/meter-1", viewer)
        assert answer.status_code in (200, 503), answer.text
        assert [value for _, value in server.points("acme", "meter-1", "s0", viewer)["s0"]] == [n * 1000 for n in acknowledged]
        assert server.process.poll() is None

        full.empty()
        wait_for(lambda: requests.get(f"{base}/readyz", timeout=10).status_code == 200, "it is ready again")
        assert server.metric("tidegate_telemetry_log_failing") == 0
        wait_for(lambda: report(next(numbers)), "a reading is acknowledged")
        for _ in range(3):
            assert report(next(numbers))
        server.tenant("later")

        def stored():
            return [value for _, value in server.points("acme", "meter-1", "s0", viewer)["s0"]]

        assert stored() == [n * 1000 for n in acknowledged]
        # And after a restart: nothing acknowledged is missing, nothing doubled.
        assert server.stop() == 0
        server.start()
        assert set(stored()) >= {n * 1000 for n in acknowledged} and len(stored()) == len(set(stored()))
    finally:
        server.stop()

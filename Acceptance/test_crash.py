"""Kill -9 under load, twenty times: what was acknowledged is there, once."""

import json
import signal
import threading

from clients import Paho
from tidegate import BINARY, run, wait_for

DEVICES, KILLS, BETWEEN = 4, 20, 150
THEN = 1_700_000_000_000


class Meter(threading.Thread):
    """A device that reports without a pause and notes what was acknowledged; a reading that was not is sent again."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device = device
        self.number = 0
        self.acknowledged = []
        self.going, self.stopped = threading.Event(), threading.Event()

    def run(self):
        while not self.stopped.is_set():
            self.going.wait()
            try:
                with Paho(self.device.server, self.device) as client:
                    client.connected()
                    while not self.stopped.is_set():
                        self.report(client)
            except (AssertionError, OSError, ValueError):
                # The server is dead or dying: once more, from the first reading that was not acknowledged.
                self.stopped.wait(0.05)

    def report(self, client, together=8):
        numbers = range(self.number, self.number + together)
        sent = {}
        for number in numbers:
            body = json.dumps({"ts": THEN + 1000 * number, "values": {"count": number, "power": number % 1000 / 10}})
            sent[client.client.publish("telemetry", body, 1).mid] = number
        wait_for(lambda: client.disconnected or sent.keys() <= client.acknowledged.keys(), "acknowledgements")
        self.acknowledged += [number for mid, number in sent.items() if mid in client.acknowledged]
        assert sent.keys() <= client.acknowledged.keys(), "the connection broke"
        self.number += together


def test_nothing_acknowledged_is_lost_or_doubled_by_twenty_kills(own_server_of_each_engine):
    server = own_server_of_each_engine
    server.tenant("acme")
    viewer = server.token("acme", "viewer")
    meters = [Meter(server.enrolled("acme", f"meter-{number}")) for number in range(DEVICES)]
    for meter in meters:
        meter.going.set()
        meter.start()
    try:
        for kill in range(KILLS):
            goal = sum(len(meter.acknowledged) for meter in meters) + BETWEEN
            wait_for(lambda: sum(len(meter.acknowledged) for meter in meters) >= goal, f"load before kill {kill}")
            server.stop(signal.SIGKILL)
            # What one device and person had been told must be there already, before anybody sends it again.
            for meter in meters:
                meter.going.clear()
            known = {meter: set(meter.acknowledged) for meter in meters}
            server.start()
            for meter in meters[kill % DEVICES :][:1]:
                check(server, meter, known[meter], viewer)
            for meter in meters:
                meter.going.set()
    finally:
        for meter in meters:
            meter.stopped.set()
            meter.going.set()
        for meter in meters:
            meter.join(60)
    for meter in meters:
        check(server, meter, set(meter.acknowledged), viewer)
    assert server.stop() == 0
    server.start()
    for meter in meters:
        check(server, meter, set(meter.acknowledged), viewer)
    assert b"DAMAGED" not in run(BINARY, "verify", "audit", "--data", server.data, env=server.env()).stdout


def check(server, meter, acknowledged, token):
    for series, value in [("count", float), ("power", lambda number: number % 1000 / 10)]:
        points = server.points("acme", meter.device.name, series, token).get(series, [])
        times = [time for time, _ in points]
        assert times == sorted(set(times)), "each reading once, in order"
        assert all(found == value((time - THEN) // 1000) for time, found in points), "each value as it was sent"
        missing = {THEN + 1000 * number for number in acknowledged} - set(times)
        assert not missing, f"{meter.device.name} lost {len(missing)} acknowledged readings, first {min(missing)}"


def test_a_registration_and_its_audit_entry_survive_a_kill_together(own_server_of_each_engine):
    server = own_server_of_each_engine
    server.tenant("acme")
    admin = server.token("acme", "admin")
    done = []

    def register():
        while True:
            try:
                answer = server.post("/tenants/acme/devices", admin, json={"name": f"device-{server.process.pid}-{len(done)}"})
            except OSError:
                return
            assert answer.status_code == 201
            done.append(answer.json()["id"])

    def everything(path, **query):
        found, after = [], {}
        while True:
            page = server.get(path, admin, params={"limit": 1000, **query, **after}).json()
            found += page["items"]
            if not page["next"]:
                return found
            after = {"after": page["next"]}

    for _ in range(5):
        goal = len(done) + 20
        thread = threading.Thread(target=register)
        thread.start()
        wait_for(lambda: len(done) >= goal, "some registrations")
        server.stop(signal.SIGKILL)
        thread.join()
        server.start()
        kept = sorted(device["id"] for device in everything("/tenants/acme/devices"))
        assert set(done) <= set(kept), "what was answered is there"
        wait_for(
            lambda: sorted(entry["objectId"] for entry in everything("/tenants/acme/audit", code="device.registered")) == kept,
            "the audit has one entry for each device that is there, and none for others")
    assert b"DAMAGED" not in run(BINARY, "verify", "audit", "--data", server.data, env=server.env()).stdout

"""Devices' desired and reported documents, attributes and events, with unmodified clients."""

import itertools
import json
import signal
import subprocess
import sys
import threading
import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from clients import Paho
from tidegate import wait_for

NAMES = itertools.count(1)
VERSIONS = [mqtt.MQTTv311, mqtt.MQTTv5]


@pytest.fixture(scope="module")
def fleet(server):
    server.tenant("acme")
    server.viewer = server.token("acme", "viewer")
    return server


@pytest.fixture
def device(fleet):
    return fleet.enrolled("acme", f"gateway-{next(NAMES)}")


def desire(device, document):
    text = json.dumps(document).encode()
    return device.server.admin("device", "desired", device.name, "--tenant", "acme", "-", input=text)


def reported(device):
    return device.server.admin("device", "reported", device.name, "--tenant", "acme")


def events(device, **query):
    answer = device.server.get(f"/tenants/acme/devices/{device.name}/events", device.server.viewer, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


class Lines:
    """What a program in the background writes, line by line."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    def wait(self, count, what):
        try:
            return wait_for(lambda: len(self.lines) >= count and self.lines[count - 1], what)
        except AssertionError as error:
            raise AssertionError(f"{error}; heard {self.lines}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


# What a device reports


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_pub_reports_a_document_part_by_part(device, version):
    device.mosquitto_pub("-V", version, "-q", 1, "-t", "reported", "-m", '{"firmware":"1.2","net":{"apn":"a","mtu":1400}}')
    device.mosquitto_pub("-V", version, "-q", 1, "-t", "reported", "-m", '{"net":{"mtu":null},"uptime":7}')
    document = reported(device)
    assert document["reported"] == {"firmware": "1.2", "net": {"apn": "a"}, "uptime": 7}
    assert document["version"] == 2


def test_mosquitto_pub_tells_events_and_a_person_reads_them(device):
    one = '{"code":"door.opened","severity":"warning","text":"Front door","ts":1700000001000,"details":{"door":1}}'
    device.mosquitto_pub("-q", 1, "-t", "events", "-m", one)
    device.mosquitto_pub("-q", 1, "-t", "events", "-m", '[{"code":"boot","ts":1700000000000},{"code":"tamper","severity":"critical"}]')
    items = events(device)
    assert [item["code"] for item in items] == ["tamper", "door.opened", "boot"]
    door = items[1]
    assert door["time"] == "2023-11-14T22:13:21Z" and door["severity"] == "warning"
    assert door["text"] == "Front door" and door["details"] == {"door": 1}
    assert [item["code"] for item in events(device, to="2023-11-14T22:13:21Z")] == ["boot"]
    listed = device.server.admin("device", "events", device.name, "--tenant", "acme", "--limit", 1)
    assert [item["code"] for item in listed["items"]] == ["tamper"]


def test_a_refused_report_says_why_and_leaves_all_as_it_was(device):
    with Paho(device.server, device, version=mqtt.MQTTv5) as client:
        client.connected()
        assert not client.publish("reported", '{"a":1}').is_failure
        for topic, payload, reason in [
            ("reported", "[]", 0x99), ("reported", '{"a":NaN}', 0x99), ("reported", '{"a":2,"a":3}', 0x99),
            ("reported", '{"a":' * 40 + "1" + "}" * 40, 0x99), ("reported", json.dumps({"a": "x" * 70_000}), 0x97),
            ("events", '{"code":"not a name"}', 0x99), ("events", json.dumps([{"code": "a"}] * 101), 0x99),
            ("tasks/17/status", '{"state":"running"}', 0x90), ("tasks/17/status", "{}", 0x99),
            ("v1/devices/me/rpc/response/17", "{}", 0x90),
            ("v1/devices/me/rpc/request/17", "{}", 0x90), ("reported/extra", "{}", 0x90),
        ]:
            assert client.publish(topic, payload).value == reason, (topic, payload[:50])
        assert not client.publish("telemetry", '{"power":1}').is_failure, "the connection goes on"
    assert reported(device)["reported"] == {"a": 1}
    assert events(device) == []


def test_an_old_client_is_not_thrown_off_for_a_call_that_nobody_knows(device):
    before = device.server.metric("tidegate_mqtt_words_refused_total")
    with Paho(device.server, device) as client:
        client.connected()
        for topic in ["tasks/17/status", "v1/devices/me/rpc/response/17", "v1/devices/me/rpc/request/17"]:
            client.publish(topic, "{}")
        client.publish("reported", '{"still":"here"}')
        client.client.publish("reported", "[]", 1)
        client.ended()
    assert device.server.metric("tidegate_mqtt_words_refused_total") == before + 3
    assert reported(device)["reported"] == {"still": "here"}


def test_a_long_run_of_reports_in_flight_is_acknowledged_whole(device):
    count = 300
    with Paho(device.server, device, version=mqtt.MQTTv5) as client:
        client.connected()
        for number in range(count):
            topic = ["reported", "telemetry", "events"][number % 3]
            message = {"code": f"n{number}", "ts": 1700000000000 + number} if topic == "events" else {"n": number}
            client.client.publish(topic, json.dumps(message), 1)
        wait_for(lambda: len(client.acknowledged) == count, "all are acknowledged")
        assert not any(reason.is_failure for reason in client.acknowledged.values())
    assert reported(device)["reported"] == {"n": 297}
    assert [item["code"] for item in events(device)] == [f"n{number}" for number in range(299, 0, -3)]


def test_what_is_acknowledged_survives_the_servers_death(own_server):
    own_server.tenant("acme")
    device = own_server.enrolled("acme", "gateway")
    with Paho(own_server, device) as client:
        client.connected()
        client.publish("reported", '{"firmware":"1.2"}')
        own_server.stop(signal.SIGKILL)
    own_server.start()
    assert reported(device)["reported"] == {"firmware": "1.2"}


# What a device is wanted to be


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_sub_hears_what_the_device_is_wanted_to_be_within_a_second(device, version):
    desire(device, {"interval": 5})
    command = [
        "mosquitto_sub", "-h", "localhost", "-p", device.server.ports["mqtt"], "--cafile", device.server.ca, "--cert",
        device.certificate, "--key", device.key, "-V", version, "-q", 1, "-t", "desired", "-C", 2]
    with Lines(*command) as heard:
        assert json.loads(heard.wait(1, "the present document")) == {"version": 1, "desired": {"interval": 5}}
        desire(device, {"interval": 6})
        changed = time.monotonic()
        assert json.loads(heard.wait(2, "the change")) == {"version": 2, "desired": {"interval": 6}}
        assert time.monotonic() - changed < 5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_device_that_was_away_hears_of_the_change_and_of_nothing_twice(device, version):
    def connect():
        if version == mqtt.MQTTv5:
            interval = Properties(PacketTypes.CONNECT)
            interval.SessionExpiryInterval = 600
            return Paho(device.server, device, version=version, clean_start=False, properties=interval)
        return Paho(device.server, device, client_id="kept", clean=False)

    def told(client):
        # What was on its way is here when a report behind it has been acknowledged.
        client.publish("reported", "{}")
        return [json.loads(message.payload)["version"] for message in client.messages]

    desire(device, {"n": 1})
    with connect() as client:
        client.connected()
        client.subscribe("desired")
        wait_for(lambda: told(client) == [1], "the present document")
    with connect() as client:
        assert client.connected()[0].session_present
        assert told(client) == []
    desire(device, {"n": 2})
    desire(device, {"n": 3})
    with connect() as client:
        assert client.connected()[0].session_present
        wait_for(lambda: told(client) == [3], "the newest document only")


def test_setting_the_same_again_changes_nothing_and_the_audit_names_members_not_values(device):
    assert desire(device, {"password": "secret-42"})["version"] == 1
    assert desire(device, {"password": "secret-42"})["version"] == 1
    assert desire(device, {"interval": 1})["version"] == 2
    auditor = device.server.token("acme", "admin")
    answer = device.server.get("/tenants/acme/audit", auditor, params={"code": "device.desired", "limit": 1000})
    assert "secret-42" not in answer.text
    mine = wait_for(
        lambda: [
            entry["details"] for entry in device.server.get(
                "/tenants/acme/audit", auditor, params={"code": "device.desired", "limit": 1000}).json()["items"]
            if entry["objectId"] == device.id
        ], "the entries")
    wanted = [
        {"version": 2, "changed": ["interval"], "removed": ["password"]},
        {"version": 1, "changed": ["password"], "removed": []},
    ]
    assert mine == wanted[-len(mine):]


def test_a_desired_document_that_nobody_could_follow_is_refused(device, tmp_path):
    for text in ["[1]", '{"a":1,"a":2}', "no json", json.dumps({"a": "x" * 70_000})]:
        file = tmp_path / "desired.json"
        file.write_text(text)
        done = device.server.admin("device", "desired", device.name, "--tenant", "acme", file, check=False)
        assert done.returncode == 1, text[:50]
    assert device.server.admin("device", "desired", device.name, "--tenant", "acme") == {
        "version": 0, "desired": {}, "changed": None}
    # In a layer, null takes away what the layers below it say; the device never gets one.
    file.write_text('{"a":null,"b":1}')
    assert device.server.admin("device", "desired", device.name, "--tenant", "acme", file)["desired"] == {"b": 1}


# ThingsBoard's own client


THINGSBOARD = """
import json, sys, threading
from tb_device_mqtt import TBDeviceMqttClient
port, ca, certificate, key = sys.argv[1:]
client = TBDeviceMqttClient("localhost", int(port))
answered = threading.Event()
client.connect(tls=True, ca_certs=ca, cert_file=certificate, key_file=key, timeout=20)

def say(what, content):
    print(what, json.dumps(content, sort_keys=True), flush=True)

client.subscribe_to_attribute("interval", lambda content, error: say("interval", content))
client.subscribe_to_all_attributes(lambda content, error: say("all", content))
# Acknowledged, so the client's own subscriptions are on their way: it makes them before it takes an answer.
assert client.send_attributes({"firmware": "1.2", "serial": 7}, quality_of_service=1).get() == 0
client.request_attributes(
    ["firmware", "nothing"], ["interval"],
    callback=lambda content, error: (say("answer", content), answered.set()))
assert answered.wait(60)
client.send_rpc_reply("99", {"late": True}, quality_of_service=1, wait_for_publish=True)
assert client.send_attributes({"after": "the late reply"}, quality_of_service=1).get() == 0
say("done", client.is_connected())
threading.Event().wait()
"""


def test_thingsboards_client_sends_requests_and_hears_attributes(device):
    desire(device, {"interval": 5, "mode": "eco"})
    command = [
        sys.executable, "-c", THINGSBOARD, device.server.ports["mqtt"], device.server.ca, device.certificate, device.key]
    with Lines(*command) as client:
        client.wait(2, "the answer, and the late reply is taken")
        assert client.lines[:2] == [
            'answer {"client": {"firmware": "1.2"}, "shared": {"interval": 5}}', "done true"]
        assert reported(device)["reported"] == {"firmware": "1.2", "serial": 7, "after": "the late reply"}
        desire(device, {"interval": 6, "mode": "eco"})
        client.wait(4, "the changed attribute, told to both")
        assert sorted(client.lines[2:4]) == ['all {"interval": 6}', 'interval {"interval": 6}']
        desire(device, {"interval": 6})
        assert client.wait(5, "the deleted attribute") == 'all {"deleted": ["mode"]}'

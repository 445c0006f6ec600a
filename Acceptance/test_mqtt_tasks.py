"""Tasks over MQTT as docs/device-tasks.md tells whoever writes a device's software, with unmodified clients."""

import itertools
import json
import signal
import sys

import paho.mqtt.client as mqtt
import pytest
import requests

from clients import Paho
from test_device_documents import Lines
from test_device_tasks import verified
from tidegate import wait_for

NAMES = itertools.count(1)
TENANT = ("--tenant", "acme")
VERSIONS = [mqtt.MQTTv311, mqtt.MQTTv5]


@pytest.fixture(scope="module")
def fleet(server):
    server.tenant("acme")
    return server


@pytest.fixture
def device(fleet):
    return fleet.enrolled("acme", f"worker-{next(NAMES)}")


def order(device, *arguments):
    return device.server.admin("operation", "order", *arguments, "--device", device.name, *TENANT)["id"]


def states(device, operation):
    return device.server.admin("operation", "show", operation, *TENANT)["tasks"]


def keys(device):
    answer = requests.get(
        f"{device.server.device_url}/acme/maintenance-keys", verify=str(device.server.ca),
        cert=(str(device.certificate), str(device.key)), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def heard(client, count):
    wait_for(lambda: len(client.messages) >= count, f"message {count}")
    return json.loads(client.messages[count - 1].payload)


@pytest.mark.parametrize("version", VERSIONS)
def test_paho_works_off_a_signed_task(device, version):
    with Paho(device.server, device, version=version) as client:
        client.connected()
        client.subscribe("tasks")
        operation = order(device, "runDiagnostic")
        task = heard(client, 1)
        header, payload = verified(keys(device), task["signed"])
        assert header["typ"] == "tidegate-task+jws"
        assert payload["tenant"] == "acme" and payload["device"] == device.id
        assert {name: payload[name] for name in ("id", "type", "input")} == {
            name: task[name] for name in ("id", "type", "input")}
        topic = f"tasks/{task['id']}/status"
        assert not client.publish(topic, '{"state":"running","progress":{"done":1,"of":4}}').is_failure
        assert states(device, operation) == {"running": 1}
        assert not client.publish(topic, '{"state":"succeeded","details":["all well"]}').is_failure
        assert states(device, operation) == {"succeeded": 1}
        late = client.publish(topic, '{"state":"failed"}')
        assert late.value == 0x83 if version == mqtt.MQTTv5 else not late.is_failure
        assert states(device, operation) == {"succeeded": 1}


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_hears_of_tasks_and_says_how_they_stand(device, version):
    first = order(device, "reboot")
    command = [
        "mosquitto_sub", "-h", "localhost", "-p", device.server.ports["mqtt"], "--cafile", device.server.ca, "--cert",
        device.certificate, "--key", device.key, "-V", version, "-q", 1, "-t", "tasks", "-C", 1]
    with Lines(*command) as sub:
        task = json.loads(sub.wait(1, "the task that waited"))
        assert task["type"] == "reboot" and verified(keys(device), task["signed"])
    device.mosquitto_pub("-V", version, "-q", 1, "-t", f"tasks/{task['id']}/status", "-m", '{"state":"succeeded"}')
    assert states(device, first) == {"succeeded": 1}


def test_what_is_acknowledged_survives_the_servers_death_and_what_is_open_is_told_again(own_server):
    own_server.tenant("acme")
    device = own_server.enrolled("acme", "worker")
    with Paho(own_server, device) as client:
        client.connected()
        client.subscribe("tasks")
        operation = order(device, "reboot")
        task = heard(client, 1)
        client.publish(f"tasks/{task['id']}/status", '{"state":"running"}')
        own_server.stop(signal.SIGKILL)
    own_server.start()
    assert states(device, operation) == {"running": 1}
    with Paho(own_server, device) as client:
        client.connected()
        client.subscribe("tasks")
        again = heard(client, 1)
        assert again["id"] == task["id"] and again["begun"] is True
        known = keys(device)
        assert verified(known, again["signed"])[1]["sequence"] > verified(known, task["signed"])[1]["sequence"]


def test_a_foreign_task_is_refused_and_audited(fleet, device):
    other = fleet.enrolled("acme", f"worker-{next(NAMES)}")
    with Paho(fleet, device) as client, Paho(fleet, other, version=mqtt.MQTTv5) as stranger:
        client.connected()
        client.subscribe("tasks")
        operation = order(device, "reboot")
        number = heard(client, 1)["id"]
        stranger.connected()
        assert stranger.publish(f"tasks/{number}/status", '{"state":"succeeded"}').value == 0x90
        assert states(device, operation) == {"offered": 1}
    auditor = fleet.token("acme", "admin")
    wait_for(
        lambda: "task.foreign" in fleet.get("/tenants/acme/audit", auditor, params={"limit": 1000}).text,
        "the audit log knows")


THINGSBOARD = """
import json, sys, threading
from tb_device_mqtt import TBDeviceMqttClient
port, ca, certificate, key = sys.argv[1:]
client = TBDeviceMqttClient("localhost", int(port))

def say(what, content):
    print(what, json.dumps(content, sort_keys=True), flush=True)

def called(number, content):
    say("called", content)
    client.send_rpc_reply(number, {"error": "no such pin"} if content["method"] == "setGpio" else {"ok": True}, 1)

client.set_server_side_rpc_request_handler(called)
client.connect(tls=True, ca_certs=ca, cert_file=certificate, key_file=key, timeout=20)
client.send_rpc_call("getTime", {}, lambda number, content, error: say("answered", content))
threading.Event().wait()
"""


def test_thingsboards_client_is_called_and_answers(device, tmp_path):
    command = [
        sys.executable, "-c", THINGSBOARD, device.server.ports["mqtt"], device.server.ca, device.certificate, device.key]
    with Lines(*command) as client:
        assert client.wait(1, "the answer to its own call") == 'answered {"error": "this server takes no calls from devices"}'
        reboot = order(device, "reboot")
        assert client.wait(2, "the call") == 'called {"method": "reboot", "params": {}}'
        wait_for(lambda: states(device, reboot) == {"succeeded": 1}, "the answer is kept")
        (tmp_path / "input.json").write_text('{"method":"setGpio","params":{"pin":7}}')
        custom = order(device, "custom", "--input", tmp_path / "input.json")
        assert client.wait(3, "the custom call") == 'called {"method": "setGpio", "params": {"pin": 7}}'
        wait_for(lambda: states(device, custom) == {"failed": 1}, "its failure is kept")

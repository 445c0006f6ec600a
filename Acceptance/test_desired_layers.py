"""What many devices are wanted to be, with unmodified clients: layers, secrets, edits, across a crash."""

import csv
import io
import json
import signal
import subprocess

import pytest
from test_device_documents import Lines
from tidegate import wait_for

TENANT = ("--tenant", "acme")


@pytest.fixture
def fleet(own_server):
    own_server.tenant("acme")
    for name, parent in (("plant", None), ("hall", "plant")):
        own_server.admin("domain", "create", name, *TENANT, *(["--parent", parent] if parent else []))
    return own_server


def layer(server, place, name, document, **more):
    return server.admin(
        "desired", "set", f"--{place}", name, *TENANT, "-", input=json.dumps(document).encode(), **more)


def subscribed(device, count):
    return Lines(
        "mosquitto_sub", "-h", "localhost", "-p", device.server.ports["mqtt"], "--cafile", device.server.ca, "--cert",
        device.certificate, "--key", device.key, "-V", "mqttv5", "-q", 1, "-t", "desired", "-C", count)


def test_a_change_of_a_domain_reaches_its_devices_and_a_crash_loses_none(fleet, tmp_path):
    schema = tmp_path / "model.json"
    schema.write_text(json.dumps({"desiredSchema": {"properties": {
        "interval": {"type": "integer", "minimum": 5}, "key": {"type": "string", "writeOnly": True}}}}))
    fleet.admin("model", "put", "gateway", *TENANT, schema)
    device = fleet.enrolled("acme", "gw-1", "--domain", "plant/hall", "--model", "gateway")
    with subscribed(device, 3) as heard:
        layer(fleet, "domain", "plant", {"interval": 60, "key": "hunter2-of-the-plant"})
        assert json.loads(heard.wait(1, "the domain's"))["desired"] == {"interval": 60, "key": "hunter2-of-the-plant"}
        fleet.admin("device", "desired", "gw-1", *TENANT, "-", input=b'{"own": true, "interval": 30}')
        assert json.loads(heard.wait(2, "its own over it"))["desired"]["interval"] == 30
        broken = layer(fleet, "domain", "plant", {"interval": 60, "key": 7}, check=False)
        assert broken.returncode != 0 and b"gw-1" in broken.stderr + broken.stdout
        lines = ["name,domain"] + [f"m-{number},plant/hall" for number in range(3000)]
        (tmp_path / "many.csv").write_text("\n".join(lines) + "\n")
        fleet.admin("device", "bulk", tmp_path / "many.csv", *TENANT, check=False)
        layer(fleet, "domain", "plant/hall", {"hall": 7})
        fleet.stop(signal.SIGKILL)
    fleet.start()

    def told(name):
        return fleet.admin("device", "desired", name, *TENANT)["desired"]

    secret = {"$secret": "set"}
    wait_for(lambda: told("gw-1") == {"hall": 7, "interval": 30, "own": True, "key": secret}, "the hall's, too", 60)
    wait_for(lambda: told("m-2999") == {"hall": 7, "interval": 60, "key": secret}, "the last of many", 60)
    members = fleet.admin("desired", "members", "gw-1", *TENANT)["members"]
    assert {one["pointer"]: one["source"]["kind"] for one in members} == {
        "/hall": "domain", "/interval": "device", "/key": "domain", "/own": "device"}
    for file in [fleet.log, *fleet.data.glob("tidegate.db*")]:
        assert b"hunter2" not in file.read_bytes(), file


def test_an_edit_gives_each_device_its_own_and_a_list_names_its_members(fleet, tmp_path):
    device = fleet.enrolled("acme", "gw-1")
    fleet.admin("device", "register", "gw-2", *TENANT)
    recipe = json.dumps({"host": {"$generate": "site-{number:3}-{name}"}, "pin": {"$random": 12}}).encode()
    edit = ("desired", "edit", *TENANT, "--filter", "name = gw-*")
    preview = fleet.admin(*edit, "--preview", "-", input=recipe)
    assert (preview["devices"], preview["changing"], preview["broken"]) == (2, 2, 0)
    with subscribed(device, 2) as heard:
        fleet.admin(*edit, "-", input=recipe)
        told = json.loads(heard.wait(1, "the edit"))["desired"]
        assert told["host"] == "site-001-gw-1" and len(told["pin"]) == 12
        text = io.StringIO()
        csv.writer(text).writerows([["device", "/net/apn", "/pin"], ["gw-1", "m2m", "null"], ["gw-2", "", "42"]])
        fleet.admin("desired", "edit", *TENANT, "--list", "-", input=text.getvalue().encode())
        assert json.loads(heard.wait(2, "the list"))["desired"] == {"host": "site-001-gw-1", "net": {"apn": "m2m"}}
    done = lambda: fleet.admin("desired", "edits", *TENANT)["items"]
    wait_for(lambda: [one["done"] for one in done() if one["finished"]] == [2, 2], "both edits are through")
    for wrong in ("device,pin\ngw-1,1\n", "device,/a,/a/b\ngw-1,1,2\n", "/a\n1\n", "device,/a\ngw-1\n", ""):
        answer = fleet.admin("desired", "edit", *TENANT, "--list", "-", input=wrong.encode(), check=False)
        assert answer.returncode != 0 and b"desired.list" in answer.stderr + answer.stdout, wrong


def test_a_device_that_reports_otherwise_is_found(fleet):
    device = fleet.enrolled("acme", "gw-1")
    fleet.admin("device", "desired", "gw-1", *TENANT, "-", input=b'{"interval": 5}')

    def report(text):
        subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(fleet.ports["mqtt"]), "--cafile", fleet.ca, "--cert",
             device.certificate, "--key", device.key, "-q", "1", "-t", "reported", "-m", text], check=True, timeout=30)

    def drifting():
        return [one["name"] for one in fleet.admin("device", "list", *TENANT, "--filter", "drift")["items"]]

    report('{"interval": 6}')
    assert drifting() == ["gw-1"]
    report('{"interval": 5}')
    assert drifting() == []

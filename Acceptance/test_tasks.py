"""Tasks and operations by the command line and the API, with the real server over a restart."""

import json
import signal

import pytest
import requests

from tidegate import Server, wait_for

TENANT = ("--tenant", "acme-water")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"))
    running.admin("tenant", "create", "acme-water")
    file = running.folder / "many.csv"
    file.write_text("name\n" + "\n".join(f"gateway-{number}" for number in range(300)) + "\n")
    assert running.admin("device", "bulk", file, *TENANT, check=False).returncode == 0
    yield running
    running.stop()


def order(server, *arguments):
    return server.admin("operation", "order", *arguments, *TENANT)


def states(server, operation):
    return server.admin("operation", "show", operation, *TENANT)["tasks"]


def test_work_is_ordered_followed_and_ended_by_the_command_line(server):
    operation = order(server, "reboot", "--filter", "name = gateway-1*", "--title", "Once more")
    assert operation["total"] == 111 and operation["state"] == "running"
    wait_for(lambda: states(server, operation["id"]) == {"queued": 111}, "every task is queued")
    listed = server.admin("operation", "list", *TENANT)["items"]
    assert listed[0]["id"] == operation["id"] and listed[0]["title"] == "Once more"
    tasks = server.admin("operation", "tasks", operation["id"], *TENANT)["items"]
    assert len(tasks) == 111 and {task["state"] for task in tasks} == {"queued"}
    of_device = server.admin("task", "list", "gateway-1", *TENANT)["items"]
    assert [task["operation"] for task in of_device] == [operation["id"]]
    ended = server.admin("task", "cancel", of_device[0]["id"], *TENANT)
    assert ended["state"] == "cancelled"
    history = server.admin("task", "show", ended["id"], *TENANT)["history"]
    assert [said["word"] for said in history] == ["queued", "cancelled"]
    assert server.admin("operation", "pause", operation["id"], *TENANT)["state"] == "paused"
    assert server.admin("operation", "resume", operation["id"], *TENANT)["state"] == "running"
    over = server.admin("operation", "cancel", operation["id"], *TENANT)
    assert over["state"] == "cancelled" and over["tasks"] == {"cancelled": 111} and over["finished"]


def test_a_list_brings_each_device_its_own_secret_that_nobody_sees(server, tmp_path):
    file = tmp_path / "secrets.csv"
    file.write_text("device,secret\ngateway-0,first-of-all\ngateway-2,second-to-none\n")
    operation = order(server, "changeSecret", "--csv", file)
    assert operation["total"] == 2
    shown = server.admin("operation", "show", operation["id"], *TENANT)
    assert shown["input"] is None
    everything = json.dumps(server.admin("operation", "tasks", operation["id"], *TENANT))
    assert "first-of-all" not in everything
    for path in server.data.glob("tidegate.db*"):
        assert b"first-of-all" not in path.read_bytes()
    file.write_text("device,secret\ngateway-0,x\nnobody,y\n")
    refused = server.admin("operation", "order", "changeSecret", "--csv", file, *TENANT, check=False)
    assert refused.returncode == 1 and b"device.unknown" in refused.stdout + refused.stderr


@pytest.mark.parametrize("text,place", [
    ("", "first line"), ("name\ngateway-0\n", "device"), ("device,secret\ngateway-0\n", "line 2"),
    ('device\n"gateway-0\n', "does not end"), ("device,device\ngateway-0,a\n", "same name"), ("device\n\n", "no device|nothing|names 1"),
])
def test_a_list_that_can_not_be_read_is_refused_with_its_line(server, tmp_path, text, place):
    file = tmp_path / "list.csv"
    file.write_text(text)
    refused = server.admin("operation", "order", "reboot", "--csv", file, *TENANT, check=False)
    said = (refused.stdout + refused.stderr).decode()
    assert refused.returncode == 1 and any(words in said for words in place.split("|")), said


def test_what_is_under_way_survives_a_crash_of_the_server(server):
    operation = order(server, "collectLogs", "--all")
    waits = server.folder / "terms.json"
    waits.write_text(json.dumps({"starts": "2099-01-01T00:00:00Z"}))
    refused = server.admin("operation", "order", "reboot", "--all", "--terms", waits, *TENANT, check=False)
    assert refused.returncode == 1, "a start lies within a year"
    wait_for(lambda: states(server, operation["id"]) == {"queued": 300}, "every task is queued")
    server.stop(signal.SIGKILL)
    server.start()
    assert states(server, operation["id"]) == {"queued": 300}
    assert server.admin("operation", "cancel", operation["id"], *TENANT)["tasks"] == {"cancelled": 300}


def test_the_api_says_what_is_wrong_with_an_order(server):
    token = server.token("acme-water", "operator")
    base = f"{server.people_url}/api/v1/tenants/acme-water"

    def post(body):
        answer = requests.post(
            base + "/operations", json=body, verify=str(server.ca), timeout=30,
            headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json()

    for body, code in [
        ({"type": "explode", "target": {"filter": None}}, "request.invalid"),
        ({"type": "reboot", "target": {}}, "request.invalid"),
        ({"type": "reboot", "target": {"filter": None, "domain": "/"}}, "request.invalid"),
        ({"type": "install", "target": {"filter": None}}, "operation.invalid"),
        ({"type": "reboot", "target": {"filter": "name ="}}, "filter.invalid"),
        ({"type": "reboot", "target": {"filter": None}, "terms": {"windows": [{"from": "9", "to": "10:00"}]}}, "operation.window"),
        ({"type": "reboot", "target": {"domain": "nowhere"}}, "domain.unknown"),
    ]:
        status, problem = post(body)
        assert 400 <= status < 500 and problem["code"] == code, (body, problem)

"""Campaigns: real devices and simulated ones get a release in steps, which stop by themselves when too much goes wrong."""

import json

import pytest
import requests

from test_swupdate import Fleet, Signer, fleet, signer, swupdate  # noqa: F401 (fixtures)
from tidegate import wait_for

TENANT = ("--tenant", "acme")


class UpdateClient:
    """A device that speaks hawkBit's DDI as much as an update takes."""

    def __init__(self, device):
        self.device = device
        self.session = requests.Session()
        # With each request, because the environment's authorities would come before the session's.
        self.trust = {
            "verify": str(device.server.ca), "cert": (str(device.certificate), str(device.key)), "timeout": 30}
        self.base = f"{device.server.device_url}/{device.tenant}/controller/v1/{device.name}"

    def offered(self):
        """What it is to install now: the number and the version; None when there is nothing."""
        links = self.session.get(self.base, **self.trust).json().get("_links", {})
        if "deploymentBase" not in links:
            return None
        action = self.session.get(links["deploymentBase"]["href"], **self.trust).json()
        return action["id"], action["deployment"]["chunks"][0]["version"]

    def report(self, result):
        number, version = self.offered()
        answer = self.session.post(
            f"{self.base}/deploymentBase/{number}/feedback", **self.trust,
            json={"id": number, "status": {"execution": "closed", "result": {"finished": result}, "details": []}})
        assert answer.status_code == 200, answer.text
        return version


def campaign(server, release, *options):
    return server.admin("campaign", "create", release, *options, *TENANT)


def show(server, made):
    return server.admin("campaign", "show", made["id"], *TENANT)


def reaches(server, made, state, seconds=60):
    try:
        return wait_for(lambda: (now := show(server, made))["state"] == state and now, f"the campaign is {state}", seconds)
    except AssertionError:
        raise AssertionError(json.dumps(show(server, made), indent=1))


def versions(server):
    found = server.admin("campaign", "firmware", *TENANT)["components"]
    return {version["version"]: version["devices"] for version in found[0]["versions"]}


@pytest.fixture
def clients(own_server):
    own_server.tenant("acme")
    own_server.admin("heartbeat", "set", *TENANT, "--interval", "1", "--busy", "1", "--jitter", "0")
    return [UpdateClient(own_server.enrolled("acme", f"d-{number}")) for number in range(8)]


def test_a_release_goes_out_in_steps_pauses_by_failures_and_comes_back(own_server, clients, tmp_path):
    server, operator = own_server, Fleet(own_server)
    for version in ("1.0", "2.0"):
        (tmp_path / version).write_bytes(version.encode() * 1000)
    former = operator.release(tmp_path / "1.0", "1.0")
    first = campaign(server, former, "--all")
    for client in clients:
        wait_for(client.offered, "the first release is offered")
        assert client.report("success") == "1.0"
    reaches(server, first, "finished")
    assert versions(server) == {"1.0": 8}

    release = operator.release(tmp_path / "2.0", "2.0")
    options = ("--all", "--group", "d-0,d-1", "--group", "100", "--error", "50", "--sample", "4", "--success", "100")
    preview = campaign(server, release, *options, "--preview")
    assert preview == {
        "members": 8, "upToDate": 0, "misfits": 0, "groups": [{"members": 2, "upToDate": 0}, {"members": 6, "upToDate": 0}]}
    refused = server.admin("operation", "order", "install", "--release", former, "--all", *TENANT, check=False)
    assert refused.returncode == 0, "everybody has just that one"
    made = campaign(server, release, *options, "--title", "Second edition")
    for client in clients[:2]:
        # What was ordered before comes first.
        wait_for(client.offered, "the release before is offered")
        assert client.report("success") == "1.0"
        wait_for(client.offered, "the release is offered")
        assert client.report("success") == "2.0"
    second = wait_for(
        lambda: (now := show(server, made))["groups"][1]["tasks"].get("queued") == 6 and now, "the second group begins")
    assert second["state"] == "running" and second["groups"][0]["tasks"] == {"succeeded": 2}
    for client in clients[2:]:
        assert client.report("success") == "1.0"
    for client, result in zip(clients[2:6], ("success", "failure", "failure", "success")):
        wait_for(client.offered, "the release is offered")
        assert client.report(result) == "2.0"
    paused = reaches(server, made, "paused")
    assert paused["reason"] == "errorThreshold" and paused["reasonGroup"] == 2
    assert [client.offered() for client in clients[6:]] == [None, None], "nothing more is given out"

    resumed = server.admin("campaign", "resume", made["id"], *TENANT)
    assert resumed["state"] == "running" and resumed["reason"] is None
    for client in clients[6:]:
        wait_for(client.offered, "the release is offered again")
        client.report("success")
    reaches(server, made, "finished")
    assert versions(server) == {"2.0": 6, "1.0": 2}
    again = server.admin("operation", "order", "install", "--release", former, "--device", "d-0", *TENANT, check=False)
    assert again.returncode == 1 and b"release.downgrade" in again.stdout + again.stderr

    back = server.admin("campaign", "rollback", made["id"], *TENANT)
    assert back["state"] == "rolledBack" and back["rollback"]["release"] == former
    for client in (client for number, client in enumerate(clients) if number not in (3, 4)):
        wait_for(client.offered, "the former release is offered")
        assert client.report("success") == "1.0"
    wait_for(lambda: versions(server) == {"1.0": 8}, "everybody is back")
    codes = [entry["code"] for entry in server.get("/tenants/acme/audit?limit=1000", server.token("acme", "auditor")).json()["items"]]
    for code in ("ordered", "paused", "resumed", "finished", "rolledBack"):
        assert f"campaign.{code}" in codes

    # One act for all that are behind: two failed before, so all eight are at the former release.
    behind = server.admin("campaign", "update-behind", "system", "--group", "50", "--group", "50", *TENANT)
    assert behind["members"] == 8 and [group["members"] for group in behind["groups"]] == [4, 4]
    stopped = server.admin("campaign", "stop", behind["id"], *TENANT)
    assert stopped["state"] == "stopped"
    wait_for(lambda: show(server, behind)["finished"], "what was open has ended")
    assert all(client.offered() is None for client in clients)


def test_what_is_wrong_with_a_campaign_is_said(own_server, clients, tmp_path):
    server, operator = own_server, Fleet(own_server)
    (tmp_path / "file").write_bytes(b"x")
    release = operator.release(tmp_path / "file", "1.0")
    everyone = {"filter": None}
    for body, code in [
        ({"target": everyone}, "request.invalid"),
        ({"release": "0" * 32, "target": everyone}, "release.unknown"),
        ({"release": release}, "campaign.invalid"),
        ({"release": release, "target": everyone, "groups": []}, "campaign.invalid"),
        ({"release": release, "target": everyone, "groups": [{}]}, "request.invalid"),
        ({"release": release, "target": everyone, "groups": [{"percent": 50}]}, "campaign.invalid"),
        ({"release": release, "target": everyone, "rules": {"error": 0}}, "request.invalid"),
        ({"release": release, "target": {"filter": "name ="}}, "filter.invalid"),
        ({"release": release, "target": {"devices": [{"device": "nobody"}]}}, "device.unknown"),
        ({"release": release, "target": {"filter": "name = nobody"}}, "campaign.nothing"),
    ]:
        answer = server.post("/tenants/acme/campaigns", operator.token, json=body)
        assert answer.json()["code"] == code, answer.text
    answer = server.post("/tenants/acme/campaigns", server.token("acme", "viewer"), json={
        "release": release, "target": everyone})
    assert answer.status_code == 403
    assert server.post(f"/tenants/acme/campaigns/{'0' * 32}/pause", operator.token).status_code == 404


def test_a_release_is_kept_from_hardware_that_it_is_not_for(own_server, tmp_path):
    own_server.tenant("acme")
    operator, server = Fleet(own_server), own_server
    for hardware in ("gw-1", "gw-2"):
        (tmp_path / hardware).write_text(json.dumps({"hardware": hardware}))
        server.admin("model", "put", hardware, tmp_path / hardware, *TENANT)
        server.admin("device", "register", f"is-{hardware}", *TENANT, "--model", hardware)
    server.admin("device", "register", "is-unknown", *TENANT)
    assert server.get("/tenants/acme/models/gw-1", operator.token).json()["hardware"] == "gw-1"
    (tmp_path / "file").write_bytes(b"x")
    release = operator.release(tmp_path / "file", "1.0", "--hardware", "gw-1")
    preview = campaign(server, release, "--all", "--preview")
    assert (preview["members"], preview["misfits"]) == (2, 1)
    made = campaign(server, release, "--all")
    wait_for(lambda: show(server, made)["groups"][0]["tasks"] == {"queued": 2}, "both that may fit have it")
    for order in (["campaign", "create", release, "--filter", "model = gw-2"],
                  ["operation", "order", "install", "--release", release, "--device", "is-gw-2"]):
        refused = server.admin(*order, *TENANT, check=False)
        assert refused.returncode == 1 and b"release.hardware" in refused.stdout + refused.stderr
    (tmp_path / "gw-2").write_text(json.dumps({"hardware": "line\nbreak"}))
    wrong = server.admin("model", "put", "gw-2", tmp_path / "gw-2", *TENANT, check=False)
    assert wrong.returncode == 1 and b"/hardware" in wrong.stdout + wrong.stderr


def test_debians_swupdate_is_spared_by_a_campaign_that_stops_by_itself(swupdate, fleet, signer, tmp_path):  # noqa: F811
    server = fleet.server
    devices = [swupdate(name) for name in ("one", "two", "three")]
    for one in devices:
        one.start()
    targets = {one.target for one in devices}
    assert len(targets) == 3
    forged = Signer(tmp_path, "somebody-else").package(tmp_path / "forged", b"evil", devices[0].target)
    made = campaign(
        server, fleet.release(forged, "2.0"), "--all", "--group", "one,two", "--group", "100", "--sample", "2")
    paused = reaches(server, made, "paused", 120)
    assert paused["reason"] == "errorThreshold" and paused["groups"][0]["tasks"] == {"failed": 2}
    assert paused["groups"][1]["started"] is None and paused["groups"][1]["planned"] == 1
    assert server.admin("campaign", "stop", made["id"], *TENANT)["state"] == "stopped"

    # A release that is signed well goes through, from one group to the next.
    content = b"the new software" * 4096
    good = signer.package(tmp_path / "good", content, "/tmp/" + devices[0].folder.name + "/installed")
    made = campaign(server, fleet.release(good, "3.0"), "--device", "one", "--group", "100")
    wait_for(lambda: devices[0].target.exists() and devices[0].target.read_bytes() == content, "it is installed", 120)
    wait_for(lambda: show(server, made)["tasks"] == {"running": 1}, "and the server told so")
    devices[0].stop()
    devices[0].start("-c", "2")
    reaches(server, made, "finished", 120)
    assert versions(server) == {"3.0": 1}

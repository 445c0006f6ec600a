"""hawkBit's API as devices of all makes ask it: gateways, consent, floods, foreign names, and many downloads at once.

The clients here are plain requests and bare TLS; SWUpdate itself is in test_swupdate.py.
"""

import asyncio
import collections
import hashlib
import json
import os
import threading
import time

import cbor2
import pytest
import requests

from clients import curl, tls_context
from measuring import register
from receivers import Hook
from tidegate import Server, wait_for

DOWNLOADS, FILE_BYTES = 500, 256 << 10


class Client:
    """An update client: asks over HTTPS with a certificate or a token, on one connection as long as it is kept."""

    def __init__(self, server, name, device=None, authorization=None, tenant="acme"):
        self.base = f"{server.device_url}/{tenant}/controller/v1/{name}"
        self.session = requests.Session()
        self.session.verify, self.session.trust_env = str(server.ca), False
        if device:
            self.session.cert = (str(device.certificate), str(device.key))
        if authorization:
            self.session.headers["Authorization"] = authorization

    def get(self, path=""):
        return self.session.get(path if path.startswith("https:") else self.base + path, timeout=60)

    def links(self):
        """The links of a poll by their names."""
        answer = self.get()
        assert answer.status_code == 200, answer.text
        return {name: link["href"] for name, link in answer.json().get("_links", {}).items()}

    def introduce(self):
        told = self.session.put(self.base + "/configData", json={"data": {"serial": "1"}}, timeout=60)
        assert told.status_code == 200, told.text

    def say(self, link, **words):
        """Posts feedback below a link; the status of the answer."""
        return self.session.post(f"{link.partition('?')[0]}/feedback", json=words, timeout=60).status_code

    def ended(self, link, finished="success"):
        return self.say(link, status={"execution": "closed", "result": {"finished": finished}})

    def file(self, link):
        """The first file of a deployment."""
        [chunk] = self.get(link).json()["deployment"]["chunks"]
        return chunk["artifacts"][0]


async def response(reader):
    """One answer: its status, its fields, its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    return int(head[0].split()[1]), fields, await reader.readexactly(int(fields.get("content-length", 0)))


class Fleet:
    """What an operator does and sees."""

    def __init__(self, server):
        self.server = server
        server.tenant("acme")
        self.token = server.token("acme", "admin")
        model = server.folder / "light.json"
        model.write_text(json.dumps({"allowsAccessToken": True}))
        server.admin("model", "put", "light", model, "--tenant", "acme")

    def client(self, name):
        """An enrolled device with its certificate, which has said what it is."""
        one = Client(self.server, name, self.server.enrolled("acme", name))
        one.introduce()
        return one

    def release(self, content, version="1.0"):
        path = self.server.folder / "image.swu"
        path.write_bytes(content)
        artifact = self.server.admin("artifact", "upload", path, "--tenant", "acme")
        return self.server.admin(
            "release", "create", "system", version, "--artifact", artifact["id"], "--publish", "--tenant", "acme")["id"]

    def order(self, names, type="install", **more):
        """Orders something for devices, and answers once each may have it."""
        answer = self.server.post("/tenants/acme/operations", self.token, json={
            "type": type, "target": {"devices": [{"device": name} for name in names]}, **more})
        assert answer.status_code == 201, answer.text
        operation = answer.json()["id"]
        wait_for(lambda: self.operation(operation)["tasks"].get("queued") == len(names), "all tasks wait")
        return operation

    def operation(self, id):
        return self.server.get(f"/tenants/acme/operations/{id}", self.token).json()

    def task(self, operation):
        """The operation's task, with everything that was said of it."""
        [task] = self.server.get(f"/tenants/acme/operations/{operation}/tasks", self.token).json()["items"]
        return self.server.get(f"/tenants/acme/tasks/{task['id']}", self.token).json()

    def audited(self, text):
        return text in self.server.get("/tenants/acme/audit", self.token, params={"limit": 1000}).text


@pytest.fixture
def fleet(own_server):
    return Fleet(own_server)


def test_a_gateway_speaks_for_its_devices_while_somebody_wants_it_to(fleet):
    server = fleet.server
    server.register("acme", "node-1", "--model", "light")
    server.register("acme", "node-2", "--model", "light")
    server.register("acme", "strict-1")
    gateway = "/tenants/acme/gateway-token"
    assert server.get(gateway, fleet.token).json()["active"] is False
    assert Client(server, "node-1", authorization="GatewayToken " + "0" * 32).get().status_code == 401
    token = server.admin("gateway-token", "create", "--tenant", "acme")["token"]

    def node(name, tenant="acme"):
        return Client(server, name, authorization=f"GatewayToken {token}", tenant=tenant)

    first, second = node("node-1"), node("node-2")
    for one in (first, second):
        one.introduce()
    operation = fleet.order(["node-1"], release=fleet.release(b"for one of them"))
    assert second.links() == {}
    link = first.links()["deploymentBase"]
    assert first.get(first.file(link)["_links"]["download"]["href"]).content == b"for one of them"
    assert first.ended(link) == 200
    assert fleet.task(operation)["state"] == "succeeded"
    # It registers nobody, and opens neither who must have a certificate nor another tenant.
    server.tenant("rival")
    for one in (node("node-3"), node("strict-1"), node("node-1", "rival")):
        assert one.get().status_code == 401
    server.admin("gateway-token", "end", "--tenant", "acme")
    assert first.get().status_code == 401


def test_a_device_that_is_asked_has_the_install_once_it_agrees(fleet):
    one, content = fleet.client("press-1"), os.urandom(10_000)
    release = fleet.release(content)
    terms = {"confirm": True, "retries": {"refused": 1}, "pause": 0}
    operation = fleet.order(["press-1"], release=release, terms=terms)
    links = one.links()
    assert list(links) == ["confirmationBase"]
    number = links["confirmationBase"].partition("?")[0].rpartition("/")[2]
    # Its number is no way around the question.
    assert one.get(f"/deploymentBase/{number}").status_code == 404
    assert one.get(f"/softwaremodules/{number}/artifacts/image.swu").status_code == 404
    assert one.get(links["confirmationBase"]).json()["confirmation"]["chunks"][0]["version"] == "1.0"
    assert one.say(links["confirmationBase"], confirmation="denied", details=["The press is running."]) == 200
    again = wait_for(lambda: one.links().get("confirmationBase"), "it is asked again")
    assert again != links["confirmationBase"]
    assert one.say(again, confirmation="confirmed") == 200
    link = one.links()["deploymentBase"]
    assert one.get(one.file(link)["_links"]["download-http"]["href"]).content == content
    assert one.ended(link) == 200
    task = fleet.task(operation)
    assert task["state"] == "succeeded"
    words = [status["word"] for status in task["history"]]
    assert "denied" in words and "confirmed" in words
    assert "The press is running." in [line for status in task["history"] for line in status["details"]]


def test_a_client_that_speaks_cbor_updates_without_a_byte_of_json(fleet):
    """As Java's clients write it, objects and lists have no length in front."""
    one, content = fleet.client("press-2"), os.urandom(10_000)
    one.session.headers["Accept"] = "application/cbor"

    def get(path=""):
        answer = one.get(path)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/cbor", answer.content
        return cbor2.loads(answer.content), answer.headers

    def send(method, path, value):
        body = cbor2.dumps(value, indefinite_containers=True)
        assert body[0] == 0xBF
        return one.session.request(
            method, one.base + path, data=body, headers={"Content-Type": "application/cbor"}, timeout=60)

    told = send("PUT", "/configData", {"mode": "merge", "data": {"serial": "ü-7", "cores": 4, "load": 0.5}})
    assert told.status_code == 200, told.text
    reported = fleet.server.get("/tenants/acme/devices/press-2/reported", fleet.token).json()
    assert reported["reported"]["attributes"] == {"serial": "ü-7", "cores": 4, "load": 0.5}
    operation = fleet.order(["press-2"], release=fleet.release(content))
    poll, _ = get()
    link = poll["_links"]["deploymentBase"]["href"]
    deployment, headers = get(link)
    [artifact] = deployment["deployment"]["chunks"][0]["artifacts"]
    assert one.session.get(link, headers={"If-None-Match": headers["etag"]}, timeout=60).status_code == 304
    # The same document in JSON is another one.
    plain = one.session.get(link, headers={"Accept": "application/json", "If-None-Match": headers["etag"]}, timeout=60)
    assert plain.status_code == 200 and plain.json() == deployment
    # On one connection each poll is answered as it asks.
    for accept, type in [("application/json", "application/json"), ("application/cbor", "application/cbor")] * 2:
        assert one.session.get(one.base, headers={"Accept": accept}, timeout=60).headers["content-type"] == type
    assert one.get(artifact["_links"]["download-http"]["href"]).content == content
    number = deployment["id"]
    closed = send("POST", f"/deploymentBase/{number}/feedback", {
        "id": number, "status": {"execution": "closed", "result": {"finished": "success"}, "details": ["done"]}})
    assert closed.status_code == 200, closed.text
    assert fleet.task(operation)["state"] == "succeeded"
    broken = one.session.put(
        one.base + "/configData", data=b"\xbf\x61a", headers={"Content-Type": "application/cbor"}, timeout=60)
    assert broken.status_code == 400 and broken.json()["code"] == "ddi.cbor", broken.text


def test_a_device_that_polls_a_thousand_times_a_second_disturbs_no_other(fleet):
    server = fleet.server
    server.admin("plan", "put", "calm", "--set", "deviceMessagesPerSecond=20")
    server.admin("tenant", "plan", "acme", "calm")
    device = server.enrolled("acme", "wild")
    calm = fleet.client("calm")
    statuses, stop = collections.Counter(), threading.Event()
    request = "GET /acme/controller/v1/wild HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    async def flood():
        """Four connections, each with a few polls under way: more than a thousand a second together."""
        async def one():
            reader, writer = await asyncio.open_connection(
                "localhost", server.ports["device"], ssl=tls_context(server, device))
            while not stop.is_set():
                writer.write(request * 16)
                for _ in range(16):
                    status, _, _ = await response(reader)
                    statuses[status] += 1
            writer.close()

        await asyncio.gather(*(one() for _ in range(4)))

    flooding = threading.Thread(target=lambda: asyncio.run(flood()))
    flooding.start()
    try:
        began, slowest = time.monotonic(), 0.0
        while time.monotonic() < began + 5:
            asked = time.monotonic()
            assert calm.get().status_code == 200
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.2)
        seconds = time.monotonic() - began
    finally:
        stop.set()
        flooding.join(30)
    assert not flooding.is_alive()
    assert set(statuses) == {200, 429}, statuses
    assert sum(statuses.values()) > 1000 * seconds / 4, statuses
    # The burst of two seconds and what the rate fills up meanwhile.
    assert statuses[200] <= 20 * (2 + seconds) * 1.5, statuses
    assert slowest < 4
    assert server.metric("tidegate_ddi_refused_total", code="device.rate") >= statuses[429]


def test_a_foreign_name_is_refused_like_none_and_stands_in_the_audit_log(fleet):
    server = fleet.server
    server.tenant("rival")
    mine = server.enrolled("acme", "meter-1")
    server.enrolled("acme", "meter-2")
    server.enrolled("rival", "meter-1")
    answers = [
        Client(server, name, mine, tenant=tenant).get()
        for tenant, name in (("acme", "meter-2"), ("rival", "meter-1"), ("acme", "nobody"), ("nobody", "meter-1"))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1, "what is another's looks like what is not there"
    heartbeat = curl(server, f"{server.device_url}/rival/heartbeat", device=mine)
    assert heartbeat.status == 404
    wait_for(lambda: fleet.audited("device.foreign"), "the audit log knows")


def test_five_hundred_downloads_at_once_all_come_through(fleet):
    server, content = fleet.server, os.urandom(FILE_BYTES)
    names = [f"node-{number:03}" for number in range(DOWNLOADS)]
    register(server, ["name,model", *(f"{name},light" for name in names)])
    token = server.admin("gateway-token", "create", "--tenant", "acme")["token"]
    fleet.order(names, release=fleet.release(content))
    context, wanted = tls_context(server), hashlib.sha256(content).hexdigest()
    together = asyncio.Semaphore(50)

    async def ask(reader, writer, target):
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: localhost:{server.ports['device']}\r\n"
            f"Authorization: GatewayToken {token}\r\n\r\n".encode())
        return await response(reader)

    async def prepare(name):
        """A connection whose device knows where its file is."""
        async with together:
            reader, writer = await asyncio.open_connection("localhost", server.ports["device"], ssl=context)
            status, _, body = await ask(reader, writer, f"/acme/controller/v1/{name}")
            assert status == 200, body
            link = json.loads(body)["_links"]["deploymentBase"]["href"].removeprefix(server.device_url)
            status, _, body = await ask(reader, writer, link)
            assert status == 200, body
            file = json.loads(body)["deployment"]["chunks"][0]["artifacts"][0]
            assert file["hashes"]["sha256"] == wanted
            return reader, writer, file["_links"]["download"]["href"].removeprefix(server.device_url)

    async def everything():
        ready = await asyncio.gather(*(prepare(name) for name in names))
        answers = await asyncio.gather(*(ask(*one) for one in ready))
        for _, writer, _ in ready:
            writer.close()
        return [(status, hashlib.sha256(body).hexdigest()) for status, _, body in answers]

    assert collections.Counter(asyncio.run(everything())) == {(200, wanted): DOWNLOADS}
    assert server.metric("tidegate_ddi_refused_total") == 0
    wait_for(
        lambda: server.metric("tidegate_downloads_open") + server.metric("tidegate_downloads_waiting") == 0,
        "all places are free again")


def test_a_device_without_a_connection_is_woken_by_a_text_message(authority, tmp_path):
    hook = Hook(authority)
    server = Server(tmp_path, environment={"TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8, ::1/128"})
    try:
        fleet = Fleet(server)
        settings = {
            "url": hook.url + "/send", "body": '{"to":"{to}","text":"{text}"}', "ca": authority.ca.read_text(),
        }
        answer = server.post("/tenants/acme/outlets", server.token("acme", "owner"), json={
            "name": "gateway", "kind": "sms", "settings": settings, "secret": "key", "reason": "to wake devices"})
        assert answer.status_code == 201, answer.text
        server.register("acme", "remote-1", "--identifier", "msisdn=+4915112345678")
        server.register("acme", "remote-2")
        called, silent = fleet.order(["remote-1"], "wake"), fleet.order(["remote-2"], "wake")
        wait_for(lambda: hook.requests, "the text message leaves")
        assert "texted" in [status["word"] for status in fleet.task(called)["history"]]
        assert not {"texted", "notTexted"} & {status["word"] for status in fleet.task(silent)["history"]}
        [(method, path, _, body)] = hook.requests
        assert (method, path) == ("POST", "/send") and json.loads(body)["to"] == "+4915112345678"
    finally:
        hook.stop()
        assert server.stop() == 0, server.log.read_text()[-3000:]

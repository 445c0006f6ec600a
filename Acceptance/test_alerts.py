"""Alerts with real processes: a site that goes silent is one mail and one event, and its return another one."""

import email
import email.policy
import json
import time

import pytest

from clients import Paho
from receivers import Hook, MailServer
from tidegate import Server, wait_for

TENANT = ("--tenant", "watch")
DEVICES = 5


@pytest.fixture(scope="module")
def mail(authority):
    running = MailServer(authority)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def hook(authority):
    running = Hook(authority)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def watching(authority, mail, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("watching"), environment={
        "TIDEGATE_MAIL_SERVER": f"localhost:{mail.port}", "TIDEGATE_MAIL_FROM": "fleet@example.com",
        "TIDEGATE_MAIL_CA": str(authority.ca), "TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8, ::1/128",
    })
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


def mails(mail):
    return [email.message_from_bytes(envelope.content, policy=email.policy.default) for envelope in mail.mails]


def events(hook):
    """What the application was told of alerts; changes in the log come to it as well."""
    documents = [json.loads(body) for _, _, _, body in hook.requests]
    return [document for document in documents if document["type"] in ("alert.opened", "alert.closed")]


def alerts(server, *options):
    return server.admin("alert", "list", *TENANT, *options)["items"]


def test_a_site_goes_silent_and_comes_back_one_mail_each(watching, mail, hook, authority):
    server = watching
    server.tenant("watch")
    owner = server.token("watch", "owner")
    server.admin("domain", "create", "berlin", *TENANT)
    made = server.post("/tenants/watch/outlets", owner, json={
        "name": "app", "kind": "webhook", "settings": {
            "url": hook.url + "/alerts", "ca": authority.ca.read_text(), "events": ["alert."]}})
    assert made.status_code == 201, made.text
    rule = server.admin(
        "alert-rule", "create", "site-down", *TENANT, "--domain", "berlin", "--mail", "ops@example.com", "--webhook",
        "app", "--wait", "1")
    assert rule["conditions"] == ["silent", "taskFailed", "certificateExpiring", "campaignPaused"]
    server.admin(
        "heartbeat", "set", *TENANT, "--interval", "5", "--jitter", "0", "--late-after", "1", "--silent-after", "2")
    devices = [server.enrolled("watch", f"b-{number}", "--domain", "berlin") for number in range(DEVICES)]
    server.enrolled("watch", "elsewhere")

    wait_for(lambda: mail.mails, "the site's silence is mailed", 60)
    wait_for(lambda: events(hook), "and told to the application", 20)
    open_ones = wait_for(lambda: [one for one in alerts(server) if one["silent"] == DEVICES], "all are silent", 30)
    assert [one["summary"] for one in open_ones] == [f"berlin: {DEVICES} devices are silent"]
    assert {one["domain"]["path"] for one in alerts(server)} == {"berlin", "/"}
    time.sleep(5)
    told = mails(mail)
    assert len(told) == 1 and told[0]["To"] == "ops@example.com"
    assert told[0]["Subject"].startswith("[watch] berlin: "), told[0]["Subject"]
    text = told[0].get_content()
    for part in ("nobody counts on the next one", "Since: ", "b-0", "What to do: ", f"/t/watch/alerts/{open_ones[0]['id']}"):
        assert part in text, text
    [event] = events(hook)
    assert event["type"] == "alert.opened" and event["data"]["domain"]["path"] == "berlin"
    assert event["data"]["id"] == open_ones[0]["id"]

    # A restart in between tells nothing twice.
    assert server.stop() == 0
    server.start()
    time.sleep(4)
    assert len(mail.mails) == 1 and len(events(hook)) == 1

    # They call again: none is forgotten, and the end is told once.
    clients = [Paho(server, device, keepalive=60) for device in devices]
    for client in clients:
        client.connected()
    wait_for(lambda: len(mail.mails) == 2, "the return is mailed", 60)
    time.sleep(3)
    told = mails(mail)
    assert len(told) == 2 and told[1]["Subject"] == f"[watch] berlin: back again, {DEVICES} devices"
    assert [event["type"] for event in events(hook)] == ["alert.opened", "alert.closed"]
    over = alerts(server, "--closed")
    assert [one["reason"] for one in over] == ["back"] and over[0]["missing"] == 0
    assert server.metric("tidegate_alerts_closed_total") == 1 and server.metric("tidegate_alerts_open") == 1
    for client in clients:
        client.client.disconnect()
        client.client.loop_stop()


def test_an_alert_is_acknowledged_silenced_and_in_the_log(watching):
    server = watching
    alert = alerts(server)[0]
    shown = server.admin("alert", "acknowledge", alert["id"], "--note", "on my way", *TENANT)
    assert shown["acknowledgedBy"] and shown["note"] == "on my way"
    shown = server.admin("alert", "silence", alert["id"], "--until", "2000-01-01T00:00:00Z", *TENANT, check=False)
    assert shown.returncode == 1 and b"90 days" in shown.stderr, shown.stderr
    codes = {entry["code"] for entry in server.admin("audit", "list", *TENANT)["items"]}
    assert {"alert.acknowledged", "alertRule.created"} <= codes
    done = server.admin("alert-rule", "create", "bad", *TENANT, "--mail", "nobody", check=False)
    assert done.returncode == 1 and b"mail address" in done.stderr, done.stderr
    server.admin("alert-rule", "delete", "site-down", *TENANT)
    assert server.admin("alert-rule", "list", *TENANT)["items"] == []

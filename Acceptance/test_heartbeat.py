"""Heartbeats with real processes: a device that does not call, an MQTT client that stays, a server that starts again."""

import time

from clients import Paho
from tidegate import wait_for


def standing(server, device):
    return server.admin("heartbeat", "show", "--tenant", "beat", "--device", device)["standing"]


def state(server, device, wanted, seconds=30):
    return wait_for(lambda: standing(server, device)["state"] == wanted and standing(server, device), wanted, seconds)


def test_a_device_is_late_then_silent_and_back_while_its_mqtt_session_lasts(server):
    server.tenant("beat")
    policy = ["--interval", "1", "--late-after", "1", "--silent-after", "4"]
    shown = server.admin("heartbeat", "set", "--tenant", "beat", *policy)
    assert shown["effective"]["busySeconds"] == 1 and shown["source"]["kind"] == "tenant"
    server.admin("domain", "create", "site", "--tenant", "beat")
    server.admin("heartbeat", "set", "--tenant", "beat", "--domain", "site", "--exempt")
    server.enrolled("beat", "exempt", "--domain", "site")
    # It is late for three seconds only, so from here on nothing else is done before it is looked at.
    device = server.enrolled("beat", "gw-1")
    state(server, "gw-1", "late")
    wait_for(lambda: server.metric("tidegate_heartbeat_late_total") >= 1, "lateness is counted")
    silent = state(server, "gw-1", "silent")
    assert silent["timesLate"] == 1 and silent["timesSilent"] == 1 and silent["since"]
    token = server.token("beat")
    found = server.get("/tenants/beat/devices?filter=heartbeat%20%3D%20silent", token).json()["items"]
    assert [item["name"] for item in found] == ["gw-1"]
    assert standing(server, "exempt")["state"] is None

    client = Paho(server, device, keepalive=5)
    client.connected()
    back = state(server, "gw-1", "calling")
    # It says nothing for several times its interval, but its session is there.
    time.sleep(8)
    assert standing(server, "gw-1") == back
    wait_for(lambda: server.metric("tidegate_heartbeat_silent") == 0, "nobody is silent")
    client.client.disconnect()
    client.client.loop_stop()
    state(server, "gw-1", "silent")

    server.stop()
    server.start()
    time.sleep(3)
    again = standing(server, "gw-1")
    assert again["state"] == "silent" and again["timesSilent"] == 2
    assert standing(server, "exempt")["state"] is None
    server.admin("heartbeat", "remove", "--tenant", "beat", "--domain", "site")
    state(server, "exempt", "silent")


def test_a_policy_that_can_not_be_is_refused_with_its_place(server):
    done = server.admin(
        "heartbeat", "set", "--tenant", "beat", "--quiet-from", "22:00", "--quiet-until", "22:00", check=False)
    assert done.returncode == 1 and b"until" in done.stderr, done.stderr
    done = server.admin("heartbeat", "set", "--tenant", "beat", "--interval", "86400", check=False)
    assert done.returncode == 1 and b"intervalSeconds" in done.stderr, done.stderr
    done = server.admin("heartbeat", "show", "--tenant", "beat", "--device", "a", "--domain", "b", check=False)
    assert done.returncode == 64

"""Accounts of people, as far as the command line and the API have them: set-up, invitations, links, listeners."""

import json
import re
import time

import pytest
import requests

from tidegate import BINARY, Server, free_port, run


def set_up_link(text):
    found = re.findall(r"https://\S+/set-up\?link=tg_setup_\w+", text)
    return found[-1] if found else None


def test_the_first_start_prints_one_link_and_the_command_line_makes_another(own_server):
    first = set_up_link(own_server.log.read_text())
    assert first and first.startswith(f"https://localhost:{own_server.ports['people']}/")
    second = own_server.admin("setup-link")
    assert set_up_link(second["url"]) and second["url"] != first
    # What is stored is no secret, and the log of requests names none.
    own_server.stop()
    for secret in (first.split("=")[1], second["url"].split("=")[1]):
        assert secret.encode() not in (own_server.data / "tidegate.db").read_bytes()
    assert second["url"].split("=")[1] not in own_server.log.read_text()


def test_a_configured_administrator_needs_no_link(tmp_path):
    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    password.chmod(0o600)
    server = Server(
        tmp_path,
        environment={
            "TIDEGATE_ADMINISTRATOR_ADDRESS": "Root@Example.com",
            "TIDEGATE_ADMINISTRATOR_PASSWORDFILE": str(password),
            "TIDEGATE_ADMINISTRATOR_ORGANISATION": "Wind & Wave",
        },
    )
    try:
        text = server.log.read_text()
        assert "root@example.com" in text.lower() and set_up_link(text) is None and "correct horse" not in text
        users = server.admin("user", "list", "--tenant", "wind-wave")["items"]
        assert [(user["address"], user["status"], user["hasPassword"]) for user in users] == [
            ("root@example.com", "active", True)
        ]
        refused = server.admin("setup-link", check=False)
        assert refused.returncode == 1 and json.loads(refused.stderr)["code"] == "setup.done"
        # The last administrator who can not sign in gets a link on the server's own machine.
        link = server.admin("user", "reset", "root@example.com", "--tenant", "wind-wave")["link"]["url"]
        assert "/new-password?link=tg_reset_" in link
        server.stop()
        password.unlink()
        server.start()
        assert set_up_link(server.log.read_text()) is None
    finally:
        server.stop()


def test_a_weak_or_open_password_file_stops_the_start(tmp_path):
    password = tmp_path / "password"
    for text, mode, word in [("changeme", 0o600, "rule"), ("correct horse battery", 0o644, "read")]:
        password.write_text(text)
        password.chmod(mode)
        done = run(
            BINARY, "serve", "--data", tmp_path / "data", "--port-base", free_port() - 10, check=False,
            env={
                "PATH": "/usr/bin:/bin",
                "TIDEGATE_ADMINISTRATOR_ADDRESS": "root@example.com",
                "TIDEGATE_ADMINISTRATOR_PASSWORDFILE": str(password),
            },
        )
        assert done.returncode == 1 and word in done.stderr.decode(), done.stderr


@pytest.fixture(scope="module")
def staffed(tmp_path_factory):
    """A server with a listener for the platform's staff and a proxy on this machine that it trusts."""
    platform = free_port()
    server = Server(
        tmp_path_factory.mktemp("staffed"),
        environment={
            "TIDEGATE_LISTENERS_PLATFORM": str(platform),
            "TIDEGATE_PEOPLE_TRUSTEDPROXIES": "127.0.0.1",
            "TIDEGATE_PEOPLE_URL": "https://fleet.example.com",
        },
    )
    server.platform = f"https://localhost:{platform}"
    yield server
    assert server.stop() == 0


def test_people_are_invited_listed_and_disabled(staffed):
    staffed.tenant("acme")
    made = staffed.admin("user", "invite", "ann@example.com", "--tenant", "acme", "--role", "operator")
    assert made["link"]["url"].startswith("https://fleet.example.com/invitation?link=tg_invitation_")
    assert staffed.admin("user", "show", "ann@example.com", "--tenant", "acme")["status"] == "invited"
    assert staffed.admin("user", "disable", "ann@example.com", "--tenant", "acme")["status"] == "disabled"
    assert staffed.admin("user", "enable", "ann@example.com", "--tenant", "acme")["status"] == "invited"
    codes = [entry["code"] for entry in staffed.admin("audit", "list", "--tenant", "acme")["items"]]
    assert {"account.invited", "link.made", "principal.disabled", "principal.enabled"} <= set(codes)


def test_the_staff_have_a_listener_of_their_own(staffed):
    made = staffed.admin("user", "invite", "staff@example.com", "--tenant", "platform", "--role", "platform-admin")
    assert made["link"]["url"].startswith(staffed.platform + "/invitation?link=")
    token = staffed.token("platform", "platform-admin")
    answer = requests.get(
        f"{staffed.platform}/api/v1/server", headers={"Authorization": f"Bearer {token}"}, verify=str(staffed.ca)
    )
    assert answer.status_code == 200


def test_only_a_trusted_proxy_says_who_calls(staffed):
    staffed.tenant("proxied")
    token = staffed.token("proxied", "admin")
    answer = requests.get(
        f"{staffed.people_url}/api/v1/tenants/proxied/audit", verify=str(staffed.ca),
        headers={"Authorization": f"Bearer {token}", "X-Forwarded-For": "10.1.1.1, 198.51.100.7"},
    )
    assert answer.status_code == 200
    deadline = time.monotonic() + 30
    while True:
        entries = staffed.admin("audit", "list", "--tenant", "proxied")["items"]
        addresses = {entry["address"] for entry in entries if entry["code"] == "audit.read"}
        if "198.51.100.7" in addresses:
            break
        assert time.monotonic() < deadline, entries
    assert "10.1.1.1" not in addresses

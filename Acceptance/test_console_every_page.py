"""Every page of the console, in light and dark, wide and narrow: axe finds nothing, and nothing is wider than the window.

`data/pages.txt` lists the pages; a Swift test holds it equal to the program's own table. The walk finds an address for
each by following links, as a person would; what no link leads to is named below. A page that neither reaches fails.
"""

import html
import json
import pathlib
import re
import sqlite3
import urllib.parse

import pytest
import requests
from playwright.sync_api import expect

from browser import faults
from console import PASSWORD, administrator, browser, connected  # noqa: F401
from people import Person, is_in, sign_out
from receivers import gateway  # noqa: F401
from tidegate import Server, run, wait_for

HOME = "/t/acme-water"
TENANT = ["--tenant", "acme-water"]
PAGES = (pathlib.Path(__file__).parent / "data" / "pages.txt").read_text().split()

# Answers that are no pages: streams, files, readings.
FILES = {"/server-ca.pem", "/t/{tenant}/live", "/t/{tenant}/telemetry/points", "/t/{tenant}/audit/bundle"}
FILES |= {path for path in PAGES if path.endswith(".csv")}
FILES |= {"/t/{tenant}/firmware/files/{artifact}/content", "/t/{tenant}/firmware/files/{artifact}/state"}
# Pages that only send the browser on, or need what only a program or provider gives.
ELSEWHERE = {
    "/", "/welcome",  # send on to the tenant
    "/sign-in/return", "/consent",  # test_directories.py, test_console_consent.py
    "/t/{tenant}/demo/remove",  # test_console_first_run.py
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), environment={"TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8"})
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def world(server, browser, administrator, connected, gateway, tmp_path_factory):
    """One of everything, so that every page has something to show."""
    for name, parent in (("plant", None), ("hall", "plant"), ("a-domain-with-a-rather-long-name-in-the-north", "plant")):
        server.admin("domain", "create", name, *TENANT, *(["--parent", parent] if parent else []))
    lines = ["name,latitude,longitude"]
    lines += [f"berlin-{index:03},{52.4 + index % 20 / 100:.3f},{13.2 + index // 20 / 50:.3f}" for index in range(201)]
    file = tmp_path_factory.mktemp("list") / "devices.csv"
    file.write_text("\n".join(lines) + "\n")
    server.admin("device", "bulk", file, *TENANT, check=False)
    bob = Person(server, "bob", "operator")
    server.admin("group", "create", "crew", *TENANT)
    bob_id = server.admin("user", "show", "bob@example.com", *TENANT)["id"]
    server.admin("group", "add", "crew", bob_id, *TENANT)
    server.admin("grant", "create", "--group", "crew", "technician", "--domain", "plant", *TENANT)
    # A device that does not call, so that there is an alert.
    server.admin(
        "heartbeat", "set", *TENANT, "--domain", "plant/hall", "--interval", "1", "--late-after", "1", "--silent-after", "2")
    server.enrolled("acme-water", "gone", "--domain", "plant/hall")
    wait_for(lambda: [one for one in server.admin("alert", "list", *TENANT)["items"] if one["silent"]], "an alert", 30)
    token = server.token("acme-water", "owner")

    def call(method, path, **body):
        answer = requests.request(
            method, f"{server.people_url}/api/v1/tenants/acme-water{path}", json=body or None, verify=str(server.ca), timeout=30,
            headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.text else {}

    settings = {
        "url": gateway.url + "/send", "ca": gateway.authority.ca.read_text(), "body": '{"to":"{to}","text":"{text}"}'}
    call("POST", "/outlets", name="texts", kind="sms", settings=settings, reason="codes")
    call("PUT", "/directories/office", ldap={"server": "ldaps://ldap.example.com", "base": "dc=example"},
         groups=[{"group": "cn=staff,dc=example", "role": "viewer"}])
    call("PUT", "/roles/night-watch", permissions=["device.read", "audit.read"], reason="nights")
    call("POST", "/changes", kind="role.put", change={"name": "day-watch", "permissions": ["device.read"]}, reason="days")
    hook = {"url": gateway.url + "/hook", "ca": gateway.authority.ca.read_text(), "events": ["device."]}
    call("POST", "/outlets", name="hook", kind="webhook", settings=hook)
    server.admin("device", "register", "late", *TENANT)
    wait_for(lambda: call("GET", "/deliveries")["items"], "something is sent")
    call("PUT", "/domains/plant/desired", interval=60, net={"apn": "m2m"})
    call("PUT", "/devices/late/desired", interval=30)
    server.admin("alert-rule", "create", "site-down", *TENANT, "--mail", "ops@example.com", "--webhook", "hook")
    operation = server.admin("operation", "order", "reboot", "--device", "late", *TENANT)["id"]
    image = tmp_path_factory.mktemp("image") / "system.img"
    image.write_bytes(b"an image" * 1000)
    artifact = server.admin("artifact", "upload", image, *TENANT)["id"]
    release = server.admin("release", "create", "system", "1.0", "--artifact", artifact, "--publish", *TENANT)["id"]
    draft = server.admin("release", "create", "system", "1.1", "--artifact", artifact, *TENANT)["id"]
    key = tmp_path_factory.mktemp("key") / "key.pem"
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    pem = run("openssl", "pkey", "-in", key, "-pubout").stdout.decode()
    campaign = call("POST", "/campaigns", release=release, target={"devices": [{"device": "late"}]})["id"]
    call("PUT", "/update-keys/release-2026", pem=pem, reason="updates")
    page = browser.page(browser.context(storage_state=administrator))
    # What only a person makes: a program, a key, a bulk act.
    page.goto(HOME + "/settings/programs/new")
    page.get_by_label("Name", exact=True).fill("Billing")
    page.get_by_label("for itself").check()
    page.get_by_label("Its own role").select_option("viewer")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#secret")).to_be_visible()
    page.goto(HOME + "/settings/api-keys/new")
    page.get_by_label("Name", exact=True).fill("reader")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_label("see devices device.read").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#secret")).to_be_visible()
    page.goto(HOME + "/devices?find=berlin")
    page.get_by_label("All 201 matching").check()
    page.get_by_role("button", name="Suspend").click()
    page.get_by_role("button", name="Suspend 201 devices").click()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    bulk = urllib.parse.urlsplit(page.url).path
    page.context.close()
    # Some acts are offered in some states only; each has its page all the same.
    acts = [f"{HOME}/tasks/{operation}{act}" for act in ("", "/pause", "/resume", "/retry", "/cancel")]
    acts += [f"{HOME}/firmware/releases/{draft}{act}" for act in ("", "/edit", "/publish", "/delete")]
    acts += [f"{HOME}/firmware/releases/{release}/withdraw"]
    acts += [f"{HOME}/firmware/campaigns/{campaign}{act}"
             for act in ("", "/approve", "/pause", "/resume", "/stop", "/roll-back")]
    return {"bob": bob, "bob_id": bob_id, "run": bulk, "call": call, "operation": operation, "artifact": artifact, "acts": acts}


class Finder:
    """Looks for an address of every page by following links, one page of each sort."""

    def __init__(self, server, state):
        self.server = server
        self.session = requests.Session()
        self.session.verify, self.session.trust_env = str(server.ca), False
        for cookie in state["cookies"]:
            self.session.cookies.set(cookie["name"], cookie["value"])
        self.patterns = {path: re.compile("^" + re.sub(r"\\\{[^/]*\\\}", "[^/]+", re.escape(path)) + "$") for path in PAGES}
        self.found, self.unlisted = {}, set()

    def page(self, address):
        """The page that an address is of: a fixed step counts before a parameter."""
        path = urllib.parse.urlsplit(address).path
        fitting = [page for page, pattern in self.patterns.items() if pattern.match(path)]
        return min(fitting, key=lambda page: page.count("{"), default=None)

    def walk(self, *begin):
        waiting = list(begin)
        while waiting:
            address = waiting.pop(0)
            page = self.page(address)
            if page is None:
                self.unlisted.add(address)
                continue
            if page in self.found or page in FILES or page in ELSEWHERE:
                continue
            answer = self.session.get(self.server.people_url + address, timeout=30, allow_redirects=False)
            if answer.status_code != 200:
                continue
            self.found[page] = address
            for link in re.findall(r'href="(/[^"#]*)', answer.text):
                link = html.unescape(link)
                if not link.startswith(("/assets/", "/api/")):
                    waiting.append(link)


@pytest.fixture(scope="module")
def addresses(server, world, administrator):
    finder = Finder(server, administrator)
    finder.walk(
        HOME, "/profile", "/sign-in", "/sign-in/organisation", "/forgotten", "/certificate", world["run"],
        HOME + "/settings/deliveries/replay?state=resting", HOME + "/welcome", HOME + "/settings/roles/night-watch",
        HOME + "/settings/users/" + world["bob_id"], *world["acts"])
    return finder


def test_every_page_is_reached_by_links_or_named_here(addresses):
    assert addresses.unlisted == set(), "links lead to addresses that are no page"
    missing = set(PAGES) - set(addresses.found) - FILES - ELSEWHERE - ONCE
    assert missing == set(), "no link leads to these pages"
    assert FILES | ELSEWHERE | ONCE <= set(PAGES), "what is left out is still there"


def test_files_are_files(addresses, server, world):
    for path in sorted(FILES - {"/t/{tenant}/live"}):
        query = "?device=meter-1&span=hour" if "telemetry" in path else ""
        path = path.replace("{tenant}", "acme-water").replace("{operation}", world["operation"])
        path = path.replace("{artifact}", world["artifact"])
        answer = addresses.session.get(server.people_url + path + query, timeout=60, stream=True)
        assert answer.status_code == 200 and "html" not in answer.headers["content-type"], path
        answer.close()


# Pages behind links that work once.
ONCE = {"/set-up", "/invitation", "/new-password"}


def refused_form(page):
    page.goto(HOME + "/settings/directories/new/ldap")
    page.get_by_label("Name", exact=True).fill("x y")
    page.get_by_label("Server").fill("http://nowhere")
    page.get_by_label("Base").fill("dc=example")
    page.get_by_label("Role 1").select_option("viewer")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("alert")).to_be_visible()


def wrong_filter(page):
    page.goto(HOME + "/devices?filter=colour%20%3D%20red")


def confirmation(page):
    page.goto(HOME + "/devices/meter-1")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("button", name=re.compile("Revoke")).last).to_be_visible()


def nothing_here(page):
    page.goto("/t/nobody/devices")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def invitation_sheet(page):
    page.goto(HOME + "/settings/users/invite")
    page.get_by_label("E-mail address").fill("guest@example.com")
    page.get_by_label("Name", exact=True).fill("Guest")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Invite").click()
    proof = page.get_by_role("heading", name="Prove that it is you")
    expect(proof.or_(page.locator("#secret"))).to_be_visible()
    if proof.is_visible():  # The walk took longer than a proof counts.
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
    expect(page.locator("#secret")).to_be_visible()


def menu(page):
    page.goto(HOME)
    page.locator("details.person summary").click()


def connect_block(page):
    page.goto(HOME + "/devices/connect")
    page.get_by_label("Name").fill("meter-9")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#block")).to_be_visible()


STATES = [refused_form, wrong_filter, confirmation, nothing_here, invitation_sheet, menu, connect_block]


def name_of(path):
    return re.sub(r"[^a-z]+", "-", path.replace("/t/{tenant}", "").lower()).strip("-") or "overview"


@pytest.mark.parametrize("part", range(4))
def test_every_page_passes(browser, administrator, addresses, part):
    found = []
    page = browser.page(browser.context(storage_state=administrator))
    for path, address in sorted(addresses.found.items())[part::4]:
        page.goto(address)
        found += faults(page, "every-" + name_of(path))
    page.context.close()
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_what_comes_out_of_an_act_passes(browser, administrator, world, state):
    page = browser.page(browser.context(storage_state=administrator))
    state(page)
    found = faults(page, "every-" + state.__name__.replace("_", "-"))
    page.context.close()
    browser.errors[:] = [error for error in browser.errors if "404" not in error and "422" not in error]
    assert found == [], "\n".join(found)


def test_what_is_shown_once_passes(server, browser, world, gateway):
    """Invitation, text message, recovery codes, new password: the way in of somebody who must have a factor."""
    found = []
    world["call"]("PUT", "/factor-policy", level="any", reason="a test")
    eve = Person(server, "eve")
    page = browser.page()
    page.goto(eve.invitation)
    found += faults(page, "every-invitation")
    eve.accept(page)
    found += faults(page, "every-factor-choice")
    page.get_by_role("button", name=re.compile("^Authenticator")).click()
    found += faults(page, "every-factor-authenticator")
    page.get_by_role("button", name="Choose another method").click()
    page.get_by_role("button", name=re.compile("^Passkey")).click()
    found += faults(page, "every-factor-passkey")
    page.get_by_role("button", name="Choose another method").click()
    page.get_by_role("button", name=re.compile("^Telephone")).click()
    found += faults(page, "every-factor-telephone")
    page.get_by_label("Number").fill("+49 151 23456789")
    page.get_by_role("button", name="Send a code").click()
    expect(page.get_by_role("status")).to_contain_text("the number that ends in 789")
    found += faults(page, "every-factor-text-message")
    sent = wait_for(lambda: [one for one in gateway.requests if one[1] == "/send"], "the text message is there")[-1]
    code = re.match(r"([2-9A-Z]{6}) is your code", json.loads(sent[3])["text"]).group(1)
    page.get_by_label("Code from the text message").fill(code)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#codes")).to_be_visible()
    found += faults(page, "every-recovery-codes")
    page.get_by_role("button", name="I have kept them").click()
    is_in(page)
    sign_out(page)
    eve.sign_in(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    found += faults(page, "every-second-step")
    page.goto(server.admin("user", "reset", "bob@example.com", *TENANT)["link"]["url"])
    found += faults(page, "every-new-password")
    page.goto(server.people_url + "/set-up?link=wrong")
    found += faults(page, "every-link-that-leads-nowhere")
    page.context.close()
    world["call"]("PUT", "/factor-policy", level="none", reason="a test")
    browser.errors[:] = [error for error in browser.errors if "404" not in error]
    assert found == [], "\n".join(found)


def test_the_proof_that_is_asked_for_once_more_passes(server, browser, administrator):
    server.stop()
    with sqlite3.connect(server.data / "tidegate.db") as database:
        database.execute("UPDATE sign_in_session SET proved = proved - 660000000")
    server.start()
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/settings/sign-in/edit")
    expect(page.get_by_role("heading", name="Prove that it is you")).to_be_visible()
    found = faults(page, "every-step-up")
    page.context.close()
    browser.errors.clear()
    assert found == [], "\n".join(found)


def test_nothing_is_refused_by_the_policy_or_missing(browser, administrator):
    assert browser.errors == []

"""Firmware in a real browser: a real upload that is cut and goes on, a release from draft to published, the versions of a
fleet, and all that are behind brought up to date."""

import hashlib
import os
import re
import subprocess

import pytest
import requests
from playwright.sync_api import expect

from browser import check_page, faults
from console import administrator, browser, server  # noqa: F401
from tidegate import wait_for

HOME = "/t/acme-water"
TENANT = ("--tenant", "acme-water")


@pytest.fixture(scope="module")
def fleet(server, administrator):
    token = server.token("acme-water", "admin")
    for number in range(12):
        device = {"name": f"gateway-{number}", "components": {"system": "1.0" if number < 9 else "2.0"}}
        server.post("/tenants/acme-water/devices", token, json=device).raise_for_status()


@pytest.fixture()
def page(browser, administrator, fleet):
    page = browser.page(browser.context(storage_state=administrator))
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "system-2.0.img"
    path.write_bytes(os.urandom(20 << 20))
    return path


def test_a_release_is_made_and_its_file_uploaded_over_a_cut(page, browser, administrator, image):
    page.goto(HOME + "/firmware/releases")
    expect(page.get_by_role("heading", name="No release yet")).to_be_visible()
    page.get_by_role("link", name="New release").first.click()
    page.get_by_label("Component").fill("no spaces here")
    page.get_by_label("Version").fill("2.0")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("letters, digits")
    browser.errors.clear()  # The browser calls the form's 422 an error.
    page.get_by_label("Component").fill("system")
    page.get_by_label("Hardware").fill("gw-1\ngw-2")
    page.get_by_label("What is new").fill("Reads meters twice as fast.\nMends the clock.")
    page.get_by_label("Looked after until").fill("2031-12-31")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_role("heading", name="system 2.0")).to_be_visible()
    draft = page.url.split("?")[0]
    check_page(browser, draft, "release-draft", administrator)
    # The line is cut after the first part, and it goes on by itself.
    sent = []

    def cut(route):
        sent.append(route.request.headers["upload-offset"])
        route.abort() if len(sent) == 2 else route.continue_()

    page.route("**/bytes", cut)
    page.get_by_label("Upload files").set_input_files(image)
    expect(page.locator("#files")).to_contain_text("system-2.0.img", timeout=30_000)
    assert sent == ["0", str(8 << 20), str(8 << 20), str(16 << 20)], "each part came once, the one that was cut again"
    expect(page.locator("#files code").first).to_have_text(hashlib.sha256(image.read_bytes()).hexdigest())
    expect(page.locator("#uploading li")).to_have_count(0)
    browser.errors.clear()  # The browser tells of the cut.
    page.unroute("**/bytes")
    page.get_by_role("link", name="Publish…").click()
    expect(page.get_by_text("it never changes")).to_be_visible()
    check_page(browser, page.url, "release-publish", administrator)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: it can be installed.")).to_be_visible()
    expect(page.get_by_text("3 devices have it")).to_be_visible()
    check_page(browser, draft, "release", administrator)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download system-2.0.img").click()
    assert download.value.path().read_bytes() == image.read_bytes()


def test_an_upload_goes_on_after_a_reload_and_is_given_up(server, page, browser, administrator, tmp_path):
    later = tmp_path / "later.img"
    later.write_bytes(os.urandom(20 << 20))
    page.goto(HOME + "/firmware/files")
    expect(page.get_by_role("cell").filter(has_text="system-2.0.img").or_(
        page.get_by_role("rowheader").filter(has_text="system-2.0.img")).first).to_be_visible()
    offsets = []
    page.on("request", lambda request: request.url.endswith("/bytes") and offsets.append(request.headers["upload-offset"]))
    page.route("**/bytes", lambda route: route.abort() if route.request.headers["upload-offset"] != "0" else route.continue_())
    page.get_by_label("Upload files").set_input_files(later)
    expect(page.locator("#uploading")).to_contain_text("It goes on by itself.", timeout=60_000)
    page.get_by_role("button", name="Pause: later.img").click()
    expect(page.locator("#uploading")).to_contain_text("Paused at 8.0 MiB")
    page.unroute("**/bytes")
    page.reload()
    expect(page.locator("#files")).to_contain_text("8.0 MiB of 20.0 MiB have come")
    check_page(browser, HOME + "/firmware/files", "files", administrator)
    offsets.clear()
    page.get_by_label("Upload files").set_input_files(later)
    expect(page.locator("#files")).not_to_contain_text("On its way", timeout=90_000)
    assert offsets == [str(8 << 20), str(16 << 20)]
    browser.errors.clear()  # The browser tells of the cuts.
    page.get_by_role("link", name="Delete… later.img").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#files")).not_to_contain_text("later.img")
    # What a release has stays, and the page says why.
    page.get_by_role("link", name="Delete… system-2.0.img").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("A release has this artifact")
    browser.errors.clear()


def test_versions_are_seen_at_a_glance_and_lead_to_their_devices(page, browser, administrator):
    page.goto(HOME)
    page.get_by_role("link", name="Firmware").click()
    system = page.locator("section", has=page.get_by_role("heading", name="system", exact=True))
    expect(system).to_contain_text("2 versions on 12 devices")
    expect(system).to_contain_text("newest release")
    check_page(browser, HOME + "/firmware", "firmware", administrator)
    system.get_by_role("link", name="1.0").click()
    expect(page.locator("#summary")).to_have_text("9 devices match")
    page.go_back()
    # No release was made of 1.0: nobody knows whether it is earlier.
    expect(system.get_by_role("link", name="Update all behind")).to_have_count(0)
    system.get_by_role("link", name="9 unknown").click()
    expect(page.locator("#summary")).to_have_text("9 devices match")
    page.go_back()
    system.get_by_role("link", name="Update the unknown").click()
    expect(page.get_by_label("Release")).to_have_value(re.compile("."))
    page.get_by_label("Groups").fill("100")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("For 9 devices that match now")).to_be_visible()
    page.get_by_role("button", name="Roll it out to 9 devices").click()
    expect(page.get_by_text("0 of 9 have it").first).to_be_visible()


def test_releases_are_found_withdrawn_and_never_changed(server, page, browser, administrator):
    artifact = server.admin("artifact", "list", *TENANT)["items"][0]["id"]
    for version in ("5.0", "5.1"):
        server.admin("release", "create", "modem", version, "--artifact", artifact, "--publish", *TENANT)
    page.goto(HOME + "/firmware/releases")
    check_page(browser, HOME + "/firmware/releases", "releases", administrator)
    check_page(browser, HOME + "/firmware/releases/new", "release-form", administrator)
    page.get_by_label("Component").fill("modem")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="modem 5.0").click()
    page.get_by_role("link", name="Withdraw…").click()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Withdrawn", exact=True).first).to_be_visible()
    page.goto(HOME + "/firmware/releases?component=modem&state=withdrawn")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_update_keys_are_put_with_a_reason(page, browser, administrator, tmp_path):
    key = tmp_path / "signing.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    pem = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
    page.goto(HOME + "/firmware")
    page.get_by_role("link", name="Update keys").click()
    page.get_by_role("link", name="New update key").click()
    page.get_by_label("Name").fill("release-2026")
    page.get_by_label("Certificate or public key").fill(pem)
    page.get_by_label("Reason").fill("the key of 2026")
    page.get_by_role("button", name="Trust it").click()
    expect(page.get_by_text("Ed25519")).to_be_visible()
    check_page(browser, page.url, "update-keys", administrator)
    page.get_by_role("link", name="Delete release-2026").click()
    expect(page.get_by_text("It is the last one")).to_be_visible()
    page.get_by_label("Reason").fill("over")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is none")).to_be_visible()


class Caller:
    """A device that calls over HTTPS and says what became of its install."""

    def __init__(self, server, name):
        self.device = server.enrolled("acme-water", name)
        self.base = f"{server.device_url}/acme-water/"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(server.ca)
        self.session.cert = (str(self.device.certificate), str(self.device.key))

    def work(self, state):
        """Ends the task that waits, if there is one; whether there was."""
        tasks = self.session.get(self.base + "heartbeat", timeout=30).json().get("tasks", [])
        for task in tasks:
            assert self.session.post(self.base + f"tasks/{task['id']}/status", json={"state": state}, timeout=30).status_code == 200
        return bool(tasks)


@pytest.fixture(scope="module")
def units(server, administrator):
    artifact = server.admin("artifact", "list", *TENANT)["items"][0]["id"]
    for version in ("1.0", "2.0"):
        server.admin("release", "create", "loader", version, "--artifact", artifact, "--publish", *TENANT)
    return [Caller(server, f"unit-{number}") for number in range(10)]


def take(units, state, count):
    """So many of the devices that have a task end it like this."""
    done = []

    def look():
        for unit in units:
            if len(done) < count and unit not in done and unit.work(state):
                done.append(unit)
        return len(done) == count

    wait_for(look, f"{count} devices have a task")
    return done


def test_a_campaign_is_previewed_watched_paused_by_itself_and_rolled_back(server, page, browser, administrator, units):
    page.goto(HOME + "/firmware/campaigns")
    page.get_by_role("link", name="New campaign").first.click()
    check_page(browser, page.url, "campaign-form", administrator)
    page.get_by_label("Release").select_option(label="loader 2.0 (newest)")
    page.get_by_label("Which devices").fill("name = unit-*")
    page.get_by_label("Groups").fill("20, 70")
    page.get_by_label("Judged from").fill("2")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("alert")).to_contain_text("must share 100 percent")
    browser.errors.clear()  # The browser calls the form's 422 an error.
    page.get_by_label("Groups").fill("20, 80")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("For 10 devices that match now")).to_be_visible()
    expect(page.locator("dl.facts")).to_contain_text("2 devices")
    expect(page.locator("dl.facts")).to_contain_text("8 devices")
    assert faults(page, "campaign-asks") == []
    page.get_by_role("button", name="Roll it out to 10 devices").click()
    expect(page.get_by_role("heading", name="loader 2.0")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    address = page.url.split("?")[0]
    # The first group has it, and the next one begins by itself: the open page hears of both.
    first = take(units, "succeeded", 2)
    rest = [unit for unit in units if unit not in first]
    groups = page.locator("ol.rows > li")
    expect(groups.nth(0)).to_contain_text("Through", timeout=20_000)
    expect(groups.nth(0)).to_contain_text("2 of 2 have it")
    expect(groups.nth(1)).to_contain_text("Under way", timeout=20_000)
    check_page(browser, address, "campaign-running", administrator)
    take(rest, "failed", 2)
    expect(page.get_by_text("Paused by itself", exact=True)).to_be_visible(timeout=20_000)
    expect(page.get_by_text("2 of 2 devices failed")).to_be_visible()
    check_page(browser, address, "campaign-paused", administrator)
    check_page(browser, HOME + "/firmware/campaigns", "campaigns", administrator)
    # The devices of a group, by their state.
    groups.nth(1).get_by_role("link", name="2 failed").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(address)
    page.get_by_role("link", name="Resume…").click()
    expect(page.get_by_text("not held against it any more")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Under way").first).to_be_visible()
    page.get_by_role("link", name="Roll back…").click()
    expect(page.get_by_text("the 2 devices that it has updated")).to_be_visible()
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Rollback")).to_be_visible()
    take(first, "succeeded", 2)
    expect(page.locator("#campaign")).to_contain_text("2 of 2 have it again", timeout=20_000)
    check_page(browser, address, "campaign-rolled-back", administrator)
    page.goto(HOME + "/devices/" + first[0].device.name)
    expect(page.locator("#work")).to_contain_text("Install a release")
    expect(page.locator("section", has=page.get_by_role("heading", name="Campaigns"))).to_contain_text("loader 2.0")
    check_page(browser, page.url, "device-firmware", administrator)


def test_a_page_that_was_hidden_shows_what_happened_meanwhile(server, page, units):
    releases = server.admin("release", "list", *TENANT)["items"]
    [release] = [one["id"] for one in releases if one["component"] == "loader" and one["version"] == "2.0"]
    made = server.admin("campaign", "create", release, "--filter", "name = unit-*", "--title", "Watched", *TENANT)
    page.goto(f"{HOME}/firmware/campaigns/{made['id']}")
    expect(page.locator("#live")).to_have_text("Live")

    def hide(is_hidden):
        page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
            " document.dispatchEvent(new Event('visibilitychange')); }", is_hidden)

    hide(True)
    expect(page.locator("#live")).to_have_text("Paused")
    server.admin("campaign", "pause", made["id"], *TENANT)
    hide(False)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_role("link", name="Resume…")).to_be_visible(timeout=15_000)
    server.admin("campaign", "stop", made["id"], *TENANT)

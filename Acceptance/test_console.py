"""People's journeys in a real browser: from the printed link to a live chart, by the pages' literal text."""

import json
import re
import subprocess

import pytest
import requests
from playwright.sync_api import expect

from browser import Browser, check_page
from tidegate import Server, wait_for

PASSWORD = "harbour lantern quietly 7 geese"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def browser(server, tmp_path_factory):
    chromium = Browser(server, tmp_path_factory.mktemp("browser"))
    yield chromium
    chromium.close()
    assert chromium.errors == [], "the browser's console has errors"


@pytest.fixture(scope="module")
def administrator(server, browser):
    """The state of a browser whose person has come in by the printed set-up link."""
    link = wait_for(lambda: re.search(r"https://\S+/set-up\?link=\S+", server.log.read_text()), "the link is printed")
    page = browser.page()
    page.goto(link.group(0))
    page.get_by_label("Name", exact=True).first.fill("Ada Lovelace")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill("short")
    expect(page.locator("#rules .warning").first).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Name", exact=True).last.fill("Acme Water")
    page.get_by_role("button", name="Create and go on").click()
    expect(page.get_by_role("heading", name="Welcome to Acme Water")).to_be_visible()
    state = page.context.storage_state()
    [cookie] = [cookie for cookie in state["cookies"] if cookie["name"] == "__Host-tidegate"]
    assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/"
    page.context.close()
    return state


@pytest.fixture(scope="module")
def connected(server, browser, administrator, tmp_path_factory):
    """A device that was connected by running the page's literal block; the page saw it come."""
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water")
    page.get_by_role("link", name="Connect my first device").click()
    page.get_by_label("Name").fill("meter-1")
    page.get_by_role("button", name="Register").click()
    block = page.locator("#block").inner_text()
    expect(page.locator("#live")).to_have_text("Live")
    done = subprocess.run(
        ["bash", "-c", block], cwd=tmp_path_factory.mktemp("device"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Connected." in done.stdout, done.stdout + done.stderr
    expect(page.locator("#waiting")).to_contain_text("Online: the first reading is here.")
    page.get_by_role("link", name="See it live").click()
    expect(page.locator("[data-series=temperature] [data-value]")).to_have_text("21.5")
    page.context.close()
    return "meter-1"


def publish(server, folder, value):
    subprocess.run(
        ["mosquitto_pub", "-h", "localhost", "-p", str(server.ports["mqtt"]), "--cafile", "server-ca.pem", "--cert",
         "device.pem", "--key", "device.key", "-q", "1", "-t", "telemetry", "-m",
         json.dumps([{"n": "temperature", "u": "Cel", "v": value}])], cwd=folder, check=True, timeout=30)


def test_a_person_goes_from_the_printed_link_to_a_live_chart(server, browser, administrator, connected, tmp_path_factory):
    folder = next(tmp_path_factory.getbasetemp().glob("device*/meter-1"))
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/devices/meter-1")
    expect(page.locator("#live")).to_have_text("Live")
    publish(server, folder, 22.25)
    expect(page.locator("[data-series=temperature] [data-value]")).to_have_text("22.25")
    page.get_by_role("link", name="Open in the telemetry explorer").click()
    expect(page.locator("#charts[data-ready=true] canvas")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    publish(server, folder, 23.5)
    expect(page.locator("[data-latest]")).to_have_text("23.5")
    page.get_by_role("link", name="View as table").click()
    expect(page.get_by_role("columnheader", name="temperature (Cel)")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "23.5" in download.value.path().read_text()
    page.context.close()


def test_the_set_up_link_works_once(server, administrator):
    link = re.search(r"https://\S+(/set-up\?link=\S+)", server.log.read_text()).group(1)
    answer = requests.get(server.people_url + link, verify=str(server.ca), timeout=10)
    assert answer.status_code >= 400 and "password" not in answer.text.lower()


def test_somebody_signs_in_and_out_and_a_wrong_password_says_nothing_more(server, browser, administrator):
    page = browser.page()
    page.goto("/t/acme-water/devices")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    wrong = page.get_by_role("alert").inner_text()
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text() == wrong
    browser.errors.clear()
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/t/acme-water")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.close()


def test_everything_works_without_script(server, browser, administrator, connected):
    page = browser.context(storage_state=administrator, java_script_enabled=False).new_page()
    page.goto("/t/acme-water/devices")
    page.get_by_role("link", name="Revoked").click()
    expect(page.get_by_role("heading", name="No device matches")).to_be_visible()
    page.get_by_label("Find a device").fill("METER")
    page.get_by_label("Find a device").press("Enter")
    page.get_by_role("link", name="meter-1").click()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("Suspended: connections are closed until resumed.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed.")).to_be_visible()
    page.context.close()


def test_filter_chips_swap_the_list_and_keep_the_address(browser, administrator, connected):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/devices")
    page.evaluate("document.body.dataset.kept = 'yes'")
    page.get_by_role("link", name="Suspended", exact=True).click()
    expect(page.get_by_role("heading", name="No device matches")).to_be_visible()
    assert page.url.endswith("?state=suspended") and page.locator("body[data-kept=yes]").count() == 1
    page.go_back()
    expect(page.get_by_role("link", name="meter-1")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("name,path", [
    ("overview", ""), ("devices", "/devices"), ("devices-none", "/devices?state=revoked"), ("device", "/devices/meter-1"),
    ("connect", "/devices/connect"), ("import", "/devices/import"), ("telemetry", "/telemetry?device=meter-1"),
    ("telemetry-table", "/telemetry?device=meter-1&view=table"), ("welcome", "/welcome"),
])
def test_pages_have_no_accessibility_violation(browser, administrator, connected, name, path):
    check_page(browser, "/t/acme-water" + path, name, administrator)


@pytest.mark.parametrize("name,path", [
    ("sign-in", "/sign-in"), ("forgotten", "/forgotten"), ("certificate", "/certificate"),
])
def test_open_pages_have_no_accessibility_violation(browser, administrator, name, path):
    check_page(browser, path, name)


def test_nothing_is_refused_by_the_policy_or_missing(browser, administrator, connected):
    assert browser.errors == []

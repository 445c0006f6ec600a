"""What the tests of the console's pages share: a server, a browser that trusts it, its first administrator, a device.

A test file imports the fixtures that it uses; each file has a server of its own.
"""

import json
import re
import subprocess

import pytest
from playwright.sync_api import expect

from browser import Browser
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
    assert chromium.errors == [], f"the browser's console has errors: {chromium.errors}"


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
    expect(page.get_by_role("heading", name="Protect your account")).to_be_visible()
    page.get_by_role("link", name="Not now").click()
    expect(page.get_by_role("heading", name="Welcome to Acme Water")).to_be_visible()
    state = page.context.storage_state()
    [cookie] = [cookie for cookie in state["cookies"] if cookie["name"] == "__Host-tidegate"]
    assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/"
    page.context.close()
    return state


@pytest.fixture(scope="module")
def connected(server, browser, administrator, tmp_path_factory):
    """The files of `meter-1`, connected by running the page's literal block; the page saw it come."""
    folder = tmp_path_factory.mktemp("device")
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water")
    page.get_by_role("link", name="Connect my first device").click()
    page.get_by_label("Name").fill("meter-1")
    page.get_by_role("button", name="Register").click()
    block = page.locator("#block").inner_text()
    expect(page.locator("#live")).to_have_text("Live")
    done = subprocess.run(
        ["bash", "-c", block], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Connected." in done.stdout, done.stdout + done.stderr
    expect(page.locator("#waiting")).to_contain_text("Online: the first reading is here.")
    page.get_by_role("link", name="See it live").click()
    expect(page.locator("[data-series=temperature] [data-value]")).to_have_text("21.5")
    page.context.close()
    return folder / "meter-1"


def publish(server, folder, value):
    subprocess.run(
        ["mosquitto_pub", "-h", "localhost", "-p", str(server.ports["mqtt"]), "--cafile", "server-ca.pem", "--cert",
         "device.pem", "--key", "device.key", "-q", "1", "-t", "telemetry", "-m",
         json.dumps([{"n": "temperature", "u": "Cel", "v": value}])], cwd=folder, check=True, timeout=30)

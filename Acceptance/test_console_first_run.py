"""A first run in a real browser, against the clock: from the printed link to a live chart; the time zone; the demo."""

import json
import re
import subprocess
import time

import pytest
from playwright.sync_api import expect

from browser import RESULTS, check_page, faults
from console import PASSWORD, browser, publish, server  # noqa: F401
from tidegate import wait_for

# What a practised person needs for what a test does at once (the keystroke-level model by Card, Moran and Newell, in
# seconds), and what a newcomer reads on each page.
KEY, POINT, THINK, READ = 0.28, 1.1 + 0.2, 1.35, 12.0


class Human:
    """A page as somebody uses it who types and clicks; counts the time that a person would need beside the machine's."""

    def __init__(self, page):
        self.page, self.seconds = page, 0.0

    def reads(self, heading):
        expect(self.page.get_by_role("heading", name=heading)).to_be_visible()
        self.seconds += READ

    def types(self, label, text, last=False):
        field = self.page.get_by_label(label, exact=True)
        (field.last if last else field.first).fill(text)
        self.seconds += THINK + POINT + KEY * len(text)

    def clicks(self, role, name):
        self.page.get_by_role(role, name=name, exact=True).click()
        self.seconds += THINK + POINT

    def pastes(self):
        # Into a terminal and out of it again: copy, change the window, paste, change back.
        self.seconds += 4 * (THINK + POINT) + 4 * KEY


@pytest.fixture(scope="module")
def journey(server, browser, tmp_path_factory):
    """Somebody in Berlin comes by the printed link and connects a device; their browser's state and the device's files."""
    folder = tmp_path_factory.mktemp("device")
    link = wait_for(lambda: re.search(r"https://\S+/set-up\?link=\S+", server.log.read_text()), "the link is printed")
    page = browser.page(browser.context(timezone_id="Europe/Berlin", locale="en-GB"))
    page.goto(link.group(0))
    assert faults(page, "first-set-up") == []
    human = Human(page)
    began = time.monotonic()
    page.goto(link.group(0))
    human.reads("Set up Tidegate")
    human.types("Name", "Ada Lovelace")
    human.types("E-mail address", "ada@example.com")
    human.types("Password", PASSWORD)
    human.types("Name", "Acme Water", last=True)
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    human.clicks("button", "Create and go on")
    human.reads("Protect your account")
    human.clicks("link", "Not now")
    human.reads("Welcome to Acme Water")
    human.clicks("link", re.compile("^Connect my first device"))
    human.reads("Connect a device")
    human.types("Name", "meter-1")
    human.clicks("button", "Register")
    block = page.locator("#block").inner_text()
    human.seconds += READ
    expect(page.locator("#live")).to_have_text("Live")
    human.pastes()
    done = subprocess.run(["bash", "-c", block], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Connected." in done.stdout, done.stdout + done.stderr
    expect(page.locator("#waiting")).to_contain_text("Online: the first reading is here.")
    human.clicks("link", "See it live")
    expect(page.locator("[data-series=temperature] [data-value]")).to_have_text("21.5")
    human.seconds += READ
    human.clicks("link", "Open in the telemetry explorer")
    expect(page.locator("#charts[data-ready=true] canvas")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    publish(server, folder / "meter-1", 22.25)
    expect(page.locator("[data-latest]")).to_have_text("22.25")
    machine = time.monotonic() - began
    page.screenshot(path=RESULTS / "first-live-chart.png", full_page=True)
    state = page.context.storage_state()
    page.context.close()
    return state, folder / "meter-1", machine, human.seconds


def test_the_first_journey_takes_less_than_five_minutes(journey):
    _, _, machine, human = journey
    figures = {"machine_seconds": round(machine, 1), "person_seconds": round(human, 1)}
    (RESULTS / "first-journey.json").write_text(json.dumps(figures))
    print(figures)
    assert machine < 60, figures
    assert machine + human < 300, figures


def test_times_are_shown_in_the_organisations_zone_and_in_ones_own_by_choice(browser, journey):
    page = browser.page(browser.context(storage_state=journey[0], timezone_id="America/New_York", locale="en-GB"))
    page.goto("/t/acme-water/devices/meter-1")
    shown = page.locator("time[data-ago]").first

    def title():
        return shown.get_attribute("title")

    def hour(zone):
        return page.evaluate(
            """([exact, timeZone]) => new Intl.DateTimeFormat(undefined, {year: "numeric", month: "short", day: "numeric",
               hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short", timeZone}).format(new Date(exact))""",
            [shown.get_attribute("datetime"), zone])

    assert title() == hour("Europe/Berlin") != hour("America/New_York")
    page.locator("details.person summary").click()
    expect(page.get_by_label("Europe/Berlin")).to_be_checked()
    page.screenshot(path=RESULTS / "first-zones.png")
    # It loads the page anew, in which nothing can be asked before it stands.
    with page.expect_event("load"):
        page.get_by_label("This device").check()
    wait_for(lambda: title() == hour("America/New_York"), "times are this device's")
    page.context.close()
    page = browser.context(storage_state=journey[0], java_script_enabled=False).new_page()
    page.goto("/t/acme-water/settings/organisation")
    expect(page.get_by_role("main").get_by_text("Europe/Berlin")).to_be_visible()
    expect(page.locator("dd time").first).to_contain_text(re.compile(r"\+0[12]:00"))
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dd time").first).to_contain_text("+09:00")
    page.context.close()


def test_a_demo_fleet_is_begun_looked_at_and_removed(server, browser, journey):
    page = browser.page(browser.context(storage_state=journey[0]))
    page.goto("/t/acme-water/welcome")
    page.get_by_role("link", name="Explore a demo fleet").click()
    expect(page.get_by_role("heading", name="Explore a demo fleet")).to_be_visible()
    page.get_by_role("button", name="Begin the demo").click()
    expect(page.get_by_text("The demo fleet is here.")).to_be_visible()
    expect(page.locator(".tag.demo")).to_be_visible()
    expect(page.locator(".place .name").first).to_have_text("Demo")
    online = page.get_by_role("link", name=re.compile(r"^Online\s*50"))
    expect(online).to_be_visible(timeout=60_000)
    expect(page.locator("#fleet-summary")).to_have_text("50 devices")
    expect(page.get_by_role("heading", name="No devices yet")).to_have_count(0)
    check_page(browser, "/t/demo", "demo-overview", journey[0])
    check_page(browser, "/t/demo/demo/remove", "demo-remove", journey[0])
    page.goto("/t/demo/devices/meter-1")
    expect(page.locator("[data-series=power] [data-value]")).to_be_visible(timeout=15_000)
    page.goto("/t/demo/map")
    expect(page.get_by_text("50 devices here")).to_be_visible()
    page.goto("/t/demo/sites")
    expect(page.locator(".tree").get_by_role("link", name="harbour", exact=True)).to_be_visible()
    # The simulated devices go on after the server's next start.
    assert server.stop() == 0
    server.start()
    page.goto("/t/demo")
    expect(page.get_by_role("link", name=re.compile(r"^Online\s*50"))).to_be_visible(timeout=60_000)
    page.locator("details.place summary").click()
    page.get_by_role("link", name="Acme Water").click()
    expect(page.locator(".tag.demo")).to_have_count(0)
    page.goto("/t/demo")
    page.get_by_role("link", name="Remove the demo…").click()
    page.get_by_role("button", name="Remove the demo").click()
    expect(page.get_by_text("The demo fleet is removed.")).to_be_visible()
    expect(page.locator(".place .name").first).to_have_text("Acme Water")
    expect(page.locator("details.place")).to_have_count(0)
    page.context.close()
    tenants = {item["slug"] for item in server.admin("tenant", "list")["items"]}
    wait_for(lambda: "demo" not in {item["slug"] for item in server.admin("tenant", "list")["items"]},
             f"the demo is gone from {tenants}", 60)
    browser.errors[:] = [error for error in browser.errors if "ERR_" not in error]


def test_the_offer_of_a_demo_has_no_accessibility_violation(browser, journey):
    def offered(page):
        expect(page.get_by_role("button", name="Begin the demo")).to_be_visible()

    check_page(browser, "/t/acme-water/demo", "demo", journey[0], offered)
    check_page(browser, "/t/acme-water/welcome", "welcome-demo", journey[0])


def test_nothing_is_refused_by_the_policy_or_missing(browser, journey):
    assert browser.errors == []

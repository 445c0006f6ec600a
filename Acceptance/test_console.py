"""People's journeys in a real browser: from the printed link to a live chart, by the pages' literal text."""

import re

import pytest
import requests
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser, connected, publish, server


def test_a_person_goes_from_the_printed_link_to_a_live_chart(server, browser, administrator, connected):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/devices/meter-1")
    expect(page.locator("#live")).to_have_text("Live")
    publish(server, connected, 22.25)
    expect(page.locator("[data-series=temperature] [data-value]")).to_have_text("22.25")
    page.get_by_role("link", name="Open in the telemetry explorer").click()
    expect(page.locator("#charts[data-ready=true] canvas")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    publish(server, connected, 23.5)
    expect(page.locator("[data-latest]")).to_have_text("23.5")
    page.get_by_role("link", name="View as table").click()
    expect(page.get_by_role("columnheader", name="temperature (°C)")).to_be_visible()
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
    page.get_by_role("button", name="Sign in", exact=True).click()
    wrong = page.get_by_role("alert").inner_text()
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.get_by_role("alert").inner_text() == wrong
    browser.errors.clear()
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
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


def test_a_phone_shows_where_one_is_in_the_menu(browser, administrator):
    page = browser.page(browser.context(390, storage_state=administrator))
    page.goto("/t/acme-water/settings/users")
    expect(page.locator(".side [aria-current]")).to_be_in_viewport(ratio=0.9)
    page.context.close()

"""Alerts in a real browser: the bell counts while one looks, an alert is taken care of, a rule is made."""

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser, server  # noqa: F401

HOME = "/t/acme-water"
TENANT = ("--tenant", "acme-water")


@pytest.fixture()
def page(browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    yield page
    page.context.close()


def test_the_bell_counts_a_lost_site_and_somebody_takes_care(server, page, browser, administrator):
    page.goto(HOME + "/alerts")
    expect(page.get_by_role("heading", name="All is well")).to_be_visible()
    bell = page.locator("#bell")
    expect(bell).to_have_attribute("aria-label", "No alerts")
    server.admin("domain", "create", "berlin", *TENANT)
    server.admin(
        "heartbeat", "set", *TENANT, "--interval", "2", "--jitter", "0", "--late-after", "1", "--silent-after", "2")
    for number in range(3):
        server.enrolled("acme-water", f"b-{number}", "--domain", "berlin")
    # The open page hears of it.
    expect(bell).to_have_attribute("aria-label", "1 alert", timeout=40_000)
    expect(page.get_by_role("link", name="berlin: 3 devices are silent")).to_be_visible(timeout=40_000)
    check_page(browser, HOME + "/alerts", "alerts", administrator)
    page.get_by_role("link", name="berlin: 3 devices are silent").click()
    expect(page.get_by_role("link", name="b-0")).to_be_visible()
    check_page(browser, page.url, "alert", administrator)
    page.get_by_label("Note").fill("on my way")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("on my way")).to_be_visible()
    expect(page.locator("#bell")).to_have_attribute("aria-label", "No alerts")
    page.get_by_label("For", exact=True).select_option("a day")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("button", name="Silence no more")).to_be_visible()
    page.get_by_role("link", name="Alerts").first.click()
    page.get_by_role("link", name="Looked after").click()
    expect(page.get_by_role("link", name="berlin: 3 devices are silent")).to_be_visible()
    page.get_by_role("link", name="Late", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_a_rule_says_who_is_told(page, browser, administrator):
    page.goto(HOME + "/alerts/rules")
    expect(page.get_by_role("heading", name="No rule yet")).to_be_visible()
    page.get_by_label("Name").fill("site-down")
    page.get_by_label("Mail addresses").fill("nobody")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("must be a mail address")
    browser.errors.clear()  # The browser calls the form's 422 an error.
    page.get_by_label("Mail addresses").fill("ops@example.com, night@example.com")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_text("ops@example.com, night@example.com")).to_be_visible()
    check_page(browser, HOME + "/alerts/rules", "alert-rules", administrator)
    page.get_by_role("link", name="site-down").click()
    expect(page.get_by_label("Mail addresses")).to_have_value("ops@example.com, night@example.com")
    page.get_by_label("Mail addresses").fill("night@example.com")
    page.get_by_label("In use").uncheck()
    check_page(browser, page.url, "alert-rule", administrator)
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("Not in use", exact=True)).to_be_visible()
    expect(page.get_by_text("ops@example.com", exact=False)).to_have_count(0)
    page.get_by_role("link", name="site-down").click()
    expect(page.get_by_label("In use")).not_to_be_checked()
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_text("To stop it for a time, switch it off.")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No rule yet")).to_be_visible()

"""A person's own pages in a real browser: factors, password, sessions, what they may do, and programs."""

import re
import sqlite3
import time

import pytest
import requests
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser, server
from people import ACME, NEWCOMER, Codes, Person, authenticator, is_in, keep_codes, secret_of, sign_out


@pytest.fixture(scope="module")
def ivy(server, browser, administrator):
    """Somebody who has come in by an invitation, with a page on their profile."""
    person = Person(server, "ivy")
    page = browser.page()
    person.accept(page)
    is_in(page)
    person.page = page
    yield person
    page.context.close()


def older(server, minutes):
    """Lets every proof be older, as if the session had been open for a while."""
    server.stop()

    with sqlite3.connect(server.data / "tidegate.db") as database:
        database.execute("UPDATE sign_in_session SET proved = proved - ?", (minutes * 60_000_000,))
    server.start()


def test_the_menu_leads_to_ones_own_pages(ivy):
    page = ivy.page
    page.locator("details.person summary").click()
    page.get_by_role("link", name="Your profile").click()
    expect(page.get_by_role("heading", name="Your profile")).to_be_visible()
    expect(page.get_by_text("your password alone lets you in")).to_be_visible()
    # The way back into the organisation stays.
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Devices")).to_be_visible()


def test_factors_are_added_renamed_and_removed(ivy):
    page = ivy.page
    devtools = authenticator(page)
    page.goto("/profile")
    page.get_by_role("link", name="Add a factor").click()
    page.get_by_role("button", name="Passkey").click()
    page.get_by_label("What to call it").fill("Laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("The factor is added.")).to_be_visible()
    # The same device is not taken twice.
    page.goto("/profile/factors/new")
    page.get_by_role("button", name="Passkey").click()
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This device holds a passkey of your account already")
    page.get_by_role("button", name="Choose another method").click()
    page.get_by_role("button", name="Authenticator").click()
    ivy.codes = Codes(secret_of(page))
    page.get_by_label("The code that it shows now").fill(ivy.codes.next())
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("The factor is added.")).to_be_visible()
    page.get_by_label("Rename Laptop").click()
    page.locator("details[open] input[name=name]").fill("Blue laptop")
    page.locator("details[open]").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Blue laptop")).to_be_visible()
    page.get_by_label("Remove Blue laptop…").click()
    expect(page.get_by_text("Your other factors stay.")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Blue laptop")).to_have_count(0)
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()


def test_a_proof_is_asked_for_once_more_and_what_was_interrupted_goes_on(server, browser, ivy):
    page = ivy.page
    older(server, 11)
    page.goto("/profile")
    page.get_by_role("button", name="Make new codes…").click()
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("heading", name="Prove that it is you")).to_be_visible()
    page.get_by_label("Code from your authenticator").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("That is wrong")
    page.get_by_label("Code from your authenticator").fill(ivy.codes.next())
    page.get_by_role("button", name="Go on").click()
    # The codes are there without anything being typed again.
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    browser.errors.clear()


def test_the_password_is_changed_with_its_rules_in_view_and_other_sessions_end(browser, ivy):
    other = browser.page()
    other.goto("/sign-in")
    other.get_by_label("E-mail address").fill(ivy.address)
    other.get_by_label("Password", exact=True).fill(NEWCOMER)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.get_by_label("Code from your authenticator").fill(ivy.codes.next())
    other.get_by_role("button", name="Go on").click()
    is_in(other)
    expect(other.locator("#live")).to_have_text("Live")
    page = ivy.page
    page.goto("/profile")
    page.get_by_role("link", name="Change the password").click()
    page.get_by_label("Present password").fill("wrong")
    page.get_by_label("New password").fill("short")
    expect(page.locator("#rules .warning").first).to_be_visible()
    page.get_by_label("New password").fill("nine quiet lanterns at sea")
    expect(page.locator("#rules .warning")).to_have_count(0)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("alert")).to_contain_text("The present password is wrong")
    page.get_by_label("Present password").fill(NEWCOMER)
    page.get_by_label("New password").fill("nine quiet lanterns at sea")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Your password is changed, and your other sessions have ended.")).to_be_visible()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    other.context.close()
    browser.errors.clear()


def test_sessions_are_listed_and_ended(server, browser, administrator, ivy):
    second = browser.page()
    second.goto("/sign-in")
    second.get_by_label("E-mail address").fill("ada@example.com")
    second.get_by_label("Password", exact=True).fill(PASSWORD)
    second.get_by_role("button", name="Sign in", exact=True).click()
    is_in(second)
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/profile/sessions")
    expect(page.get_by_text("This one")).to_be_visible()
    expect(page.get_by_text("Chrome on Linux")).to_have_count(2)
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_text("Chrome on Linux")).to_have_count(1)
    expect(second.get_by_role("heading", name="Sign in")).to_be_visible()
    second.context.close()
    page.context.close()


def test_what_one_may_do_is_told_and_leads_to_the_devices(browser, ivy):
    page = ivy.page
    page.goto("/profile/reach")
    expect(page.get_by_text("viewer", exact=True)).to_be_visible()
    page.get_by_text(re.compile(r"\d+ permissions")).first.click()
    expect(page.get_by_text("telemetry.read")).to_be_visible()
    page.get_by_role("link", name="0 devices").click()
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()


def test_a_program_that_was_let_in_is_listed_and_ended(server, browser, ivy):
    base, check = server.people_url, str(server.ca)
    begun = requests.post(
        base + "/oauth/device_authorization", data={"client_id": "tidegate"}, verify=check, timeout=10).json()
    page = ivy.page
    page.goto("/connect?code=" + begun["user_code"])
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_text("The program is let in")).to_be_visible()
    time.sleep(begun["interval"])  # the pause that the protocol asks for
    tokens = requests.post(base + "/oauth/token", verify=check, timeout=10, data={
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "tidegate",
        "device_code": begun["device_code"]}).json()
    headers = {"Authorization": "Bearer " + tokens["access_token"]}
    devices = f"{base}/api/v1/tenants/{ACME}/devices"
    assert requests.get(devices, headers=headers, verify=check, timeout=10).status_code == 200
    page.goto("/profile/programs")
    page.get_by_role("button", name=re.compile("End what tidegate")).click()
    expect(page.get_by_role("heading", name="No program acts for you")).to_be_visible()
    assert requests.get(devices, headers=headers, verify=check, timeout=10).status_code == 401


@pytest.mark.parametrize("name,path", [
    ("profile", "/profile"), ("profile-new", "/profile/factors/new"), ("profile-password", "/profile/password"),
    ("profile-sessions", "/profile/sessions"), ("profile-reach", "/profile/reach"),
    ("profile-programs", "/profile/programs"),
])
def test_own_pages_have_no_accessibility_violation(browser, ivy, name, path):
    check_page(browser, path, name, ivy.page.context.storage_state())


def test_nothing_is_refused_by_the_policy_or_missing(browser):
    assert browser.errors == []

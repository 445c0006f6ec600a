"""The audit pages in a real browser: filter, one entry, verification and its result, export that verifies offline."""

import json
import sqlite3

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser, connected, server
from people import sign_out
from tidegate import BINARY, run


def open_page(browser, state, path):
    page = browser.page(browser.context(storage_state=state))
    page.goto("/t/acme-water" + path)
    return page


def row(page, code):
    return page.locator("tbody tr", has=page.get_by_text(code, exact=True)).first


def test_what_was_done_is_found_by_filters_that_stay_in_the_address(browser, administrator, connected):
    page = open_page(browser, administrator, "/audit")
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    page.get_by_label("Type").select_option("device.enrolled")
    expect(page.get_by_role("link", name="take this condition away")).to_be_visible()
    expect(row(page, "device.enrolled")).to_contain_text("meter-1")
    expect(row(page, "device.enrolled")).to_contain_text("Acme Water")
    page.get_by_label("Device", exact=True).fill("meter-1")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name="Device meter-1")).to_be_visible()
    assert "type=device.enrolled" in page.url and "device=meter-1" in page.url
    row(page, "device.enrolled").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Proof")).to_be_visible()
    expect(page.get_by_text("Hash of this entry")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Denied", exact=True).click()
    expect(page.get_by_role("heading", name="No entry matches")).to_be_visible()
    page.get_by_role("link", name="Show all entries").click()
    expect(page.locator("tbody tr").first).to_be_visible()
    page.context.close()


def test_a_sign_in_is_a_session_that_can_be_reviewed(browser, administrator):
    page = browser.page()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto("/t/acme-water/audit/sessions")
    newest = page.locator("tbody tr").first
    expect(newest).to_contain_text("Ada Lovelace")
    expect(newest).to_contain_text("Open")
    expect(newest).to_contain_text("127.0.0.1")
    newest.get_by_role("link", name="What was done").click()
    expect(page.get_by_text("In the session")).to_be_visible()
    expect(row(page, "audit.read")).to_contain_text("ada")
    sign_out(page)
    page.context.close()
    page = open_page(browser, administrator, "/audit/sessions")
    expect(page.locator("tbody tr").first).to_contain_text("signed out")
    page.context.close()


def test_the_log_is_verified_and_the_result_is_in_words(browser, administrator, connected):
    page = open_page(browser, administrator, "/audit")
    page.get_by_role("link", name="Verify").click()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("as recorded: none was changed")).to_be_visible(timeout=20000)
    expect(page.get_by_text("Head hash")).to_be_visible()
    page.context.close()


def test_an_exported_bundle_verifies_offline(browser, administrator, connected, tmp_path):
    page = open_page(browser, administrator, "/audit?type=device.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Bundle").click()
    bundle = tmp_path / "acme-water.audit"
    download.value.save_as(bundle)
    assert run(BINARY, "verify", "audit", bundle).stdout.startswith(b"ok")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("place,start,end,code") and any("device.enrolled" in line for line in lines)
    assert all(",device." in line for line in lines[1:])
    bundle.write_text(bundle.read_text().replace('"outcome":"success"', '"outcome":"failed"', 1))
    done = run(BINARY, "verify", "audit", bundle, check=False)
    assert done.returncode == 1 and b"DAMAGED" in done.stdout
    page.context.close()


@pytest.mark.parametrize("name,path", [
    ("audit", "/audit"), ("audit-none", "/audit?outcome=failed&who=nobody"), ("audit-entry", "/audit/3"),
    ("audit-sessions", "/audit/sessions"), ("audit-verification", "/audit/verification"),
])
def test_pages_have_no_accessibility_violation(browser, administrator, connected, name, path):
    check_page(browser, "/t/acme-water" + path, name, administrator)


def test_a_changed_database_is_found_out_and_the_entry_named(server, browser, administrator, connected):
    page = open_page(browser, administrator, "/audit?type=device.enrolled")
    address = row(page, "device.enrolled").get_by_role("link").first.get_attribute("href")
    index = int(address.rsplit("/", 1)[1])
    with sqlite3.connect(server.data / "tidegate.db", timeout=30) as database:
        changed = database.execute(
            "UPDATE audit_entry SET actor_id = 'somebody-else' WHERE code = 'device.enrolled' AND position = ?", (index,))
        assert changed.rowcount == 1
    page.goto(address)
    expect(page.get_by_text("Not as recorded")).to_be_visible()
    page.goto("/t/acme-water/audit/verification")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(f"The first bad place is entry {index}.")).to_be_visible(timeout=20000)
    expect(page.get_by_role("cell", name="Changed")).to_be_visible()
    page.context.close()
    check_page(browser, "/t/acme-water/audit/verification", "audit-damaged", administrator)
    done = run(BINARY, "verify", "audit", "--data", server.data, "--json", check=False)
    assert done.returncode == 1
    assert any(json.loads(line)["damages"][:1] and json.loads(line)["damages"][0]["index"] == index
               for line in done.stdout.splitlines())

"""Domains, devices and access in a real browser: dragged or moved by keys, previewed, saved, undone, approved by two."""

import datetime
import re
import urllib.parse

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser, server

HOME = "/t/acme-water"
TENANT = ["--tenant", "acme-water"]


@pytest.fixture(scope="module")
def tree(server, administrator):
    """plant with hall and yard, office; devices in them; ada, bob and a group."""
    for name, parent in (("plant", None), ("hall", "plant"), ("yard", "plant"), ("office", None)):
        server.admin("domain", "create", name, *TENANT, *(["--parent", parent] if parent else []))
    for name, domain in (("press", "plant/hall"), ("saw", "plant/hall"), ("pump", "plant"), ("printer", "office")):
        server.admin("device", "register", name, "--domain", domain, *TENANT)
    for name in ("bob", "cy"):
        server.admin("principal", "create", name, "--kind", "user", *TENANT)
    server.admin("group", "create", "crew", *TENANT)
    server.admin("group", "add", "crew", "cy", *TENANT)
    server.admin("grant", "create", "bob", "operator", "--domain", "plant", *TENANT)
    server.admin("grant", "create", "--group", "crew", "viewer", "--domain", "office", *TENANT)
    return True


def opened(browser, state, path="/sites"):
    page = browser.page(browser.context(storage_state=state))
    page.goto(HOME + path)
    return page


def test_a_domain_is_dragged_previewed_moved_and_put_back(browser, administrator, tree):
    page = opened(browser, administrator)
    page.locator("nav.tree").get_by_role("link", name="plant", exact=True).click()
    expect(page.get_by_role("heading", name="plant")).to_be_visible()
    source = page.locator(".tree .node", has=page.get_by_role("link", name="hall", exact=True))
    target = page.locator(".tree .node", has=page.get_by_role("link", name="office", exact=True))
    source.drag_to(target)
    expect(page.get_by_role("heading", name="Move hall to office?")).to_be_visible()
    expect(page.locator(".effect")).to_have_text(
        "1 person or program loses access, 1 person or program gains access. None of them is signed in.")
    page.get_by_role("button", name="Move").click()
    expect(page.locator(".crumbs")).to_contain_text("office")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    expect(page.locator(".place-panels .crumbs")).to_contain_text("plant")
    page.context.close()


def test_a_device_is_dragged_onto_a_domain(browser, administrator, tree):
    page = opened(browser, administrator)
    page.get_by_label("Find a domain").fill("hall")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="plant / hall").click()
    page.wait_for_load_state()
    device = page.locator("#devices .row", has=page.get_by_role("link", name="saw", exact=True))
    device.drag_to(page.locator(".tree .node", has=page.get_by_role("link", name="yard", exact=True)))
    expect(page.get_by_role("heading", name="Move saw to yard?")).to_be_visible()
    page.get_by_role("button", name="Move").click()
    expect(page.locator("#devices")).to_contain_text("saw")
    expect(page.locator(".place-panels h2").first).to_have_text("yard")
    page.context.close()


def test_the_same_by_keyboard_alone(browser, administrator, tree):
    page = opened(browser, administrator)
    keys = page.keyboard
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate("document.activeElement.closest('.tree') !== null"):
            break
    keys.press("End")
    expect(page.locator(".tree .node a:focus")).to_have_text("plant")
    keys.press("ArrowRight")
    expect(page.locator(".tree").get_by_role("link", name="yard", exact=True)).to_be_visible()
    page.locator(".tree").get_by_role("link", name="plant", exact=True).focus()
    keys.press("End")
    expect(page.locator(".tree .node a:focus")).to_have_text("yard")
    keys.press("m")
    expect(page.get_by_role("heading", name="Move yard")).to_be_visible()
    keys.type("office")
    keys.press("Enter")
    # All are listed before the search, too.
    expect(page).to_have_url(re.compile("find=office"))
    expect(page.get_by_role("link", name="office", exact=True)).to_be_visible()
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim() === 'office'"):
            break
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Move yard to office?")).to_be_visible()
    expect(page.get_by_role("button", name="Move")).to_be_focused()
    keys.press("Enter")
    expect(page.locator(".place-panels .crumbs")).to_contain_text("office")
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate("document.activeElement.id === 'undo'"):
            break
    keys.press("Enter")
    expect(page.get_by_text("Undone.")).to_be_visible()
    page.context.close()


def test_everything_works_without_script(browser, administrator, tree):
    page = browser.context(storage_state=administrator, java_script_enabled=False).new_page()
    page.goto(HOME + "/sites")
    page.locator(".tree").get_by_role("button", name="Open plant").click()
    page.locator(".tree").get_by_role("link", name="hall", exact=True).click()
    page.get_by_role("link", name="Move…", exact=True).click()
    page.get_by_role("link", name="office", exact=True).click()
    page.get_by_role("button", name="Move").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    page.context.close()


def test_access_is_given_with_an_end_after_a_look_at_its_effect_and_undone(browser, administrator, tree):
    page = opened(browser, administrator)
    page.locator(".tree").get_by_role("link", name="plant", exact=True).click()
    expect(page.get_by_role("heading", name="plant")).to_be_visible()
    page.get_by_role("link", name="Give access…").click()
    page.get_by_label("Person or program").fill("nobody-here")
    page.get_by_label("Role").select_option("technician")
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no such principal")
    browser.errors.clear()
    page.get_by_label("Person or program").fill("cy")
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=7)
    page.get_by_label("Until (UTC)").fill(end.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="See what it does").click()
    expect(page.locator(".effect")).to_have_text("1 person or program gains access.")
    page.get_by_role("button", name="Give access").click()
    line = page.locator(".holders li", has_text="technician")
    expect(line).to_contain_text("cy")
    expect(line).to_contain_text("direct")
    expect(line.locator("time")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Changes")).to_be_visible()
    expect(page.get_by_text("undone").first).to_be_visible()
    page.goto(HOME + "/sites/people/cy")
    expect(page.get_by_text("by the group crew")).to_be_visible()
    expect(page.get_by_text("technician")).to_have_count(0)
    page.goto(HOME + "/devices/printer")
    expect(page.locator("#reach-title")).to_be_visible()
    expect(page.locator(".holders")).to_contain_text("crew (1 person)")
    page.context.close()


def test_two_people_decide_about_a_powerful_role(server, browser, administrator, tree):
    made = server.admin("user", "invite", "eve@example.com", "--role", "admin", "--reason", "second", *TENANT)
    other = browser.page()
    other.goto(made["link"]["url"])
    name = other.get_by_label("Name", exact=True)
    if name.count():
        name.first.fill("Eve")
    other.get_by_label("Password").fill(PASSWORD + " too")
    other.locator("form button").last.click()
    expect(other.locator("nav.side")).to_be_visible()
    server.admin("change", "policy", "--second", "yes", "--reason", "four eyes", *TENANT)
    page = opened(browser, administrator)
    page.get_by_role("link", name="Give access…").click()
    page.get_by_label("Person or program").fill("bob")
    page.get_by_label("Role").select_option("admin")
    page.get_by_label("Reason").fill("Bob takes over.")
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_text("A second administrator must approve it")).to_be_visible()
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_role("heading", name="Waiting for a second approver")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    check_page(browser, HOME + "/sites/changes", "sites-changes-waiting", administrator)
    other.goto(HOME + "/sites/changes")
    expect(other.get_by_text("Bob takes over.")).to_be_visible()
    expect(other.get_by_role("button", name="Approve")).to_have_count(0)
    other.get_by_role("link", name="See what it changes").click()
    expect(other.get_by_role("heading", name="Give the role admin to bob")).to_be_visible()
    expect(other.get_by_text("The role admin allows")).to_be_visible()
    check_page(browser, urllib.parse.urlsplit(other.url).path, "sites-change", administrator)
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_text("Approved, and done.")).to_be_visible()
    page.goto(HOME + "/sites/people/bob")
    expect(page.locator("main")).to_contain_text("admin")
    server.admin("change", "policy", "--second", "no", "--reason", "done", *TENANT)
    page.context.close()
    other.context.close()


def test_staff_come_in_by_a_share_that_ends(browser, administrator, tree):
    page = opened(browser, administrator, "/sites/shares")
    page.get_by_label("Organisation").fill("platform")
    page.get_by_label("Whoever there is").fill("platform-admin")
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
    page.get_by_label("until (").fill(end.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="Offer").click()
    expect(page.get_by_text("the platform's staff")).to_be_visible()
    page.get_by_role("button", name="End…").click()
    page.get_by_role("button", name="End the share").click()
    expect(page.get_by_text("The share is ended.")).to_be_visible()
    page.context.close()


def place(server, path):
    found = server.admin("domain", "list", *TENANT)
    items = found["items"] if isinstance(found, dict) else found
    return next(item["id"] for item in items if item["name"] == path)


@pytest.mark.parametrize("name,path", [
    ("sites", "/sites"), ("sites-found", "/sites?find=hall"), ("sites-place", "/sites?at={hall}&undo-move={hall}"),
    ("sites-move", "/sites/move?domain={hall}"), ("sites-preview", "/sites/move?domain={hall}&to={office}"),
    ("sites-grant", "/sites/grant?domain={hall}"), ("sites-changes", "/sites/changes"),
    ("sites-people", "/sites/people"), ("sites-person", "/sites/people/bob"), ("sites-shares", "/sites/shares"),
    ("device-reach", "/devices/press"),
])
def test_pages_have_no_accessibility_violation(server, browser, administrator, tree, name, path):
    check_page(
        browser, HOME + path.format(hall=place(server, "hall"), office=place(server, "office")), name, administrator)


def test_the_question_before_a_grant_has_no_violation(server, browser, administrator, tree):
    def ask(page):
        page.get_by_label("Person or program").fill("cy")
        page.get_by_label("Role").select_option("operator")
        page.get_by_role("button", name="See what it does").click()
        expect(page.locator(".effect")).to_be_visible()

    check_page(browser, f"{HOME}/sites/grant?domain={place(server, 'hall')}", "sites-grant-asks", administrator, ask)


def test_nothing_is_refused_by_the_policy_or_missing(browser, administrator, tree):
    assert browser.errors == []

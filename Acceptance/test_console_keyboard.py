"""Journeys with the keyboard alone: no mouse, no touch, and the focus always to be seen."""

import re
import urllib.parse

import pytest
from playwright.sync_api import expect

from console import administrator, browser, server  # noqa: F401
from people import ACME, NEWCOMER, Codes, Person, is_in, secret_of

HOME = f"/t/{ACME}"
TENANT = ["--tenant", ACME]


@pytest.fixture(scope="module")
def tree(server, administrator):
    for name, parent in (("plant", None), ("hall", "plant"), ("office", None)):
        server.admin("domain", "create", name, *TENANT, *(["--parent", parent] if parent else []))
    for name in ("press", "saw"):
        server.admin("device", "register", name, "--domain", "plant/hall", *TENANT)
    return True


class Keys:
    """A page that is used by keys only."""

    def __init__(self, page):
        self.page = page

    def to(self, locator, most=150):
        """Presses Tab until this has the focus, which must be to be seen."""
        for _ in range(most):
            if locator.count() and locator.first.evaluate("element => element === document.activeElement"):
                seen = locator.first.evaluate("""element => {
                    const look = getComputedStyle(element);
                    return element.matches(":focus-visible")
                        && (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0 || look.boxShadow !== "none");
                }""")
                assert seen, f"the focus on {locator} is not to be seen"
                return self
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {locator}")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text):
        self.page.keyboard.type(text)
        return self


def test_somebody_signs_in_sets_up_a_factor_and_signs_out(server, browser, administrator):
    person = Person(server, "kim")
    page = browser.page()
    person.accept(page)
    is_in(page)
    page.context.clear_cookies()
    page.goto("/profile")
    keys = Keys(page)
    keys.to(page.get_by_label("E-mail address")).type(person.address)
    keys.to(page.get_by_label("Password", exact=True)).type(NEWCOMER).press("Enter")
    expect(page.get_by_role("heading", name="Your profile")).to_be_visible()
    keys.to(page.get_by_role("link", name="Add a factor")).press("Enter")
    expect(page.get_by_role("heading", name="Add a factor")).to_be_visible()
    keys.to(page.get_by_role("button", name="Authenticator")).press("Enter")
    expect(page.locator("#secret")).to_be_visible()
    codes = Codes(secret_of(page))
    keys.to(page.get_by_label("The code that it shows now")).type("000000").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That is wrong")
    keys.to(page.get_by_label("The code that it shows now")).press("Control+A").type(codes.next()).press("Enter")
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
    keys.to(page.get_by_role("link", name="I have kept them")).press("Enter")
    expect(page.get_by_text("The factor is added.")).to_be_visible()
    keys.to(page.locator("details.person summary")).press("Enter")
    keys.to(page.get_by_role("button", name="Sign out")).press("Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    browser.errors.clear()
    page.context.close()


def test_devices_are_found_ticked_and_suspended(browser, administrator, tree):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME)
    keys = Keys(page)
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.to(page.get_by_role("navigation", name="Main").get_by_role("link", name="Devices")).press("Enter")
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    keys.press("/")
    expect(page.get_by_label("Find a device")).to_be_focused()
    keys.type("press").press("Enter")
    expect(page.get_by_role("link", name="saw", exact=True)).to_have_count(0)
    keys.to(page.get_by_role("checkbox", name="press", exact=True)).press("Space")
    keys.to(page.get_by_role("button", name="Suspend")).press("Enter")
    expect(page.get_by_text("Connections are closed and refused until somebody resumes.")).to_be_visible()
    keys.to(page.get_by_role("button", name="Suspend 1 device")).press("Enter")
    expect(page.get_by_text("1 of 1 done.")).to_be_visible()
    keys.to(page.get_by_role("link", name="Back to the list")).press("Enter")
    expect(page.get_by_role("row", name="press").get_by_text("Suspended")).to_be_visible()
    page.context.close()


def test_all_that_match_are_suspended_and_nothing_else(server, browser, administrator, tree, tmp_path):
    lines = ["name,label.hall"] + [f"meter-{index:02},{'far' if index < 60 else 'near'}" for index in range(70)]
    file = tmp_path / "devices.csv"
    file.write_text("\n".join(lines) + "\n")
    assert server.admin("device", "bulk", file, *TENANT, check=False).returncode == 0
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/devices")
    keys = Keys(page)
    keys.to(page.get_by_label("Filter", exact=True)).type('label.hall = "far"').press("Enter")
    everything = page.get_by_label("All 60 matching")
    expect(everything).to_be_visible()
    suspend = page.get_by_role("button", name="Suspend")
    expect(suspend).to_be_disabled()
    keys.to(everything, most=250).press("Space")
    expect(everything).to_be_checked()
    keys.to(suspend, most=3).press("Enter")
    keys.to(page.get_by_role("button", name="Suspend 60 devices")).press("Enter")
    expect(page.get_by_text("60 of 60 done.").or_(page.get_by_text("60 done, 0 refused, of 60"))).to_be_visible()
    page.goto(HOME + "/devices?filter=" + urllib.parse.quote('label.hall = "far" and status = suspended'))
    expect(page.get_by_text("60 in all")).to_be_visible()
    page.goto(HOME + "/devices?filter=" + urllib.parse.quote('label.hall = "near" and status = suspended'))
    expect(page.get_by_role("heading", name="No device matches")).to_be_visible()
    page.context.close()


def test_a_domain_is_moved_after_a_look_at_what_it_does_and_put_back(browser, administrator, tree):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/sites")
    keys = Keys(page)
    node = page.locator(".tree .node a")
    keys.to(node)
    keys.press("End")
    expect(page.locator(".tree .node a:focus")).to_have_text("plant")
    keys.press("ArrowRight")
    expect(page.locator(".tree").get_by_role("link", name="hall", exact=True)).to_be_visible()
    keys.to(page.locator(".tree .node a", has_text="plant")).press("ArrowDown")
    expect(page.locator(".tree .node a:focus")).to_have_text("hall")
    keys.press("m")
    expect(page.get_by_role("heading", name="Move hall")).to_be_visible()
    keys.type("office").press("Enter")
    # All are listed before the search, too.
    expect(page).to_have_url(re.compile("find=office"))
    office = page.get_by_role("main").get_by_role("link", name="office", exact=True)
    expect(office).to_be_visible()
    keys.to(office).press("Enter")
    expect(page.get_by_role("heading", name="Move hall to office?")).to_be_visible()
    keys.to(page.get_by_role("button", name="Move")).press("Enter")
    expect(page.locator(".place-panels .crumbs")).to_contain_text("office")
    keys.to(page.locator("#undo")).press("Enter")
    expect(page.get_by_text("Undone.")).to_be_visible()
    page.context.close()


def test_a_directory_is_written_and_left(browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/settings")
    keys = Keys(page)
    keys.to(page.get_by_role("main").get_by_role("link", name="Directories").first).press("Enter")
    keys.to(page.get_by_role("link", name="New LDAP server")).press("Enter")
    keys.to(page.get_by_label("Name", exact=True)).type("office")
    keys.to(page.get_by_label("Server")).type("ldaps://ldap.example.com")
    keys.to(page.get_by_label("Base")).type("dc=example")
    keys.to(page.get_by_label("Group 1")).type("cn=crew")
    keys.to(page.get_by_label("Role 1")).type("operator")
    keys.to(page.get_by_role("button", name="Set it up")).press("Enter")
    expect(page.get_by_role("heading", name="office")).to_be_visible()
    expect(page.get_by_text("cn=crew")).to_be_visible()
    page.context.close()


def test_nothing_is_refused_by_the_policy_or_missing(browser, administrator):
    assert browser.errors == []

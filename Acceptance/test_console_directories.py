"""Directories set up by the pages of the settings, tested there, and used at once: slapd and an OpenID provider."""

import re

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import administrator  # noqa: F401
from directories import browser, provider, slapd  # noqa: F401
from tidegate import Server

HOME = "/t/acme-water/settings/directories"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(
        tmp_path_factory.mktemp("server"), environment={"TIDEGATE_DIRECTORIES_NETWORKS": "127.0.0.0/8, ::1/128"})
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def office(browser, administrator, authority, slapd):
    """An LDAP server, set up by its page; the address of its page."""
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME)
    page.get_by_role("link", name="New LDAP server").click()
    page.get_by_label("Name", exact=True).fill("office")
    page.get_by_label("Server").fill("http://nowhere.example")
    page.get_by_label("Base").fill("dc=example")
    page.get_by_label("Searcher", exact=True).fill("cn=reader,dc=example")
    page.get_by_label("The searcher's password").fill("reader secret")
    page.get_by_label("Filter for their groups").fill("(&(objectClass=groupOfNames)(member={dn}))")
    page.get_by_label("Trusted certificates").fill(authority.ca.read_text())
    page.get_by_label("gets an account when a group of theirs has a role").check()
    page.get_by_label("Group 1").fill("cn=staff,dc=example")
    page.get_by_label("Role 1").select_option("operator")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("This must be ldaps://host")).to_be_visible()
    expect(page.get_by_label("Group 1")).to_have_value("cn=staff,dc=example")
    expect(page.get_by_label("Role 1")).to_have_value("operator")
    browser.errors.clear()
    page.get_by_label("Server").fill(slapd.url)
    page.get_by_label("The searcher's password").fill("wrong")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name="office")).to_be_visible()
    address = re.sub(r"^https?://[^/]*|\?.*", "", page.url)
    page.context.close()
    return address


def test_a_test_says_what_is_wrong_and_then_that_it_works(browser, administrator, office):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(office)
    page.get_by_role("link", name="Test", exact=True).click()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It does not work yet.")).to_be_visible()
    expect(page.get_by_text("The searcher's name or password is wrong.")).to_be_visible()
    page.get_by_role("link", name="To the directory").click()
    page.get_by_role("link", name="Change", exact=True).click()
    assert page.get_by_label("The searcher's password").input_value() == ""
    page.get_by_label("The searcher's password").fill("reader secret")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Test", exact=True).click()
    page.get_by_label("User name").fill("ann")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("Their address is ann@example.com.")).to_be_visible()
    expect(page.locator("code", has_text="cn=staff,dc=example")).to_be_visible()
    expect(page.get_by_text("gives operator")).to_be_visible()
    page.screenshot(path=".build/screenshots/directory-test-works.png", full_page=True)
    assert "reader secret" not in page.content()
    page.context.close()


def test_somebody_signs_in_by_it_and_is_listed(browser, administrator, office):
    own = browser.page()
    own.goto("/sign-in/organisation?organisation=acme-water")
    own.get_by_label("User name").fill("ann")
    own.get_by_label("Password").fill("ann secret")
    own.get_by_role("button", name="Sign in", exact=True).click()
    expect(own.get_by_role("heading", name="Overview")).to_be_visible()
    own.context.close()
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(office)
    page.locator("dl").get_by_role("link", name="1", exact=True).first.click()
    expect(page.get_by_role("link", name="Ann Example")).to_be_visible()
    page.context.close()


def test_a_provider_is_set_up_tested_used_switched_off_and_removed(browser, administrator, authority, provider):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/new/openid")
    expect(page.get_by_text("/sign-in/return")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("corp")
    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_label("Client", exact=True).fill(provider.client)
    page.get_by_label("Client secret").fill(provider.secret)
    page.get_by_label("Trusted certificates").fill(authority.ca.read_text())
    page.get_by_label("is taken for its holder").check()
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("alert")).to_contain_text("needs a reason")
    browser.errors.clear()
    page.get_by_label("Reason").fill("one account each")
    page.get_by_label("Client secret").fill(provider.secret)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name="corp")).to_be_visible()
    place = re.sub(r"^https?://[^/]*|\?.*", "", page.url)
    page.get_by_role("link", name="Test", exact=True).click()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text(f"It knows {provider.client} and the secret.")).to_be_visible()
    provider.tell({"email": "ada@example.com", "sub": "u-ada", "name": "Ada"})
    own = browser.page()
    own.goto("/sign-in/organisation?organisation=acme-water")
    own.get_by_role("button", name="Go on at corp").click()
    own.get_by_role("button", name="I am Ann").click()
    expect(own.get_by_role("heading", name="Overview")).to_be_visible()
    own.context.close()
    page.goto(place)
    page.get_by_role("link", name="Switch off").click()
    page.get_by_label("Reason").fill("for tonight")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Switched off").first).to_be_visible()
    own = browser.page()
    own.goto("/sign-in/organisation?organisation=acme-water")
    expect(own.get_by_role("button", name="Go on at corp")).to_have_count(0)
    own.context.close()
    page.get_by_role("link", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Removed.")).to_be_visible()
    expect(page.get_by_role("link", name="corp")).to_have_count(0)
    page.context.close()


def test_the_same_by_the_command_line(server, browser, administrator, office, slapd, authority, tmp_path):
    file = tmp_path / "office.json"
    shown = server.admin("directory", "show", "office", "--tenant", "acme-water")
    assert shown["ldap"]["server"] == slapd.url and "secret" not in shown
    tested = server.admin("directory", "test", "office", "--user", "ann", "--tenant", "acme-water")
    assert tested["works"] and tested["groups"] == ["cn=staff,dc=example"]
    file.write_text('{"ldap": {"server": "%s", "base": "dc=example"}}' % slapd.url)
    secret = tmp_path / "secret"
    secret.write_text("nothing\n")
    server.admin("directory", "put", "other", file, "--secret-file", secret, "--tenant", "acme-water")
    names = [item["name"] for item in server.admin("directory", "list", "--tenant", "acme-water")["items"]]
    assert names == ["office", "other"]
    assert server.admin("directory", "test", "other", "--tenant", "acme-water", check=False).returncode == 1
    server.admin("directory", "remove", "other", "--reason", "a try", "--tenant", "acme-water")


@pytest.mark.parametrize("name,path", [
    ("directories", ""), ("directory-openid", "/new/openid"), ("directory-ldap", "/new/ldap"),
    ("directory-office", "OFFICE"), ("directory-edit", "OFFICE/edit"), ("directory-try", "OFFICE/test"),
    ("directory-people", "OFFICE/people"), ("directory-switch", "OFFICE/switch"), ("directory-remove", "OFFICE/remove"),
])
def test_pages_have_no_accessibility_violation(browser, administrator, office, name, path):
    check_page(browser, path.replace("OFFICE", office) if "OFFICE" in path else HOME + path, name, administrator)

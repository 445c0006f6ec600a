"""The settings of an organisation, in a real browser: people, groups, roles, programs, rules, deliveries, keys."""

import json
import re
import subprocess

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser
from receivers import Hook
from tidegate import Server, wait_for

HOME = "/t/acme-water/settings"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose outlets may lie on this machine."""
    running = Server(
        tmp_path_factory.mktemp("server"), environment={"TIDEGATE_DELIVERY_NETWORKS": "127.0.0.0/8, ::1/128"})
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def hook(authority):
    running = Hook(authority)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def colleague(server, browser, administrator):
    """Bea, whom Ada invites; she takes the account up by the link that Ada hands her. Her browser's state and page."""
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("E-mail address").fill("bea@example.com")
    page.get_by_label("Name", exact=True).fill("Bea Example")
    page.get_by_label("Role", exact=True).select_option("operator")
    page.get_by_role("button", name="Invite").click()
    link = page.locator("#secret").inner_text()
    page.get_by_role("link", name="I have it").click()
    expect(page.get_by_text("Invited").first).to_be_visible()
    place = re.sub(r"\?.*", "", page.url)
    own = browser.page()
    own.goto(link)
    own.get_by_label("Password").fill(PASSWORD + " bea")
    own.get_by_role("button").last.click()
    expect(own.get_by_role("heading", name="Overview")).to_be_visible()
    state = own.context.storage_state()
    own.context.close()
    page.reload()
    expect(page.get_by_text("Active").first).to_be_visible()
    page.goto(HOME + "/users")
    row = page.get_by_role("row", name=re.compile("Bea Example"))
    expect(row).to_contain_text("operator")
    page.context.close()
    return state, place


def test_who_is_invited_takes_the_account_up_and_appears(colleague):
    assert colleague[0]["cookies"]


def test_a_user_group_gives_its_role_and_takes_it_away(browser, administrator, colleague):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/groups")
    page.get_by_role("link", name="New user group").click()
    page.get_by_label("Name", exact=True).fill("night-crew")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="Give a role").click()
    page.get_by_label("Role", exact=True).select_option("auditor")
    page.get_by_role("button", name="Give the role").click()
    page.get_by_role("link", name="Add a user").click()
    page.get_by_label("User").fill("nobody@example.com")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody here has this address.")
    browser.errors.clear()
    page.get_by_label("User").fill("bea@example.com")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("link", name="bea", exact=True)).to_be_visible()
    own = browser.page(browser.context(storage_state=colleague[0]))
    own.goto(HOME + "/groups")
    expect(own.get_by_role("link", name="night-crew")).to_be_visible()
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_text("loses something")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is in this group.")).to_be_visible()
    own.reload()
    expect(own.get_by_role("heading", name="Nothing here")).to_be_visible()
    browser.errors.clear()
    own.context.close()
    page.context.close()


def test_who_is_disabled_is_out_at_once_and_back_when_enabled(browser, administrator, colleague):
    own = browser.page(browser.context(storage_state=colleague[0]))
    own.goto("/t/acme-water/devices")
    expect(own.locator("#live")).to_have_text("Live")
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(colleague[1])
    page.get_by_role("link", name="Disable").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Disabled, and signed out everywhere.")).to_be_visible()
    expect(own.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("link", name="Enable").click()
    page.get_by_role("button", name="Enable").click()
    own.get_by_label("E-mail address").fill("bea@example.com")
    own.get_by_label("Password", exact=True).fill(PASSWORD + " bea")
    own.get_by_role("button", name="Sign in", exact=True).click()
    expect(own.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    colleague[0].update(own.context.storage_state())
    own.context.close()
    page.context.close()


def test_the_settings_work_without_script(browser, administrator, colleague):
    page = browser.context(storage_state=administrator, java_script_enabled=False).new_page()
    page.goto(colleague[1])
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Allowed from").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Allowed from").input_value() == "nowhere", "no input is lost"
    page.get_by_label("Allowed from").fill("127.0.0.0/8\n::1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("127.0.0.0/8")).to_be_visible()
    page.context.close()


# Programs


def test_an_api_key_is_made_used_with_curl_and_ended(server, browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/api-keys")
    page.get_by_role("link", name="New API key").click()
    page.get_by_label("Name", exact=True).fill("meter reader")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_label("see devices device.read").check()
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#secret").inner_text()

    def curl(path):
        done = subprocess.run(
            ["curl", "-s", "--cacert", server.ca, "-H", f"Authorization: Bearer {key}", "-o", "/dev/null", "-w",
             "%{http_code}", f"{server.people_url}/api/v1/tenants/acme-water{path}"],
            capture_output=True, text=True, timeout=30)
        return done.stdout

    assert curl("/devices") == "200" and curl("/models") == "404"
    page.get_by_role("link", name="I have it").click()
    row = page.get_by_role("row", name=re.compile("meter reader"))
    expect(row).to_contain_text("1 permission")
    expect(row).to_contain_text("viewer")
    assert key not in page.content()
    row.get_by_role("link", name="End").click()
    page.get_by_role("button", name="End the key").click()
    expect(page.get_by_text("Ended.", exact=True)).to_be_visible()
    assert curl("/devices") == "401"
    page.context.close()


def test_a_program_is_registered_and_gets_a_token_with_its_secret(server, browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/programs/new")
    page.get_by_label("Name", exact=True).fill("Billing")
    page.get_by_label("for itself").check()
    page.get_by_label("Its own role").select_option("viewer")
    page.get_by_role("button", name="Register").click()
    secret = page.locator("#secret").inner_text()
    client = re.search(r"client_id is ([0-9a-f]+)", page.inner_text("main")).group(1)
    done = subprocess.run(
        ["curl", "-s", "--cacert", server.ca, "-u", f"{client}:{secret}", "-d", "grant_type=client_credentials",
         f"{server.people_url}/oauth/token"], capture_output=True, text=True, timeout=30)
    assert "access_token" in json.loads(done.stdout), done.stdout
    page.get_by_role("link", name="I have it").click()
    expect(page.get_by_role("heading", name="Billing")).to_be_visible()
    page.context.close()


def test_a_session_is_ended_under_somebodys_hands(browser, administrator, colleague):
    own = browser.page(browser.context(storage_state=colleague[0]))
    own.goto("/t/acme-water/devices")
    expect(own.locator("#live")).to_have_text("Live")
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/sessions")
    page.get_by_role("row", name=re.compile("Bea Example")).first.get_by_role("button", name="End").click()
    expect(page.get_by_text("Ended. Nobody can go on there without signing in again.")).to_be_visible()
    expect(own.get_by_role("heading", name="Sign in")).to_be_visible()
    own.get_by_label("E-mail address").fill("bea@example.com")
    own.get_by_label("Password", exact=True).fill(PASSWORD + " bea")
    own.get_by_role("button", name="Sign in", exact=True).click()
    expect(own.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    colleague[0].update(own.context.storage_state())
    own.context.close()
    page.context.close()


# Rules


def test_a_role_is_made_granted_and_changed_after_its_effect_was_told(browser, administrator, colleague):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/roles")
    page.get_by_role("link", name="New role").click()
    page.get_by_label("Name", exact=True).fill("night-watch")
    page.get_by_label("see devices device.read").check()
    page.get_by_label("read the audit log audit.read").check()
    page.get_by_label("Reason").fill("they watch at night")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="night-watch")).to_be_visible()
    page.goto(colleague[1])
    page.get_by_role("link", name="Give a role").click()
    page.get_by_label("Role", exact=True).select_option("night-watch")
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_text("night-watch").first).to_be_visible()
    page.goto(HOME + "/roles/night-watch")
    expect(page.get_by_role("link", name="Bea Example")).to_be_visible()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("read the audit log audit.read").uncheck()
    page.get_by_label("Reason").fill("the log is not theirs")
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_text("1 person or program loses something.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("read the audit log")).to_have_count(0)
    page.context.close()


def test_rules_that_would_lock_their_editor_out_are_refused(browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/sign-in")
    page.get_by_role("link", name="Change the rules").click()
    page.get_by_label("Session ends without use after").fill("45")
    page.get_by_label("Allowed from").fill("192.0.2.0/24")
    page.get_by_label("Reason").fill("the office only")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("This list would lock you out")
    assert page.get_by_label("Session ends without use after").input_value() == "45", "no input is lost"
    page.get_by_label("Allowed from").fill("192.0.2.0/24\n127.0.0.0/8\n::1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("45 minutes")).to_be_visible()
    page.get_by_role("link", name="Change the rules").click()
    page.get_by_label("Allowed from").fill("")
    page.get_by_label("Reason").fill("home again")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("anywhere")).to_be_visible()
    browser.errors.clear()
    page.context.close()


def test_a_second_approver_makes_what_another_proposed(browser, administrator, colleague):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(colleague[1])
    page.get_by_role("link", name="Give a role").click()
    page.get_by_label("Role", exact=True).select_option("owner")
    page.get_by_label("Reason").fill("two of us")
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(HOME + "/sign-in")
    page.get_by_role("link", name="Change the second approver").click()
    page.get_by_label("Reason").fill("four eyes")
    page.get_by_role("button", name="Want a second approver").click()
    expect(page.get_by_text("need a second approver")).to_be_visible()
    page.goto(HOME + "/roles/new")
    page.get_by_label("Name", exact=True).fill("gardener")
    page.get_by_label("see devices device.read").check()
    page.get_by_label("Reason").fill("for the plants")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Proposed: it waits for a second approver.")).to_be_visible()
    page.get_by_role("link", name="Role gardener").click()
    expect(page.get_by_text("Another administrator must approve it")).to_be_visible()
    own = browser.page(browser.context(storage_state=colleague[0]))
    own.goto(page.url)
    own.get_by_role("button", name="Approve").click()
    expect(own.get_by_text("Approved, and done.")).to_be_visible()
    own.goto(HOME + "/roles/gardener")
    expect(own.get_by_text("see devices")).to_be_visible()
    # To end it takes two as well.
    own.goto(HOME + "/sign-in")
    own.get_by_role("link", name="Change the second approver").click()
    own.get_by_label("Reason").fill("enough of that")
    own.get_by_role("button", name="Let one decide alone").click()
    own.get_by_role("link", name="Second approver").click()
    expect(own.get_by_role("button", name="Take back")).to_be_visible()
    page.goto(own.url)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved, and done.")).to_be_visible()
    own.context.close()
    page.context.close()


# Deliveries


def test_a_webhook_takes_a_test_and_its_dead_letter_is_replayed(server, browser, administrator, authority, hook):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/outlets")
    expect(page.get_by_text("Rests in the outbox")).to_be_visible()
    page.get_by_role("link", name="New Webhook").click()
    page.get_by_label("Name", exact=True).fill("hook")
    page.get_by_label("Address").fill("http://127.0.0.1/")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("must be an https:// address").first).to_be_visible()
    page.get_by_label("Address").fill(f"https://127.0.0.1:{hook.port}/hook")
    page.get_by_label("Events").fill("group.")
    page.get_by_label("Trusted certificates").fill(authority.ca.read_text())
    page.get_by_role("button", name="Set it up").click()
    assert page.locator("#secret").inner_text().startswith("whsec_")
    page.get_by_role("link", name="I have it").click()
    expect(page.get_by_role("heading", name="hook")).to_be_visible()
    place = page.url
    page.get_by_role("link", name="Send a test").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The receiver has taken it.")).to_be_visible()
    assert json.loads(hook.requests[-1][3])["type"] == "test"
    # The receiver says that it is gone for good: the next event is a dead letter.
    hook.answers.append((410, {}))
    page.goto(HOME + "/groups/new")
    page.get_by_label("Name", exact=True).fill("day-crew")
    page.get_by_role("button", name="Create").click()

    def dead():
        page.goto(HOME + "/deliveries?state=dead")
        return page.get_by_role("link", name="Event group.created").count()

    wait_for(dead, "the event is a dead letter")
    page.get_by_role("link", name="Event group.created").click()
    expect(page.get_by_text("Dead letter").first).to_be_visible()
    page.get_by_role("button", name="Read").click()
    expect(page.locator("#content-text")).to_contain_text("day-crew")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("In the queue again.")).to_be_visible()

    def delivered():
        page.goto(HOME + "/deliveries?state=delivered")
        return page.get_by_role("link", name="Event group.created").count()

    wait_for(delivered, "the event is delivered")
    assert json.loads(hook.requests[-1][3])["type"] == "group.created"
    browser.errors.clear()
    page.goto(place)
    page.get_by_role("link", name="Switch off").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Switched off").first).to_be_visible()
    page.context.close()


def test_the_firewall_page_names_the_running_ports(server, browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto(HOME + "/firewall")
    for port in ("people", "device", "mqtt"):
        expect(page.get_by_role("rowheader", name=f"{server.ports[port]}/tcp").first).to_be_visible()
    expect(page.locator("#plain-text")).to_contain_text(f"TCP {server.ports['device']} to localhost")
    expect(page.locator("#nftables-text")).to_contain_text(f"dport {server.ports['mqtt']} accept")
    page.context.close()


@pytest.mark.parametrize("name,path", [
    ("settings-api-keys", "/api-keys"), ("settings-api-key-new", "/api-keys/new"), ("settings-programs", "/programs"),
    ("settings-program-new", "/programs/new"), ("settings-sessions", "/sessions"), ("settings-roles", "/roles"),
    ("settings-role", "/roles/admin"), ("settings-role-new", "/roles/new"), ("settings-sign-in", "/sign-in"),
    ("settings-sign-in-edit", "/sign-in/edit"), ("settings-factors", "/sign-in/factors"),
    ("settings-outlets", "/outlets"), ("settings-outlet-mail", "/outlets/new/mail"),
    ("settings-outlet-sms", "/outlets/new/sms"), ("settings-outlet-syslog", "/outlets/new/syslog"),
    ("settings-deliveries", "/deliveries"), ("settings-certificates", "/certificates"),
    ("settings-firewall", "/firewall"),
])
def test_more_settings_have_no_accessibility_violation(browser, administrator, colleague, name, path):
    check_page(browser, HOME + path, name, administrator)


@pytest.mark.parametrize("name,path", [
    ("settings", ""), ("settings-users", "/users"), ("settings-invite", "/users/invite"),
    ("settings-user", "USER"), ("settings-user-grant", "USER/grant"), ("settings-user-disable", "USER/disable"),
    ("settings-groups", "/groups"), ("settings-changes", "/changes"),
])
def test_settings_have_no_accessibility_violation(browser, administrator, colleague, name, path):
    user = re.sub(r"^https?://[^/]*", "", colleague[1])
    check_page(browser, path.replace("USER", user) if "USER" in path else HOME + path, name, administrator)


def test_nothing_is_refused_by_the_policy_or_missing(browser, administrator):
    assert browser.errors == []

"""The reports in a real browser: what failed, which versions run, who may do what; as page and as CSV."""

import re
import subprocess

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import PASSWORD, administrator, browser, connected, server
from tidegate import wait_for


def open_page(browser, state, path):
    page = browser.page(browser.context(storage_state=state))
    page.goto("/t/acme-water" + path)
    return page


@pytest.fixture(scope="module")
def suspended(server, browser, administrator, connected):
    """meter-1 has components, was suspended, and has been refused since."""
    server.admin("device", "suspend", "meter-1", "--tenant", "acme-water")
    for _ in range(2):
        done = subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(server.ports["mqtt"]), "--cafile", "server-ca.pem", "--cert",
             "device.pem", "--key", "device.key", "-t", "telemetry", "-m", "[]"], cwd=connected, timeout=30,
            capture_output=True)
        assert done.returncode != 0
    return "meter-1"


def test_a_device_that_is_refused_is_in_the_report(browser, administrator, suspended):
    page = open_page(browser, administrator, "/reports")
    line = page.locator("tbody tr", has_text="meter-1")
    expect(line).to_contain_text("the device is suspended")
    expect(line).to_contain_text("Suspended")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    [line] = [line for line in download.value.path().read_text().splitlines() if line.startswith("meter-1,")]
    assert ",refused,the device is suspended," in line and int(line.split(",")[9]) >= 2
    page.context.close()


def test_versions_lead_to_their_devices(browser, administrator, server, suspended):
    token = server.token("acme-water", "admin")
    for number, version in enumerate(["2.7.1", "2.7.1", "3.0 \"beta\""]):
        device = {"name": f"gateway-{number}", "components": {"system": version, "modem": "R7"}}
        server.post("/tenants/acme-water/devices", token, json=device).raise_for_status()
    page = open_page(browser, administrator, "/reports")
    page.get_by_role("link", name="Versions").click()
    expect(page.get_by_role("heading", name="Versions", exact=True)).to_be_visible()
    system = page.locator("section", has=page.get_by_role("heading", name="system"))
    expect(system).to_contain_text("2 versions on 3 devices")
    system.get_by_role("link", name="2.7.1").click()
    expect(page.locator("#summary")).to_have_text("2 devices match")
    page.go_back()
    system.get_by_role("link", name="beta").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.context.close()


def test_failures_are_chosen_by_state(browser, administrator, suspended):
    page = open_page(browser, administrator, "/reports")
    page.get_by_role("link", name="Online").click()
    expect(page.get_by_role("heading", name="No such failure")).to_be_visible()
    page.get_by_role("link", name="Suspended").click()
    expect(page.locator("tbody tr", has_text=suspended)).to_be_visible()
    page.get_by_role("link", name="Most first").click()
    expect(page).to_have_url(re.compile("sort=total"))
    expect(page.locator("tbody tr", has_text=suspended)).to_be_visible()
    page.context.close()


def test_the_access_review_names_people_roles_and_factors(browser, administrator):
    page = open_page(browser, administrator, "/reports/access")
    line = page.locator("tbody tr", has_text="ada@example.com")
    expect(line).to_contain_text("Ada Lovelace")
    expect(line).to_contain_text("password")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "ada@example.com" in download.value.path().read_text()
    page.get_by_label("Domain").select_option(index=1)
    expect(page.get_by_text("there or from above")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("name,path", [
    ("report-failures", "/reports"), ("report-versions", "/reports/versions"), ("report-access", "/reports/access"),
])
def test_pages_have_no_accessibility_violation(browser, administrator, suspended, name, path):
    check_page(browser, "/t/acme-water" + path, name, administrator)

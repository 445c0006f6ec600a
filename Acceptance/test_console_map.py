"""The map and acts on all devices that match, in a real browser."""

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser, server
from tidegate import wait_for

HOME = "/t/acme-water"
TENANT = ["--tenant", "acme-water"]


@pytest.fixture(scope="module")
def fleet(server, administrator, tmp_path_factory):
    """Devices in Berlin, in Lisbon and without a position: enough for an act that goes on in the background."""
    server.admin("domain", "create", "plant", *TENANT)
    lines = ["name,latitude,longitude"]
    lines += [f"berlin-{index:03},{52.4 + index % 20 / 100:.3f},{13.2 + index // 20 / 50:.3f}" for index in range(300)]
    lines += [f"lisbon-{index},38.72,-9.14" for index in range(3)] + ["quito,-0.2,-78.5", "somewhere,,"]
    file = tmp_path_factory.mktemp("list") / "devices.csv"
    file.write_text("\n".join(lines) + "\n")
    assert server.admin("device", "bulk", file, *TENANT, check=False).returncode == 0
    return True


def opened(browser, state, path):
    page = browser.page(browser.context(storage_state=state))
    page.goto(HOME + path)
    return page


def test_a_cluster_leads_closer_and_to_its_list(browser, administrator, fleet):
    page = opened(browser, administrator, "/map")
    expect(page.get_by_text("304 devices here")).to_be_visible()
    assert page.locator("svg.map use.land").count() == 1
    marks = page.locator("svg.map a")
    assert 3 <= marks.count() <= 10
    page.locator("svg.map a.mark-many").first.click()
    expect(page.get_by_text("300 devices here")).to_be_visible()
    expect(page.locator("svg.map a").nth(20)).to_be_attached()
    page.get_by_role("link", name="Zoom out").click()
    page.get_by_role("link", name="All devices").click()
    expect(page.get_by_text("304 devices here")).to_be_visible()
    page.locator("table").get_by_role("link", name="3 devices", exact=True).click()
    expect(page.get_by_role("heading", name="Devices on this part of the map")).to_be_visible()
    expect(page.get_by_role("link", name="lisbon-2")).to_be_visible()
    page.get_by_role("link", name="Map", exact=True).last.click()
    page.goto(HOME + "/map")
    page.get_by_role("link", name="1 device has no position").click()
    page.get_by_role("link", name="somewhere").click()
    expect(page.get_by_role("heading", name="somewhere")).to_be_visible()
    page.context.close()


def test_an_act_on_all_that_match_is_watched_to_its_end(browser, administrator, fleet):
    page = opened(browser, administrator, "/devices?find=berlin")
    page.get_by_label("All 300 matching").check()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("This goes on in the background")).to_be_visible()
    # The act is over before the page's stream is there to tell of it.
    streams = []
    page.route("**/live*", lambda route: streams.append(route))
    page.get_by_role("button", name="Suspend 300 devices").click()
    expect(page.get_by_role("heading", name="Suspend many devices")).to_be_visible()
    beside = opened(browser, administrator, "/devices/bulk")
    wait_for(lambda: beside.reload() and beside.get_by_text("Finished", exact=True).count(), "the act is over")
    beside.context.close()
    streams[-1].continue_()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("300 done, 0 refused, of 300")).to_be_visible()
    run = page.url
    check_page(browser, run, "bulk-run", administrator)
    page.get_by_role("link", name="Bulk acts").click()
    expect(page.get_by_role("link", name="Suspend devices that match")).to_be_visible()
    page.goto(HOME + "/devices?state=suspended")
    expect(page.get_by_text("300 devices match")).to_be_visible()
    page.context.close()


def test_many_are_moved_without_script(browser, administrator, fleet):
    page = browser.context(storage_state=administrator, java_script_enabled=False).new_page()
    page.goto(HOME + "/devices?find=berlin")
    page.get_by_label("All 300 matching").check()
    page.get_by_role("button", name="Move…").click()
    page.get_by_label("To the domain").fill("plant")
    page.get_by_role("button", name="Move 300 devices").click()

    def finished():
        page.reload()
        return page.get_by_text("Finished", exact=True).count()

    wait_for(finished, "all are moved", 120)
    expect(page.get_by_text("300 done, 0 refused, of 300")).to_be_visible()
    page.goto(HOME + "/sites")
    expect(page.get_by_role("link", name="300 devices in plant")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("name,path", [
    ("map", "/map"), ("map-berlin", "/map?west=13&south=52.3&east=13.8&north=52.7"),
    ("map-devices", "/map/devices?unplaced=1"), ("bulk-runs", "/devices/bulk"),
])
def test_pages_have_no_accessibility_violation(browser, administrator, fleet, name, path):
    check_page(browser, HOME + path, name, administrator)


def test_nothing_is_refused_by_the_policy_or_missing(browser, administrator, fleet):
    assert browser.errors == []

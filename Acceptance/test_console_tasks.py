"""Work for devices in a real browser: ordered for all that match, watched, paused, ended, taken out as a file."""

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser, server  # noqa: F401

HOME = "/t/acme-water"
TENANT = ("--tenant", "acme-water")


@pytest.fixture(scope="module")
def fleet(server, administrator, tmp_path_factory):
    file = tmp_path_factory.mktemp("fleet") / "many.csv"
    file.write_text("name\n" + "\n".join(f"gateway-{number}" for number in range(120)) + "\n")
    assert server.admin("device", "bulk", file, *TENANT, check=False).returncode == 0


@pytest.fixture()
def page(browser, administrator, fleet):
    page = browser.page(browser.context(storage_state=administrator))
    yield page
    page.context.close()


def test_work_is_ordered_after_its_effect_was_told(page, browser, administrator):
    page.goto(HOME + "/tasks")
    expect(page.get_by_role("heading", name="No task yet")).to_be_visible()
    page.goto(HOME + "/devices?filter=name = gateway-1*")
    page.get_by_role("link", name="Give a task…").click()
    expect(page.get_by_label("Which devices")).to_have_value("(name = gateway-1*)")
    page.get_by_label("What they shall do").select_option("collectLogs")
    page.get_by_label("Called").fill("Logs of the ones")
    page.get_by_label("Which devices").fill("name =")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("alert")).to_be_visible()
    browser.errors.clear()  # The browser calls the form's 422 an error.
    page.get_by_label("Which devices").fill("name = gateway-1*")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("for 31 devices that match now")).to_be_visible()
    # Another order than the one that was asked about is asked about anew.
    page.get_by_label("Which devices").fill("name = gateway-2*")
    page.get_by_role("button", name="Give it to 31 devices").click()
    expect(page.get_by_text("for 11 devices that match now")).to_be_visible()
    page.get_by_role("button", name="Give it to 11 devices").click()
    expect(page.get_by_role("heading", name="Logs of the ones")).to_be_visible()
    expect(page.get_by_text("0 of 11 over")).to_be_visible()
    check_page(browser, page.url, "operation", administrator)
    check_page(browser, HOME + "/tasks", "operations", administrator)
    check_page(browser, HOME + "/tasks/new", "order", administrator)


def test_an_operation_is_paused_resumed_and_ended_while_it_is_watched(server, page, browser, administrator):
    operation = server.admin("operation", "order", "reboot", "--filter", "name = gateway-1*", *TENANT)
    page.goto(f"{HOME}/tasks/{operation['id']}")
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("Nothing more is given out until you resume it.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("link", name="Resume").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Under way", exact=True)).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    # Somebody else ends one task: the open page hears of it.
    task = server.admin("task", "list", "gateway-10", *TENANT)["items"][0]
    server.admin("task", "cancel", task["id"], *TENANT)
    expect(page.get_by_text("1 of 31 over")).to_be_visible(timeout=15_000)
    page.get_by_role("link", name="Task of gateway-10", exact=True).click()
    expect(page.get_by_role("heading", name="Start again: gateway-10")).to_be_visible()
    check_page(browser, page.url, "task", administrator)
    page.go_back()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = open(download.value.path()).read().splitlines()
    assert lines[0].startswith("device,id,task,state") and len(lines) == 32
    page.get_by_role("link", name="End it").click()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("Ended early", exact=True)).to_be_visible()
    expect(page.get_by_text("31 of 31 over")).to_be_visible()


def test_a_device_shows_its_tasks_and_is_given_one(server, page, browser, administrator):
    page.goto(HOME + "/devices/gateway-7")
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    page.get_by_role("link", name="Give it a task…").click()
    expect(page.get_by_label("Which devices")).to_have_value('name = "gateway-7"')
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_role("button", name="Give it to 1 device").click()
    expect(page.get_by_role("heading", name="Start again")).to_be_visible()
    page.get_by_role("link", name="gateway-7", exact=True).click()
    expect(page.locator("#work").get_by_text("Start again")).to_be_visible()

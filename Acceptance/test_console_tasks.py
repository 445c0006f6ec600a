"""Work for devices in a real browser: ordered for all that match, watched, paused, ended, taken out as a file."""

import pytest
import requests
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser, server  # noqa: F401
from tidegate import wait_for

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


def test_what_failed_is_found_taken_out_and_tried_again(server, page, browser, administrator):
    device = server.enrolled("acme-water", "unit-1")
    server.enrolled("acme-water", "unit-2")
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = str(server.ca), (str(device.certificate), str(device.key))
    base = f"{server.device_url}/acme-water/"
    operation = server.admin("operation", "order", "collectLogs", "--filter", "name = unit-*", *TENANT)
    page.goto(f"{HOME}/tasks/{operation['id']}")
    expect(page.get_by_role("link", name="Retry what failed")).to_have_count(0)
    [task] = wait_for(lambda: session.get(base + "heartbeat", timeout=30).json().get("tasks"), "the task is handed out")
    said = {"state": "failed", "code": 3, "details": ["no space left"]}
    session.post(base + f"tasks/{task['id']}/status", json=said, timeout=30).raise_for_status()
    # The open page hears of it.
    expect(page.get_by_text("1 of 2 over")).to_be_visible(timeout=15_000)
    page.get_by_label("Part of a device's name").fill("T-2")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Task of unit-2", exact=True)).to_be_visible()
    page.get_by_label("Part of a device's name").fill("nobody")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="No task here")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="Failed").first.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = open(download.value.path()).read().splitlines()
    assert len(lines) == 2 and lines[1].startswith("unit-1,") and lines[1].endswith("no space left")
    page.get_by_role("link", name="Retry what failed").click()
    expect(page.get_by_text("those alone")).to_be_visible()
    page.get_by_role("button", name="Retry what failed").click()
    expect(page.get_by_text("0 of 2 over")).to_be_visible()
    assert server.admin("task", "list", "unit-1", *TENANT)["items"][0]["state"] in ("waiting", "queued")


def test_a_secret_is_typed_with_the_last_step_and_never_shown(server, page, browser, administrator):
    page.goto(HOME + "/tasks/new?filter=name = gateway-3")
    page.get_by_label("What they shall do").select_option("changeSecret")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_label("New secret")).to_have_attribute("type", "password")
    check_page(browser, page.url, "order-secret", administrator)
    page.get_by_label("Whose").fill("root")
    page.get_by_label("New secret").fill("t0p-secret")
    page.get_by_role("button", name="Give it to 1 device").click()
    expect(page.get_by_role("heading", name="Take a new secret")).to_be_visible()
    assert "t0p-secret" not in page.content()
    page.goto(HOME + "/tasks/new?filter=name = gateway-3")
    page.get_by_label("What they shall do").select_option("custom")
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_label("What it brings").fill("valve open")
    page.get_by_role("button", name="Give it to 1 device").click()
    expect(page.get_by_role("alert")).to_contain_text("JSON object")
    browser.errors.clear()  # The browser calls the form's 422 an error.
    page.get_by_label("What it brings").fill('{"valve": "open"}')
    page.get_by_role("button", name="Give it to 1 device").click()
    expect(page.get_by_role("heading", name="A task of the model's own")).to_be_visible()


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

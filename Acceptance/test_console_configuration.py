"""What devices are wanted to be, in a real browser: seen member by member, edited as a form, tried before it is saved."""

import json

import pytest
from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser, server  # noqa: F401
from tidegate import wait_for

HOME = "/t/acme-water"
TENANT = ("--tenant", "acme-water")
SCHEMA = {"desiredSchema": {"properties": {
    "interval": {"type": "integer", "minimum": 5, "title": "Interval", "description": "Seconds between two readings."},
    "mode": {"enum": ["day", "night"], "title": "Mode"},
    "net": {"properties": {
        "apn": {"type": "string", "title": "Access point"},
        "password": {"type": "string", "title": "Password", "writeOnly": True}}}}}}


@pytest.fixture(scope="module")
def fleet(server, administrator, tmp_path_factory):
    model = tmp_path_factory.mktemp("model") / "gateway.json"
    model.write_text(json.dumps(SCHEMA))
    server.admin("model", "put", "gateway", *TENANT, model)
    server.admin("domain", "create", "plant", *TENANT)
    for name in ("gw-1", "gw-2"):
        server.admin("device", "register", name, *TENANT, "--model", "gateway", "--domain", "plant")


@pytest.fixture()
def page(browser, administrator, fleet):
    page = browser.page(browser.context(storage_state=administrator))
    yield page
    page.context.close()


def test_a_domain_is_edited_after_its_effect_was_shown(server, page, browser, administrator):
    page.goto(HOME + "/devices/gw-1")
    page.get_by_role("link", name="Open the configuration").click()
    page.get_by_role("link", name="domain plant").click()
    expect(page.get_by_role("heading", name="Configuration of plant")).to_be_visible()
    page.get_by_label("JSON").fill('{"interval": 60,')
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("alert")).to_contain_text("not JSON")
    page.get_by_label("JSON").fill('{"interval": 1}')
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("status").last).to_contain_text("2 would no longer fit")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_label("JSON").fill('{"interval": 60, "net": {"apn": "m2m", "password": "hunter2"}}')
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("2 of them would change")).to_be_visible()
    # Another document than the one that was tried is tried anew.
    page.get_by_label("JSON").fill('{"interval": 90, "net": {"apn": "m2m", "password": "hunter2"}}')
    page.get_by_role("button", name="Save for 2 devices").click()
    expect(page.locator("ins", has_text="90").first).to_be_visible()
    page.get_by_role("button", name="Save for 2 devices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert "hunter2" not in page.content()
    browser.errors[:] = [error for error in browser.errors if "422" not in error]
    check_page(browser, page.url.split("&")[0].split("?done")[0], "configuration-domain", administrator)


def test_a_device_is_edited_as_a_form_by_keyboard(server, page, browser, administrator):
    page.goto(HOME + "/devices/gw-1/configuration")
    expect(page.get_by_role("row", name="/interval")).to_contain_text("domain plant")
    page.get_by_label("Interval").focus()
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.keyboard.press("n")
    page.get_by_label("Password", exact=True).fill("own-secret")
    page.get_by_role("button", name="See what it would do").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("type them once more")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("own-secret")
    page.get_by_role("button", name="Save for 1 device").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("row", name="/interval")).to_contain_text("the device itself")
    expect(page.get_by_role("row", name="/net/password")).to_contain_text("set, secret")
    expect(page.get_by_label("Mode")).to_have_value("night")
    assert "own-secret" not in page.content()
    page.get_by_label("Interval").fill("often")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("would no longer fit")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_label("Interval").fill("")
    page.get_by_label("Take the secret away").check()
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("1 of them would change")).to_be_visible()
    page.get_by_role("button", name="Save for 1 device").click()
    expect(page.get_by_role("row", name="/interval")).to_contain_text("domain plant")
    page.get_by_role("link", name="Edit as JSON").click()
    expect(page.get_by_label("JSON")).to_have_value('{\n  "mode": "night"\n}')
    browser.errors[:] = [error for error in browser.errors if "422" not in error]
    check_page(browser, HOME + "/devices/gw-1/configuration", "configuration-device", administrator)


def test_a_model_has_a_form_for_all_its_devices(page, browser, administrator):
    page.goto(HOME + "/devices/gw-2/configuration")
    page.get_by_role("link", name="model gateway").click()
    page.get_by_label("Mode").select_option("day")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("It reaches 2 devices; 1 of them would change.")).to_be_visible()
    page.get_by_role("button", name="Save for 2 devices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    check_page(browser, page.url.split("&")[0], "configuration-model", administrator)


def test_settings_that_nobody_touched_stay_as_they_are(server, page, tmp_path):
    own = {"net": {"apn": "  spaces "}, "mode": "dusk", "extra": {}, "text": "a\nb"}
    file = tmp_path / "own.json"
    file.write_text(json.dumps(own))
    server.admin("model", "put", "loose", *TENANT, _model(tmp_path))
    server.admin("device", "register", "gw-3", *TENANT, "--model", "loose", "--domain", "plant")
    server.admin("device", "desired", "gw-3", *TENANT, file)
    page.goto(HOME + "/devices/gw-3/configuration")
    expect(page.get_by_label("Text", exact=True)).to_have_value("a\nb")
    page.get_by_label("Interval").fill("70")
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_role("button", name="Save for 1 device").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Edit as JSON").click()
    assert json.loads(page.get_by_label("JSON").input_value()) == own | {"interval": 70}


def test_many_devices_are_edited_after_their_differences_were_shown(server, page, browser, administrator):
    page.goto(HOME + "/devices/gw-1/configuration")
    page.get_by_role("link", name="domain plant").click()
    page.get_by_role("link", name="Edit many devices").click()
    expect(page.get_by_label("Devices", exact=True)).to_have_value("domain")
    page.get_by_label("Change (JSON)").fill('{"host": ')
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("alert")).to_contain_text("not JSON")
    page.get_by_label("Devices", exact=True).select_option("filter")
    page.get_by_label("Filter").fill("name = gw-1 or name = gw-2")
    page.get_by_label("Change (JSON)").fill('{"host": {"$generate": "h-{name}"}}')
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("It reaches 2 devices; 2 of them would change.")).to_be_visible()
    expect(page.locator("ins", has_text="h-gw-1")).to_be_visible()
    page.get_by_role("button", name="Save for 2 devices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    wait_for(lambda: server.admin("device", "desired", "gw-2", *TENANT)["desired"].get("host") == "h-gw-2", "the edit")
    page.get_by_label("Devices", exact=True).select_option("list")
    page.get_by_label("or paste the list").fill("device,/port\ngw-1,8001\nnobody,8002\n")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("alert")).to_contain_text("no such device")
    page.get_by_label("or paste the list").fill("device,/port\ngw-1,8001\n")
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_role("button", name="Save for 1 device").click()
    wait_for(lambda: server.admin("device", "desired", "gw-1", *TENANT)["desired"].get("port") == 8001, "the edit")
    page.reload()
    expect(page.get_by_role("cell", name="2 of 2 done")).to_be_visible()
    browser.errors[:] = [error for error in browser.errors if "422" not in error and "404" not in error]
    check_page(browser, HOME + "/configuration/edits", "configuration-edits", administrator)


def _model(folder):
    """A model whose settings the form shows, but whose schema takes anything."""
    path = folder / "loose.json"
    path.write_text(json.dumps({"desiredSchema": {"properties": {
        "interval": {"type": "integer", "title": "Interval"}, "mode": {"title": "Mode"},
        "net": {"properties": {"apn": {"type": "string", "title": "Access point"}}},
        "text": {"type": "string", "title": "Text"}}}}))
    return path

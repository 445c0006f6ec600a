"""The first hours of somebody new: charts that begin, lists as spreadsheets write them, filters that are wrong."""

import json
import subprocess
import time

from playwright.sync_api import expect

from browser import check_page
from console import administrator, browser, connected, publish, server  # noqa: F401

# Keeps each chart that the page makes where the test finds it.
KEEP_CHARTS = """
window.plots = [];
let made;
Object.defineProperty(window, "uPlot", {
  configurable: true,
  get: () => made,
  set: (library) => {
    made = new Proxy(library, { construct: (target, args) => { const plot = new target(...args); plots.push(plot); return plot; } });
  },
});
"""


def send(server, folder, records):
    subprocess.run(
        ["mosquitto_pub", "-h", "localhost", "-p", str(server.ports["mqtt"]), "--cafile", "server-ca.pem", "--cert",
         "device.pem", "--key", "device.key", "-q", "1", "-t", "telemetry", "-m", json.dumps(records)],
        cwd=folder, check=True, timeout=30)


def chart_page(browser, administrator, path):
    page = browser.page(browser.context(storage_state=administrator))
    page.add_init_script(KEEP_CHARTS)
    page.goto(path)
    expect(page.locator("#charts[data-ready=true] canvas").first).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    return page


def test_a_chart_spans_what_was_chosen_and_moves_on_with_its_figures(server, browser, administrator, connected):
    now = time.time()
    send(server, connected, [{"bn": "pressure", "u": "bar", "t": int(now - 2400 + 30 * n), "v": 5} for n in range(10)])
    page = chart_page(browser, administrator, "/t/acme-water/telemetry?device=meter-1")
    plot = "plots.find((plot) => plot.series[1].label === 'pressure')"
    low, high = page.evaluate(f"[{plot}.scales.x.min, {plot}.scales.x.max]")
    assert abs(high - low - 3600) < 1 and abs(high - time.time()) < 30, (low, high)
    figure = page.locator("[data-chart=pressure]")
    expect(figure.locator("[data-high]")).to_have_text("5")
    send(server, connected, [{"n": "pressure", "u": "bar", "v": 8}])
    expect(figure.locator("[data-latest]")).to_have_text("8")
    expect(figure.locator("[data-high]")).to_have_text("8")
    expect(figure.locator("[data-low]")).to_have_text("5")
    expect(figure.locator("[data-mean]")).to_have_text("5.273")
    values = page.evaluate(f"{plot}.data[1]")
    assert values[:10] == [5] * 10 and values[10] is None and values[11] == 8, values
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=".build/screenshots/first-chart.png", full_page=True)
    page.context.close()
    check_page(browser, "/t/acme-water/telemetry?device=meter-1", "first-telemetry", administrator,
               lambda page: expect(page.locator("#charts[data-ready=true] canvas").first).to_be_visible())


def test_a_device_without_readings_starts_when_the_first_comes(server, browser, administrator, connected, tmp_path):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/devices/connect")
    page.get_by_label("Name").fill("meter-2")
    page.get_by_role("button", name="Register").click()
    # The page's block without its last step: the device enrols and says nothing.
    block = "mosquitto_pub() { :; }\n" + page.locator("#block").inner_text()
    subprocess.run(["bash", "-c", block], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    page.goto("/t/acme-water/telemetry?device=meter-2")
    expect(page.get_by_text("Its first reading shows up here by itself.")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    publish(server, tmp_path / "meter-2", 19.5)
    expect(page.locator("#charts[data-ready=true] canvas")).to_be_visible(timeout=15000)
    expect(page.locator("[data-chart=temperature]")).to_contain_text("°C")
    page.context.close()


def test_a_list_with_semicolons_is_imported_and_its_tokens_are_kept_as_a_file(browser, administrator):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/devices/import")
    page.get_by_label("or paste the list").fill("Device name;Serial number;Place\npump 1;P-1;Harbour\npump-2;P-2;Mill, east\n")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("Some lines can not be registered")
    expect(page.get_by_text("nothing was registered")).to_have_count(0)
    page.screenshot(path=".build/screenshots/first-import-faults.png", full_page=True)
    page.get_by_role("link", name="Another list").click()
    page.get_by_label("or paste the list").fill("Device name;Serial number;Place\npump-1;P-1;Harbour\npump-2;P-2;Mill, east\n")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("2 devices are registered.")).to_be_visible()
    expect(page.locator(".steps [aria-current]")).to_have_text("Registered")
    page.screenshot(path=".build/screenshots/first-import-done.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the tokens").click()
    lines = download.value.path().read_text().splitlines()
    assert download.value.suggested_filename == "enrolment-tokens.csv"
    assert lines[0] == "name,id,enrolmentToken" and [line.split(",")[0] for line in lines[1:]] == ["pump-1", "pump-2"]
    # A refused form is an answer of its own to the browser's console.
    browser.errors[:] = [error for error in browser.errors if "422" not in error]
    page.context.close()


def test_a_wrong_filter_is_shown_at_its_place_and_buttons_wait_for_a_tick(browser, administrator, connected):
    page = browser.page(browser.context(storage_state=administrator))
    page.goto("/t/acme-water/devices")
    suspend = page.get_by_role("button", name="Suspend")
    expect(suspend).to_be_disabled()
    page.get_by_role("checkbox", name="meter-1", exact=True).check()
    expect(suspend).to_be_enabled()
    page.get_by_role("checkbox", name="meter-1", exact=True).uncheck()
    expect(suspend).to_be_disabled()
    page.get_by_label("Filter", exact=True).fill("online or colour = red")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#filter-fault mark")).to_have_text("colour")
    page.context.close()
    check_page(browser, "/t/acme-water/devices?filter=online%20or%20colour%20%3D%20red", "first-filter", administrator)


def test_without_script_nothing_ticked_is_said_on_the_list(browser, administrator, connected):
    page = browser.context(storage_state=administrator, java_script_enabled=False).new_page()
    page.goto("/t/acme-water/devices?find=meter")
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("Nothing was done: tick devices first, or all that match.")).to_be_visible()
    assert "find=meter" in page.url
    page.context.close()

"""A real browser that trusts a server's authority, and the checks that every page must pass."""

import os
import pathlib

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tidegate import ROOT, run

RESULTS = pathlib.Path(os.environ.get("TIDEGATE_TEST_SCREENSHOTS", ROOT / ".build" / "screenshots"))
WIDTHS = {"desktop": 1280, "phone": 390}
# An open page loads anew what has changed a few seconds later, and two processors are shared by several browsers.
expect.set_options(timeout=20_000)


class Browser:
    """Debian's chromium with a home of its own, in which the server's authority is trusted, and others that a test names."""

    def __init__(self, server, folder, also=()):
        home = pathlib.Path(folder) / "home"
        database = home / ".pki" / "nssdb"
        database.mkdir(parents=True)
        run("certutil", "-d", f"sql:{database}", "-N", "--empty-password")
        for number, authority in enumerate([server.ca, *also]):
            run("certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n", f"authority {number}", "-i", authority)
        self.server = server
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"], env={**os.environ, "HOME": str(home)}
        )
        self.errors = []

    def close(self):
        self.browser.close()
        self.playwright.stop()

    def context(self, width=1280, scheme="light", **options):
        return self.browser.new_context(
            base_url=self.server.people_url, viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )

    def page(self, context=None):
        page = (context or self.context()).new_page()
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page


def check_page(browser, path, name, state=None, prepare=None):
    """Axe on a page in both schemes and widths: no violation. Screenshots are kept as build results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = []
    for scheme in ("light", "dark"):
        for device, width in WIDTHS.items():
            context = browser.context(width, scheme, storage_state=state)
            page = browser.page(context)
            page.goto(path)
            if prepare:
                prepare(page)
            page.screenshot(path=RESULTS / f"{name}-{scheme}-{device}.png", full_page=True)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if overflow > 0:
                found.append(f"{name} {scheme} {device}: {overflow} px wider than the window")
            for violation in Axe().run(page).response["violations"]:
                targets = [node["target"] for node in violation["nodes"]][:3]
                found.append(f"{name} {scheme} {device}: {violation['id']}: {violation['help']} {targets}")
            context.close()
    assert found == [], "\n".join(found)


def faults(page, name):
    """The same of a page that can be shown only once, as it is: what is wrong with it, in both schemes and widths."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=RESULTS / f"{name}-{scheme}-{device}.png", full_page=True)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if overflow > 0:
                found.append(f"{name} {scheme} {device}: {overflow} px wider than the window")
            for violation in Axe().run(page).response["violations"]:
                targets = [node["target"] for node in violation["nodes"]][:3]
                found.append(f"{name} {scheme} {device}: {violation['id']}: {violation['help']} {targets}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found

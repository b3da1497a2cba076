"""Debian's Chromium, driven by Playwright (which brings no browser of its own here)."""

import shutil

from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Several browsers share one screen that does not exist: none may think that it is hidden.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


class Chromium:
    """One headless Chromium with one page."""

    def __init__(self, playwright, arguments=(), **context):
        executable = shutil.which("chromium") or shutil.which("chromium-browser")
        if executable is None:
            raise RuntimeError("Chromium is not installed: apt-get install chromium")
        self.browser = playwright.chromium.launch(executable_path=executable, args=[*ARGUMENTS, *arguments])
        self.context = self.browser.new_context(viewport={"width": 1366, "height": 768}, ignore_https_errors=True, **context)
        self.page = self.context.new_page()

    def goto(self, address):
        self.page.goto(address)

    def evaluate(self, function, argument=None):
        return self.page.evaluate(function, argument)

    def close(self):
        self.browser.close()


__all__ = ["Chromium", "sync_playwright"]

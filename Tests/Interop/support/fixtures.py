"""Fixtures that the browser tests share. `server` is in conftest.py."""

from pathlib import Path

import pytest

from .chromium import Chromium, sync_playwright
from .server import ROOT

STRANGER = (Path(__file__).parent / "stranger.js").read_text()


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as running:
        yield running


@pytest.fixture
def chromium(playwright):
    """`chromium()` starts one; all are closed after the test."""
    started = []

    def start(*arguments, **context):
        started.append(Chromium(playwright, arguments, **context))
        return started[-1]

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="session")
def pictures():
    """Where screenshots go."""
    folder = ROOT / "out"
    folder.mkdir(exist_ok=True)
    return folder


def as_stranger(browser, server):
    """An emptied page of the server's origin with the stranger's client in it."""
    browser.goto(f"{server.origin}/login")
    browser.evaluate(f"() => {{ document.body.replaceChildren(); {STRANGER}; return true }}")
    return browser

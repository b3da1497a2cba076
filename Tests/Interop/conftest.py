"""Fixtures of every test here: a server of one's own, browsers, a folder for screenshots."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.fixtures import chromium, pictures, playwright  # noqa: E402, F401
from support.server import Server  # noqa: E402


@pytest.fixture
def server():
    """`nhipcau serve` on free ports with an empty store; see `support/server.py` for what it can do."""
    running = Server()
    yield running
    running.close()

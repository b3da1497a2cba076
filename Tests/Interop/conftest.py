import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.server import Server  # noqa: E402


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()

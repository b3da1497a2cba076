"""Headless endpoints in a meeting, and waiting for what they bring about."""

import subprocess
import time
from contextlib import contextmanager

from support.server import executable


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return value


class Sites:
    """Headless endpoints, ended by their ids."""

    def __init__(self, server, meeting):
        self.server, self.meeting, self.processes = server, meeting, []

    def add(self, name, *words):
        command = [executable(), "endpoint", "--server", self.server.origin, "--token", self.server.token, "--meeting", self.meeting]
        command += ["--name", name, "--decode", "none", *words]
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.server.log))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)


@contextmanager
def name_cards(server, meeting, count):
    """So many sites that send no picture and say nothing."""
    with Sites(server, meeting) as sites:
        sites.add("Khách", "--count", str(count), "--audio", "silence", "--video", "none")
        yield

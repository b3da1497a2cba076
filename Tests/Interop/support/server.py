"""A server of one's own: free ports, a data folder that is thrown away, ended by its id."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from . import postgres

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "thu-nghiem-2026"
#: Inputs from public reports, each with what is right.
CASES = ROOT / "Tests/cases"


def executable():
    """`NHIPCAU` names it, else the newer of what the build made."""
    named = os.environ.get("NHIPCAU")
    if named:
        return Path(named)
    built = [path for kind in ("release", "debug") if (path := ROOT / ".build" / kind / "nhipcau").exists()]
    if not built:
        raise RuntimeError("nhipcau is not built: swift build --product nhipcau")
    return max(built, key=lambda path: path.stat().st_mtime)


def free_port():
    """A port that is free for UDP and TCP on every address, below those that the kernel gives away by itself: what connects out meanwhile takes none of these."""
    version6 = Path("/proc/net/if_inet6").exists()
    everywhere, family = ("::", socket.AF_INET6) if version6 else ("0.0.0.0", socket.AF_INET)
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, lowest) if lowest > 12_000 else 0
        try:
            with socket.socket(family, socket.SOCK_STREAM) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagrams:
                for one in (stream, datagrams):
                    if version6:
                        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                    one.bind((everywhere, port))
                    port = one.getsockname()[1]
                return port
        except OSError:
            continue


def own_addresses():
    """Loopback, and the address that faces the network where there is one: browsers may send from either."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET: nothing is sent
            return sorted({"127.0.0.1", probe.getsockname()[0]})
        except OSError:
            return ["127.0.0.1"]


class Server:
    """`nhipcau serve`, and a thin client of its API as the administrator."""

    def __init__(self, *arguments, addresses=None):
        #: `STORE=postgresql` gives each server a store of its own in a PostgreSQL of the tests' own.
        self.schema = None
        if os.environ.get("STORE") == "postgresql" and "--store" not in arguments:
            url, self.schema = postgres.shared().empty()
            arguments = ("--store", url, *arguments)
        self.data = Path(tempfile.mkdtemp(prefix="nhipcau-interop-"))
        self.port = free_port()
        self.media_port = free_port()
        self.arguments = arguments
        #: What answers name as the server's own: a relay that stands before it, or this machine's.
        self.addresses = addresses or own_addresses()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.start()
        answer = requests.post(f"{self.origin}/api/v1/session", json={"username": "admin", "password": PASSWORD}, timeout=10)
        answer.raise_for_status()
        self.token = answer.json()["token"]

    def start(self):
        addresses = [word for address in self.addresses for word in ("--media-address", address)]
        command = [
            executable(), "serve", "--listen", f"127.0.0.1:{self.port}", "--media-port", str(self.media_port), "--data", self.data,
            *addresses, *self.arguments,
        ]
        self.log = open(self.data / "log", "ab")
        environment = os.environ | {"NHIPCAU_ADMIN_PASSWORD": PASSWORD}
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)
        end = time.monotonic() + 30
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                words = self.words()
                self.close()
                raise RuntimeError(f"the server did not start:\n{words}")
            try:
                if requests.get(f"{self.origin}/readyz", timeout=1).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)

    @property
    def store(self):
        """The words by which another program of ours finds what lasts."""
        words = list(self.arguments)
        return words[words.index("--store"):][:2] if "--store" in words else ["--data", str(self.data)]

    def kill(self):
        """As a power cut ends it; `start` begins again with the same store."""
        self.process.kill()
        self.process.wait()

    def pause(self, isPaused):
        """A server that answers nothing is what a broken line looks like."""
        self.process.send_signal(signal.SIGSTOP if isPaused else signal.SIGCONT)

    def words(self):
        return (self.data / "log").read_text(errors="replace")[-4000:]

    def call(self, method, path, **options):
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return requests.request(method, f"{self.origin}/api/v1/{path}", headers=headers, timeout=15, **options)

    def running_meeting(self, title):
        answer = self.call("POST", "meetings", json={"title": title, "startsAt": "2026-11-23T01:00:00Z", "durationMinutes": 60})
        assert answer.status_code == 201, answer.text
        meeting = answer.json()
        started = self.call("POST", f"meetings/{meeting['id']}/start")
        assert started.status_code == 204, started.text
        return meeting

    def metric(self, name):
        """The sum of a metric's samples, whatever their labels."""
        lines = requests.get(f"{self.origin}/metrics", timeout=5).text.splitlines()
        samples = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        assert samples, f"/metrics has no {name}"
        return sum(float(line.rsplit("}", 1)[-1].removeprefix(name).split()[0]) for line in samples)

    def participants(self, meeting):
        answer = self.call("GET", f"meetings/{meeting}/participants").json()
        return answer if isinstance(answer, list) else answer["items"]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.data, ignore_errors=True)


class Endpoint:
    """One `nhipcau endpoint` process."""

    def __init__(self, server, meeting, name, hertz, colour, seconds):
        self.report_file = server.data / f"report-{hertz}.json"
        self.process = subprocess.Popen(
            [
                executable(), "endpoint", "--server", server.origin, "--token", server.token, "--meeting", meeting, "--name", name,
                "--audio", f"tone:{hertz}", "--video", f"colour:{colour}", "--duration", str(seconds), "--report", self.report_file,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=server.log,
        )

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

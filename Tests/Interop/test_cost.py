"""What the server spends, counted and not timed: who is asked to send at all, and what is asked of malloc."""

import struct
import subprocess
import time
from pathlib import Path

import pytest
from support.server import Server, executable

HOOK = Path(__file__).parents[2] / "Benchmarks" / "hook" / "allocations.c"


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


def test_who_is_not_shown_is_asked_to_stop_and_goes_on_before_it_is_shown(server):
    meeting = server.running_meeting("Mười sáu điểm cầu")["id"]
    assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 1, "type": "layout", "layout": "speaker"}).ok

    def people():
        return {one["name"]: one for one in server.participants(meeting)}

    with Sites(server, meeting) as sites:
        sites.add("Xem", "--kind", "viewer")
        sites.add("Tỉnh", "--count", "14", "--video", "colour:3070b0")
        assert until(lambda: sum(one["video"]["sending"] for one in people().values()) >= 13)
        # The last to come has no tile among the first thirteen, until it speaks.
        sites.add("Cuối", "--video", "colour:b03030", "--audio", "tone:440", "--speak-schedule", "100/0/14")
        assert until(lambda: not people().get("Cuối", {}).get("video", {}).get("wanted", True)), people().get("Cuối")
        unseen = [name for name, one in people().items() if not one["video"]["wanted"]]
        assert len(unseen) == 2, unseen
        assert until(lambda: not people()["Cuối"]["video"]["sending"]), "it sends on, though it was asked to stop"
        assert until(lambda: people()["Cuối"]["speaking"])
        assert until(lambda: people()["Cuối"]["video"]["wanted"] and people()["Cuối"]["video"]["sending"]), people()["Cuối"]


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A server under the malloc hook, and what the hook has counted so far."""
    library, file = tmp_path / "allocations.so", tmp_path / "allocations"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", str(HOOK), "-o", str(library)], check=True)
    monkeypatch.setenv("NHIPCAU_ALLOCATIONS", str(file))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    running = Server()
    monkeypatch.delenv("LD_PRELOAD")
    yield running, lambda: struct.unpack_from("<3Q", file.read_bytes()[:24])[2]
    running.close()


def test_packets_and_frames_allocate_nothing(counted):
    server, allocations = counted
    meeting = server.running_meeting("Không cấp phát")["id"]
    clip = Path(__file__).parents[2] / "Sources" / "Endpoint" / "media" / "clip-person-180p.ivf"

    def packets():
        return sum(server.metric(f"nhipcau_media_datagrams_{way}_total") for way in ("sent", "received"))

    with Sites(server, meeting) as sites:
        sites.add("Nói", "--count", "3", "--audio", "tone:440", "--video", str(clip))
        sites.add("Xem", "--count", "40", "--kind", "viewer")
        assert until(lambda: len(server.participants(meeting)) == 43)
        # Every buffer must have had its largest packet: the slots of the frame assembler are 512, and a picture has one packet or two.
        time.sleep(25)
        # Asking for metrics allocates: malloc is read inside of that.
        first = packets()
        before = allocations()
        time.sleep(6)
        made = allocations() - before
        handled = packets() - first
    assert handled > 20_000, handled
    # What is left are the control plane's two timers a second; a single one for each picture would be 75 a second.
    assert made / handled * 1_000 < 10, f"{made} allocations for {handled:.0f} packets"

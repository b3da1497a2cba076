"""Joins and leaves in random order, and what two sites that stay notice of them.

    python Tests/Interop/soak.py --seconds 600 --joins 300 --seed 1

One site speaks (440 Hz and a moving picture) and one watches, for the whole time. Others come and go: some say goodbye, some vanish without a word. Printed at the
end: the longest time between two pictures at the watcher and at the composer, gaps in sound, and the server's memory before and after. Exits with 1 where the
picture stood still for more than 120 ms, sound had a gap, memory grew by more than 5 %, or a seat was left behind.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from support.server import PASSWORD, Server, executable  # noqa: E402


class Sites:
    """Endpoint processes, each ended by its own id."""

    def __init__(self, server, meeting, folder):
        self.server, self.meeting, self.folder = server, meeting, folder
        self.started = 0

    def start(self, name, *words, report=None):
        self.started += 1
        command = [
            executable(), "endpoint", "--server", self.server.origin, "--token", self.server.token, "--meeting", self.meeting["id"],
            "--name", name, "--decode", "none", *words,
        ]
        if report:
            command += ["--report", report]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def memory(server):
    """Resident memory of the server in MiB."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the server is gone:\n" + server.words())


def metric(server, name):
    import requests

    for line in requests.get(f"{server.origin}/metrics", timeout=5).text.splitlines():
        if line.startswith(name + " ") or line.startswith(name + "{"):
            return float(line.split()[-1])
    raise RuntimeError(f"no metric {name}")


def alone(server, seconds):
    """Waits until only the two who stay are in; the number of those who are."""
    end = time.monotonic() + seconds
    while metric(server, "nhipcau_media_sessions") > 2 and time.monotonic() < end:
        time.sleep(0.5)
    return metric(server, "nhipcau_media_sessions")


def run(seconds, joins, seed, most=10):
    """Joins and leaves for `seconds`; returns what was measured."""
    chance = random.Random(seed)
    server = Server()
    folder = Path(tempfile.mkdtemp(prefix="nhipcau-soak-"))
    everybody = []
    try:
        meeting = server.running_meeting("Vào ra liên tục")
        sites = Sites(server, meeting, folder)
        speaker = sites.start("Người nói", "--audio", "tone:440", "--video", "pattern")
        watcher = sites.start("Người xem", "--kind", "viewer", report=str(folder / "watcher.json"))
        everybody += [speaker, watcher]
        time.sleep(min(10, max(3, seconds / 20)))

        def visitor(kind=None, video=None):
            kind = kind or chance.choice(["participant", "participant", "publisher", "viewer"])
            words = ["--kind", kind]
            if kind != "viewer":
                video = video or chance.choice(["pattern", "none"])
                words += ["--video", video, "--audio", chance.choice(["tone:880", "none", "none"]) if video == "pattern" else "tone:1200"]
            everybody.append(sites.start(f"Khách {sites.started}", *words))
            return everybody[-1]

        def fill():
            """The same guests before and after: what a site costs while it is in is no leak."""
            kinds = [("participant", "pattern"), ("participant", "none"), ("publisher", "pattern"), ("viewer", None)]
            return [visitor(*kinds[place % len(kinds)]) for place in range(most)]

        def leave(process):
            # One in three vanishes as a broken line does.
            process.send_signal(chance.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGKILL]))
            process.wait()

        # The first comers make pools and stacks grow to their size: memory is compared from the second ones on.
        for process in fill():
            time.sleep(seconds / 300)
            leave(process)
        alone(server, 45)
        inside = fill()
        time.sleep(min(15, max(3, seconds / 20)))
        before = memory(server)
        count = {"joins": 0, "leaves": 0}
        begin = time.monotonic()
        for step in range(joins):
            if inside and (len(inside) >= most or chance.random() < 0.5):
                leave(inside.pop(chance.randrange(len(inside))))
                count["leaves"] += 1
            else:
                inside.append(visitor())
                count["joins"] += 1
            due = begin + seconds * (step + 1) / joins
            time.sleep(max(0, due - time.monotonic()))
        # Those who vanish lose their seats 30 s after their last consent.
        for process in inside:
            leave(process)
        alone(server, 45)
        inside = fill()
        time.sleep(min(15, max(3, seconds / 20)))
        after = memory(server)
        for process in inside:
            leave(process)
        left_behind = alone(server, 45) - 2
        watcher.send_signal(signal.SIGTERM)
        watcher.wait(20)
        report = json.loads((folder / "watcher.json").read_text())["endpoints"][0]
        return count | {
            "pictures": report["picture"]["frames"],
            "picturesSkipped": metric(server, "nhipcau_media_pictures_skipped_total"),
            "longestIntervalMilliseconds": report["picture"]["longestIntervalMilliseconds"],
            "longestComposedMilliseconds": metric(server, "nhipcau_media_picture_interval_longest_seconds") * 1000,
            "soundPackets": report["sound"]["packets"],
            "soundGaps": report["sound"]["gaps"],
            "soundLost": report["sound"]["lost"],
            "memoryBeforeMiB": before,
            "memoryAfterMiB": after,
            "heapInUseMiB": metric(server, "nhipcau_memory_heap_used_bytes") / 2**20,
            "seatsLeftBehind": left_behind,
            "seconds": report["connectedSeconds"],
        }
    finally:
        for process in everybody:
            if process.poll() is None:
                process.kill()
                process.wait()
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--joins", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    measured = run(words.seconds, words.joins, words.seed)
    for name, value in measured.items():
        print(f"{name:32} {value:.1f}" if isinstance(value, float) else f"{name:32} {value}")
    faults = []
    if measured["longestIntervalMilliseconds"] > 120:
        faults.append("the picture stood still for more than 120 ms")
    if measured["soundGaps"] > 0:
        faults.append("sound had gaps")
    if measured["memoryAfterMiB"] > measured["memoryBeforeMiB"] * 1.05:
        faults.append("memory grew by more than 5 %")
    if measured["seatsLeftBehind"] > 0:
        faults.append("seats were left behind")
    print("soak: " + ("; ".join(faults) if faults else f"good, seed {words.seed}"))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

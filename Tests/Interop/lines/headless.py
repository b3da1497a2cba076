"""The headless endpoint behind a line, in the place of a browser."""

import base64
import json
import subprocess
import time
from contextlib import ExitStack
from functools import cache

from support.relay import RelayProcess
from support.server import ROOT, Server, executable

from . import clip, picture, sound
from .cell import MEDIA, SETTLING, Page, speech, told

VOICE = "speech-vi-chair.ogg"


def endpoint(server, meeting, name, seconds, *words):
    command = [executable(), "endpoint", "--server", server.origin, "--token", server.token, "--meeting", meeting, "--name", name]
    return subprocess.Popen([*command, "--duration", str(seconds), *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=server.log)


@cache
def numbered():
    """The clip, made once in a run."""
    folder = ROOT / "out"
    folder.mkdir(exist_ok=True)
    clip.write(folder / "numbered.ivf")
    return folder / "numbered.ivf"


def ended(process):
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class HeadlessCell:
    """`up`: an endpoint with speech behind the line, a browser beside the server hears it. `down`: an endpoint beside the server sends marks, by
    which one behind the line tells how late they are; it keeps no samples, so what it says of its sound is counted and not understood."""

    def __init__(self, browser, line, way, seconds, seed=1, sides="both"):
        self.browser, self.line, self.way, self.seed = browser, line, way, seed
        self.seconds = max(seconds, line.seconds or 0)
        self.judged = "down" if way == "endpoint-down" else "up"
        self.shapes = {side: line.shape if sides == "both" or side == self.judged else {} for side in ("up", "down")}
        self.rows = []

    def run(self):
        with ExitStack() as stack:
            self.relay = stack.enter_context(RelayProcess(seed=f"{self.line.name} {self.seed}"))
            self.server = Server(addresses=[f"127.0.0.1:{self.relay.port}"])
            stack.callback(self.server.close)
            self.relay.target("127.0.0.1", self.server.media_port)
            self.meeting = self.server.running_meeting(self.line.name)["id"]
            self.report = self.server.data / "report.json"
            return self.listening() if self.judged == "down" else self.speaking(stack)

    def speaking(self, stack):
        self.relay.change(**self.shapes)
        pictures = numbered()
        words = ["--audio", str(MEDIA / VOICE), "--video", str(pictures), "--size", "whole", "--report", str(self.report)]
        process = endpoint(self.server, self.meeting, "Nói", self.seconds + 8, *words)
        stack.callback(ended, process)
        context = self.browser.new_context()
        stack.callback(context.close)
        listener = Page(context, f"{self.server.origin}/login")
        media = {"audio": "recvonly", "video": "recvonly", "port": self.server.media_port}
        listener.call("join", {"meeting": self.meeting, "token": self.server.token, "name": "Nghe", **media})
        is_connected = listener.connected()
        marked, counts = self.watch()
        ahead = listener.ahead()
        heard = listener.call("record")
        process.terminate()
        ended(process)
        since, until = marked + SETTLING * 1000 + ahead, marked + self.seconds * 1000 + ahead
        result = self.result(is_connected, counts)
        loop = sound.Sound(sound.thinned(speech(VOICE) / 32_768), None)
        trouble, blind = (span and tuple(marked + ahead + 1000 * at for at in span) for span in (self.line.trouble, self.line.blind))
        recorded = sound.recorded(base64.b64decode(heard["heard"]["samples"]), heard["heard"]["stamps"])
        result["sound"] = sound.judge(loop, recorded, since, until, trouble, blind)
        # Nobody saw when its pictures left, so how late they are is not told.
        result["picture"] = picture.judge(None, heard["seen"], since, until, trouble, numbers=clip.PICTURES)
        return result

    def listening(self):
        sender = endpoint(self.server, self.meeting, "Nói", self.seconds + 20, "--audio", "marks", "--video", "marks", "--decode", "none")
        try:
            time.sleep(2)
            # Who is there by now stays beside the server; who comes later is behind the line.
            self.relay.ask("spare")
            self.relay.change(**self.shapes)
            listener = endpoint(self.server, self.meeting, "Nghe", self.seconds + 2, "--kind", "viewer", "--report", str(self.report))
            time.sleep(1)
            _, counts = self.watch()
            ended(listener)
        finally:
            sender.terminate()
            ended(sender)
        report = json.loads(self.report.read_text())["endpoints"][0]
        result = self.result(report["state"] == "connected", counts)
        heard, seen = report["sound"], report["picture"]
        ear, eye = (part.get("latencyMilliseconds") or {} for part in (heard, seen))
        result["sound"] = {
            "stoi": None, "estoi": None, "holes": 100 * heard["concealedFraction"], "gap": heard["longestGapMilliseconds"], "ear": ear.get("median"),
            "ear95": ear.get("most"),
        }
        result["picture"] = {
            "pictures": seen["framesPerSecond"], "eye": eye.get("median"), "freezes": None, "frozen": seen["longestIntervalMilliseconds"] / 1000,
            "uncovered": None, "lines": seen["height"], "seconds": self.seconds,
        }
        if self.line.shape.get("outage") or self.line.rebinds is not None:
            # It tells no times, but how long nothing came: that is the trouble and what it takes to be back.
            lasted = self.line.trouble[1] - self.line.trouble[0] if self.line.shape.get("outage") else 0
            result["sound"]["sound_back"] = max(0.0, heard["longestGapMilliseconds"] / 1000 - lasted)
            result["picture"]["picture_back"] = max(0.0, seen["longestIntervalMilliseconds"] / 1000 - lasted)
        result["report"] = report
        return result

    def watch(self):
        marked = self.relay.mark()
        rebinds = self.line.rebinds
        for second in range(1, int(self.seconds) + 1):
            if rebinds is not None and second > rebinds:
                time.sleep(max(0, marked + rebinds - time.time()))
                self.relay.rebind()
                rebinds = None
            time.sleep(max(0, marked + second - time.time()))
            self.rows.append({one["name"]: one for one in self.server.participants(self.meeting)})
        return marked * 1000, self.relay.counts()

    def result(self, is_connected, counts):
        behind = "Nói" if self.judged == "up" else "Nghe"
        late = self.server.metric("nhipcau_media_ticks_late_total")
        return {"line": self.line.name, "way": self.way, "connected": is_connected, "counts": counts, "late": late, **told(self.rows, "Nghe", behind)}

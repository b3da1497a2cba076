"""One line, one way: a meeting over it, and what came of that."""

import base64
import time
from contextlib import ExitStack
from pathlib import Path

import numpy
from support.relay import RelayProcess
from support.server import ROOT, Server

from . import picture, sound

CLIENT = (Path(__file__).parent / "client.js").read_text()
MEDIA = ROOT / "Sources" / "Endpoint" / "media"
VOICES = ["speech-vi-daklak.ogg", "speech-vi-chair.ogg", "speech-vi-hagiang.ogg"]
#: Sound and picture are judged from then on; what a session does before is its beginning.
SETTLING = 3
#: Letters of the tiers, best first.
LETTERS = {"high": "h", "medium": "m", "low": "l", "slides": "s", "sound": "a", None: "-"}
#: What a browser must have, that media may go over loopback.
ARGUMENTS = ["--allow-loopback-in-peer-connection"]


def speech(*names):
    """The sample voices, one after the other: 16 bit, 48 kHz, one channel."""
    import av

    parts = []
    for name in names or VOICES:
        with av.open(str(MEDIA / name)) as file:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
            for frame in file.decode(audio=0):
                parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
    return numpy.concatenate(parts)


def letter(tier):
    return LETTERS.get(tier, "t")


class Page:
    """One end in a browser."""

    def __init__(self, browser, address):
        self.page = browser.new_page()
        self.page.goto(address)
        self.page.evaluate(f"() => {{ document.body.replaceChildren(); {CLIENT}; return true }}")

    def call(self, name, argument=None):
        return self.page.evaluate(f"(argument) => line.{name}(argument)", argument)

    def connected(self, seconds=25):
        """Returns when it is, or when the time is over: what a line does to joining is measured, not refused."""
        end = time.monotonic() + seconds
        while (status := self.call("status"))["state"] != "connected" and time.monotonic() < end:
            time.sleep(0.05)
        return status["state"] == "connected"

    def ahead(self):
        """ms by which the page's clock is before this process's."""
        before = time.time() * 1000
        now = self.call("status")["now"]
        return now - (before + time.time() * 1000) / 2


class Cell:
    """A meeting of a speaker and a listener; `way` says who of them is behind the line. `sides` is `one` where only the direction of what is judged suffers."""

    def __init__(self, browser, line, way, seconds, seed=1, sides="both"):
        self.browser, self.line, self.way, self.seed = browser, line, way, seed
        self.seconds = max(seconds, line.seconds or 0)
        judged = "down" if way == "down" else "up"
        other = "up" if way == "down" else "down"
        self.shapes = {judged: line.shape, other: line.shape if sides == "both" else {}}
        self.judged = judged
        self.told = []

    def run(self):
        with ExitStack() as stack:
            self.relay = stack.enter_context(RelayProcess(seed=f"{self.line.name} {self.seed}", **self.shapes))
            # The way direct needs a server too: for a page with an origin of its own.
            self.server = Server(addresses=[f"127.0.0.1:{self.relay.port}"])
            stack.callback(self.server.close)
            context = self.browser.new_context(ignore_https_errors=True)
            stack.callback(context.close)
            self.pages = [Page(context, f"{self.server.origin}/login") for _ in range(2)]
            samples = base64.b64encode(speech().astype("<i2").tobytes()).decode()
            self.meet_directly(samples) if self.way == "direct" else self.meet(samples)
            return self.measure()

    def meet(self, samples):
        self.meeting = self.server.running_meeting(self.line.name)["id"]
        self.relay.target("127.0.0.1", self.server.media_port)
        speaker, listener = self.pages
        common = {"meeting": self.meeting, "token": self.server.token}
        # Who is on the line takes the announced address, which is the relay's.
        clean = {"port": self.server.media_port}
        bad = {"thin": self.line.is_thin}
        is_up = self.way == "up"
        receives = "sendrecv" if is_up else "sendonly"
        speaker.call("join", common | {"name": "Nói", "audio": "sendrecv", "video": receives, "samples": samples} | (bad | {"spares": True} if is_up else clean))
        speaker.connected()
        listener.call("join", common | {"name": "Nghe", "audio": "recvonly", "video": "recvonly"} | (clean if is_up else bad))
        self.is_connected = listener.connected()

    def meet_directly(self, samples):
        speaker, listener = self.pages
        offer = speaker.call("offer", {"audio": "sendonly", "video": "sendonly", "samples": samples})
        answer = listener.call("answer", {"sdp": offer, "audio": "recvonly", "video": "recvonly"})
        self.relay.target("127.0.0.1", answer["port"])
        speaker.call("accept", {"sdp": answer["sdp"], "port": self.relay.port})
        self.is_connected = listener.connected()

    def measure(self):
        marked = self.relay.mark()
        rebinds = self.line.rebinds
        for second in range(1, int(self.seconds) + 1):
            moment = marked + second
            if rebinds is not None and second > rebinds:
                time.sleep(max(0, marked + rebinds - time.time()))
                self.relay.rebind()
                rebinds = None
            time.sleep(max(0, moment - time.time()))
            if self.way != "direct":
                self.told.append({one["name"]: one for one in self.server.participants(self.meeting)})
        counts = self.relay.counts()
        # Of a machine that was too busy the server's ticks tell too.
        self.late = self.server.metric("nhipcau_media_ticks_late_total")
        return self.judge(marked * 1000, counts)

    def judge(self, marked, counts):
        speaker, listener = self.pages
        ahead = listener.ahead()
        since, until = marked + SETTLING * 1000 + ahead, marked + self.seconds * 1000 + ahead
        said, heard = speaker.call("record"), listener.call("record")
        trouble, blind = (span and tuple(marked + ahead + 1000 * at for at in span) for span in (self.line.trouble, self.line.blind))
        result = {
            "line": self.line.name, "way": self.way, "connected": self.is_connected, "counts": counts, "states": heard["states"], "spared": [at - marked for at in said["spared"]],
            "readings": [[round(at - marked), *rest] for at, *rest in said["readings"]], "late": self.late,
            "picture": picture.judge(said["painted"], heard["seen"], since, until, trouble),
        }
        if heard.get("heard") and heard["heard"]["stamps"]:
            pair = [sound.recorded(base64.b64decode(one["samples"]), one["stamps"]) for one in (said["sent"], heard["heard"])]
            result["sound"] = sound.judge(*pair, since, until, trouble, blind)
        else:
            result["sound"] = sound.nothing(until - since, trouble)
        result |= told(self.told, "Nghe", "Nói" if self.way == "up" else "Nghe")
        result["statistics"] = {"said": said["statistics"], "heard": heard["statistics"]}
        return result


def told(rows, listener, behind):
    """What the server says each second: the listener's tier, and the line of who is behind it."""
    return {
        "tiers": [row.get(listener, {}).get("tier") for row in rows], "told": [row.get(behind, {}).get("line") for row in rows],
    }

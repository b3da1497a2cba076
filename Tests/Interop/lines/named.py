"""The lines by name, and what must be reached on each."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bounds:
    """The figures to reach. What is None is not asked."""

    stoi: float | None = None
    #: Below the direct link's STOI of the same run, and ear delay above it in ms.
    below_direct: float | None = None
    added: float | None = None
    #: Freezes of more than 500 ms a minute, and the longest in s.
    freezes: float | None = None
    frozen: float | None = None
    #: The least tier from so many seconds on: [from, tier].
    tier: tuple[float, str] | None = None
    #: Offered after 3 s, in parts of the rate; median of the queue in ms.
    offered: float | None = None
    queue: float | None = None
    #: What the server tells of losses in the judged direction, mean share.
    lost: float | None = None
    #: Longest hole in speech, ms.
    gap: float | None = None
    #: Back after the trouble, in s: the delay, the sound, the picture.
    delay_back: float | None = None
    sound_back: float | None = None
    picture_back: float | None = None
    #: A tier given up and taken again after the rate fell and rose, in s.
    tier_down: float | None = None
    tier_up: float | None = None


@dataclass(frozen=True)
class Line:
    name: str
    words: str
    shape: dict
    bounds: Bounds = field(default_factory=Bounds)
    #: Measured seconds where the usual ones are too few.
    seconds: float | None = None
    #: The client on this line offers no transport-wide feedback.
    is_thin: bool = False
    #: Seconds after the mark at which its address changes.
    rebinds: float | None = None

    @property
    def trouble(self):
        """When what is the matter with the line begins and ends, in seconds after the mark; None for what lasts."""
        if self.rebinds is not None:
            return self.rebinds, self.rebinds
        if self.shape.get("until"):
            return 0, self.shape["until"]
        span = self.shape.get("outage") or self.shape.get("storm")
        return (span[0], span[0] + span[1]) if span else None

    @property
    def blind(self):
        """What lies between these seconds is not of the line that is judged: nobody can be heard, which is told by when they are back, or it is good again."""
        if self.rebinds is not None:
            return self.rebinds - 0.2, self.rebinds + 3.5
        if self.shape.get("until"):
            return self.shape["until"], math.inf
        span = self.shape.get("outage")
        return (span[0] - 0.2, span[0] + span[1] + 1) if span else None


def thin(name, rate, bounds):
    return Line(name, f"{rate / 1000:g} kbit/s, a queue of 300 ms", {"rate": rate, "queue": 300}, bounds)


#: Tiers from the best down; what the server calls them. `least` is whatever it has between low and slides.
TIERS = ("high", "medium", "low", "least", "slides", "sound")
CLEAN = Bounds(stoi=0.97, below_direct=0.02, added=80, freezes=0, tier=(5, "high"))
#: Nothing is lost, and nothing may be given up.
WHOLE = Bounds(stoi=0.97, freezes=0, tier=(5, "high"), lost=0.005)
RATE = {"offered": 1.1, "queue": 100}

LINES = {
    line.name: line
    for line in (
        Line("clean", "nothing is the matter", {}, CLEAN),
        Line("remb", "clean, and the client knows REMB and reports only", {}, CLEAN, is_thin=True),
        Line("loss2", "2 % random loss", {"loss": 0.02}),
        Line("loss5", "5 % random loss, 40 ms round trip", {"loss": 0.05, "delay": 20}, Bounds(stoi=0.96, freezes=1)),
        Line("loss10", "10 % random loss", {"loss": 0.1}),
        Line("loss20", "20 % random loss", {"loss": 0.2}),
        Line("loss30", "30 % random loss, until 20 s", {"loss": 0.3, "until": 20}, Bounds(stoi=0.75, sound_back=5, picture_back=5), seconds=28),
        Line("burst10", "10 % loss in bursts of 3 packets", {"loss": 0.1, "burst": 3}),
        Line("burst20", "20 % loss in bursts of 3 packets", {"loss": 0.2, "burst": 3}, Bounds(stoi=0.87, frozen=2)),
        Line("jitter30", "0 to 60 ms more, in order", {"jitter": 30}),
        Line("jitter80", "0 to 160 ms more, in order", {"jitter": 80}, WHOLE),
        Line("reorder30", "0 to 60 ms more, each packet by itself", {"jitter": 30, "reorder": True}, WHOLE),
        Line("storm500", "0 to 500 ms more for 10 s", {"storm": [8, 10, 250]}, Bounds(delay_back=10), seconds=34),
        Line("far", "200 ms round trip and 5 % random loss", {"delay": 100, "loss": 0.05}),
        Line(
            "hill", "10 % random loss, 150 ms round trip, 0 to 60 ms of it jitter", {"loss": 0.1, "delay": 45, "jitter": 30},
            Bounds(stoi=0.94, tier=(20, "medium")), seconds=26,
        ),
        thin("rate2M", 2_000_000, Bounds()),
        thin("rate600k", 600_000, Bounds(stoi=0.96, tier=(10, "medium"), **RATE)),
        thin("rate256k", 256_000, Bounds(stoi=0.95, tier=(10, "low"), **RATE)),
        thin("rate128k", 128_000, Bounds(stoi=0.94, tier=(10, "least"), **RATE)),
        thin("rate64k", 64_000, Bounds(stoi=0.88, tier=(10, "slides"), **RATE)),
        Line(
            "step1M", "1 Mbit/s, 200 kbit/s for 30 s, 1 Mbit/s again, a queue of 300 ms", {"rates": [[0, 1_000_000], [12, 200_000], [42, 1_000_000]]},
            Bounds(gap=200, tier_down=2, tier_up=20), seconds=66,
        ),
        Line("outage8", "nothing for 8 s", {"outage": [8, 8]}, Bounds(sound_back=1, picture_back=2), seconds=26),
        Line("rebind", "another port in the router", {}, rebinds=8.0),
        Line("dup5", "5 % come twice", {"duplicate": 0.05}, WHOLE),
    )
}

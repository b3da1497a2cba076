"""What came of a cell beside the figures to reach."""

import math

from .named import TIERS

#: Sent more than the line carries is judged from then on, s.
FROM = 3


def rank(tier):
    """0 is the best. A tier that is none of ours lies between low and slides; none at all is worse than any."""
    if tier is None:
        return len(TIERS)
    return TIERS.index(tier) if tier in TIERS else TIERS.index("least")


def rate_at(shape, second):
    rates = shape.get("rates") or [[0, shape.get("rate")]]
    return [rate for since, rate in rates if since <= second][-1]


def offered(result, line):
    """What was put into the line after the first seconds, in parts of what it carries."""
    side = result["counts"]["down" if result["way"].endswith("down") else "up"]
    rows = [row for row in side["seconds"] if row["second"] >= FROM]
    room = sum(rate_at(line.shape, row["second"]) for row in rows)
    return sum(row["offered"] * 8 for row in rows) / room if room else None


def queue(result):
    side = result["counts"]["down" if result["way"].endswith("down") else "up"]
    waits = sorted(row["waits"] for row in side["seconds"] if row["second"] >= FROM)
    return waits[len(waits) // 2] if waits else 0.0


def told_loss(result):
    """The mean share of packets that the server says were lost in the judged direction."""
    name = "lossDown" if result["way"].endswith("down") else "lossUp"
    # A line that carries nothing for a while has no figures then.
    told = [line[name] for line in result.get("told", []) if line and line[name] is not None]
    return sum(told) / len(told) if told else None


class Verdict:
    """The bounds of a line that a result met, and those that it missed, in words."""

    def __init__(self, result, line, direct=None):
        self.met, self.missed = [], []
        bounds, heard, seen = line.bounds, result["sound"], result["picture"]
        is_down = result["way"].endswith("down")
        if result["way"] == "direct":
            return
        if not result["connected"]:
            self.missed.append("not connected")
        self.least("STOI", heard.get("stoi"), bounds.stoi, "{:.3f}")
        if direct and direct["sound"].get("stoi") and heard.get("stoi"):
            self.most("STOI below direct", direct["sound"]["stoi"] - heard["stoi"], bounds.below_direct, "{:.3f}")
        if direct and direct["sound"].get("ear") and heard.get("ear"):
            self.most("ms added to direct", heard["ear"] - direct["sound"]["ear"], bounds.added, "{:.0f}")
        if bounds.freezes is not None and seen.get("freezes") is not None:
            self.most("freezes", seen["freezes"], math.ceil(bounds.freezes * seen["seconds"] / 60), "{:g}")
        if bounds.frozen is not None:
            uncovered = seen.get("uncovered")
            self.most("s frozen without a card", uncovered if uncovered is not None else seen.get("frozen"), bounds.frozen, "{:.1f}")
        if bounds.tier and is_down:
            self.tier(result["tiers"], *bounds.tier)
        if bounds.offered is not None:
            self.most("times the line offered", offered(result, line), bounds.offered, "{:.2f}")
            self.most("ms in the queue", queue(result), bounds.queue, "{:.0f}")
        self.most("told to be lost", told_loss(result), bounds.lost, "{:.3f}")
        self.most("ms without speech", heard.get("gap"), bounds.gap, "{:.0f}")
        for name, words in (("delay_back", "s until the delay is back"), ("sound_back", "s until sound is back")):
            if name in heard:
                self.back(words, heard.get(name), getattr(bounds, name))
        if bounds.picture_back is not None and "picture_back" in seen:
            self.back("s until the picture is back", seen["picture_back"], bounds.picture_back)
        if bounds.tier_down is not None and is_down:
            self.steps(result["tiers"], [since for since, _ in line.shape["rates"]], bounds)

    def note(self, is_met, words):
        (self.met if is_met else self.missed).append(words)

    def least(self, words, value, bound, form):
        if bound is not None and value is not None:
            self.note(value >= bound, f"{words} {form.format(value)} (≥ {form.format(bound)})")

    def most(self, words, value, bound, form):
        if bound is not None and value is not None:
            self.note(value <= bound, f"{form.format(value)} {words} (≤ {form.format(bound)})")

    def back(self, words, value, bound):
        if bound is None:
            return
        self.note(value is not None and value <= bound, f"{'never' if value is None else f'{value:.1f}'} {words} (≤ {bound:g})")

    def tier(self, tiers, since, least):
        rest = tiers[int(since):]
        worst = max(rest, key=rank) if rest else None
        self.note(bool(rest) and rank(worst) <= rank(least), f"tier {worst} at the worst from {since:g} s on (≥ {least})")

    def steps(self, tiers, changes, bounds):
        """`tiers[n]` was told n + 1 s after the mark."""
        _, fall, rise = changes
        before = rank(tiers[fall - 1])
        down = next((second + 1 - fall for second in range(fall, len(tiers)) if rank(tiers[second]) > before), None)
        # Who was low already has nothing to give up.
        is_low = before >= rank("low")
        self.note(is_low or down is not None and down <= bounds.tier_down, f"tier down after {down} s (≤ {bounds.tier_down:g})")
        up = next((second + 1 - rise for second in range(rise, len(tiers)) if rank(tiers[second]) <= before), None)
        self.note(up is not None and up <= bounds.tier_up, f"tier up after {up} s (≤ {bounds.tier_up:g})")

    def words(self):
        if not self.met and not self.missed:
            return "–"
        return f"**missed:** {'; '.join(self.missed)}" if self.missed else "met"

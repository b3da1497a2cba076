"""What a bad line does to one direction: a value that is given packets and times and says when each comes out. No socket and no clock here."""

import math
import random

#: IPv4 and UDP headers, which a line carries too.
HEADERS = 28

#: What a shape may say, and what it is where nothing is said. Times are in ms unless the name says otherwise.
SHAPE = {
    "loss": 0.0,  # mean share of packets lost, 0 … 1
    "until": None,  # s: losses end then
    "burst": 1.0,  # mean packets in a row that are lost; 1: each by itself
    "delay": 0.0,
    "jitter": 0.0,  # mean of a further delay between 0 and twice this
    "reorder": False,  # whether jitter may put a packet before an earlier one
    "storm": None,  # [from s, for s, jitter]: another jitter for a while
    "duplicate": 0.0,  # share of packets that come twice
    "rate": None,  # bit/s, IP and UDP headers counted
    "rates": None,  # [[from s, bit/s], …], in place of `rate`
    "queue": 300.0,  # of waiting before the rate; what would wait longer is dropped
    "outage": None,  # [from s, for s]: nothing gets through
    "blocked": False,  # nothing gets through until it is told otherwise
}

#: With jitter that keeps the order the delay goes in straight lines between values drawn this far apart, in seconds.
KNOTS = (0.03, 0.12)


def shape(**said):
    unknown = said.keys() - SHAPE.keys()
    if unknown:
        raise ValueError(f"a line has no {', '.join(sorted(unknown))}; it has {', '.join(SHAPE)}")
    whole = SHAPE | said
    if not 0 <= whole["loss"] < 1 or whole["burst"] < 1 or not 0 <= whole["duplicate"] <= 1:
        raise ValueError("loss and duplicate are shares, burst is 1 packet or more")
    if min(whole["delay"], whole["jitter"], whole["queue"]) < 0:
        raise ValueError("times are not negative")
    if any(rate <= 0 for rate in [whole["rate"] or 1, *(rate for _, rate in whole["rates"] or [])]):
        raise ValueError("a rate is more than 0 bit/s; blocked is the word for nothing")
    return whole


class Way:
    """One direction. Times are seconds of any clock that only grows; schedules count from `mark`."""

    def __init__(self, seed, **said):
        self.random = random.Random(seed)
        self.shape = shape(**said)
        self.marked = math.inf
        self.is_losing = False
        self.free = self.last = -math.inf
        self.knots = None

    def change(self, **said):
        """From now on; what is on its way stays there. The draws go on, so a seed still gives one course."""
        self.shape = shape(**said)

    def mark(self, now):
        """Schedules begin."""
        self.marked = now

    def offer(self, now, size):
        """A datagram of `size` bytes comes in. Returns when it comes out, twice for a doubled one, and what became of it:
        `through`, `lost`, `dropped` at the queue, or `cut`; and the time it waited in the queue."""
        # Each packet takes the same draws whatever the shape, so that changing one thing leaves the others as they were.
        luck, change, doubled, jitter = (self.random.random() for _ in range(4))
        shape = self.shape
        if shape["blocked"] or self.within(shape["outage"], now):
            return [], "cut", 0.0
        end, waited = self.serve(now, size)
        if end is None:
            return [], "dropped", waited
        if self.loses(now, luck, change):
            return [], "lost", waited
        due = [self.delayed(end, jitter)]
        if doubled < shape["duplicate"]:
            due.append(due[0])
        return due, "through", waited

    def within(self, span, now):
        return span is not None and span[0] <= now - self.marked < span[0] + span[1]

    def serve(self, now, size):
        """The queue before the rate: when the packet has left it, or None, and how long it waits."""
        rates = self.shape["rates"] or ([[0, self.shape["rate"]]] if self.shape["rate"] else None)
        if rates is None:
            return now, 0.0
        start = max(now, self.free)
        waited = start - now
        if waited * 1000 > self.shape["queue"]:
            return None, waited
        self.free = self.sent(start, (size + HEADERS) * 8, rates)
        return self.free, waited

    def sent(self, start, bits, rates):
        """When `bits` are through that begin at `start`, over the changes of the rate meanwhile."""
        changes = [self.marked + since for since, _ in rates[1:]] + [math.inf]
        at = start
        for (_, rate), end in zip(rates, changes):
            if at >= end:
                continue
            if math.isinf(end) or at + bits / rate <= end:
                return at + bits / rate
            bits -= (end - at) * rate
            at = end
        raise AssertionError("the last rate has no end")

    def rate(self, now):
        """bit/s at `now`; None is no bound."""
        rates = self.shape["rates"]
        if not rates:
            return self.shape["rate"]
        return [rate for since, rate in rates if since <= max(now - self.marked, 0)][-1]

    def loses(self, now, luck, change):
        """Gilbert and Elliott: in the bad state all is lost. Means are `loss` and `burst`."""
        loss, burst = self.shape["loss"], self.shape["burst"]
        until = self.shape["until"]
        if not loss or until is not None and now - self.marked >= until:
            self.is_losing = False
        elif burst <= 1:
            self.is_losing = luck < loss
        elif self.is_losing:
            self.is_losing = change >= 1 / burst
        else:
            self.is_losing = change < min(1, loss / (burst * (1 - loss)))
        return self.is_losing

    def delayed(self, now, draw):
        jitter = self.shape["jitter"]
        storm = self.shape["storm"]
        if storm and self.within(storm[:2], now):
            jitter = storm[2]
        base = self.shape["delay"] / 1000
        if self.shape["reorder"]:
            return now + base + 2 * jitter / 1000 * draw
        more = 2 * jitter / 1000 * self.wave(now) if jitter else 0.0
        # Whatever the delay does, what came first comes out first.
        self.last = max(self.last, now + base + more)
        return self.last

    def wave(self, now):
        """Between 0 and 1, in straight lines from one drawn value to the next."""
        if self.knots is None or now > self.knots[1][0] + 1:
            self.knots = ((now, self.random.random()), (now + self.random.uniform(*KNOTS), self.random.random()))
        while now > self.knots[1][0]:
            last = self.knots[1]
            self.knots = (last, (last[0] + self.random.uniform(*KNOTS), self.random.random()))
        (since, low), (until, high) = self.knots
        return low + (high - low) * (now - since) / (until - since)

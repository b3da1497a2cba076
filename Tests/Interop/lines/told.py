"""What is put into a line beside what the server and the endpoint tell of it: `python -m lines.told`, from Tests/Interop."""

import argparse
import json
import re
import statistics
import sys
import time
from dataclasses import dataclass

import requests
from support.relay import RelayProcess
from support.server import Server

from .headless import MEDIA, endpoint, ended

#: Jitter, as the relay's shapes have it, whose interarrival jitter is 30 ms for a packet each 20 ms (RFC 3550 §6.4.1; by simulation 30.0).
THIRTY = {"jitter": 41, "reorder": True}
#: Until figures over several seconds are of the line as it is.
SETTLING = 10
NAME = "Đường xấu"


@dataclass(frozen=True)
class Case:
    name: str
    words: str
    up: dict
    down: dict
    #: What of it is held against what is told.
    checked: tuple[str, ...]


LOSSES, JITTERS = ("lossUp", "lossDown"), ("jitterUp", "jitterDown")
CASES = (
    Case("loss-up", "10 % loss up", {"loss": 0.1}, {}, LOSSES),
    Case("loss-down", "10 % loss down", {}, {"loss": 0.1}, LOSSES),
    Case("delay", "200 ms round trip", {"delay": 100}, {"delay": 100}, ("roundTrip", *LOSSES)),
    Case("jitter-up", "30 ms jitter up", THIRTY, {}, ("jitterUp", "lossUp")),
    Case("jitter-down", "30 ms jitter down", {}, THIRTY, ("jitterDown", "lossDown")),
    Case(
        "all", "10 % loss, 200 ms and 30 ms jitter each way", {"loss": 0.1, "delay": 159, **THIRTY}, {"loss": 0.1, "delay": 159, **THIRTY},
        (*LOSSES, *JITTERS, "roundTrip"),
    ),
)

#: How far what is told may be from what is true: % of packets, ms, and a share.
LOSS, ROUND_TRIP, JITTER = 1.0, 10.0, 0.2


def run(case, seconds=30, seed=1):
    """Returns `{figure: {true, server, endpoint}}`, and what of /metrics speaks of lines."""
    with RelayProcess(seed=f"{case.name} {seed}") as relay:
        server = Server(addresses=[f"127.0.0.1:{relay.port}"])
        try:
            return told(case, seconds, relay, server)
        finally:
            server.close()


def told(case, seconds, relay, server):
    relay.target("127.0.0.1", server.media_port)
    meeting = server.running_meeting(case.name)["id"]
    report = server.data / "told.json"
    picture = ["--video", str(MEDIA / "clip-person-180p.ivf"), "--decode", "none"]
    beside = endpoint(server, meeting, "Bên máy chủ", seconds + SETTLING + 20, "--audio", str(MEDIA / "speech-vi-chair.ogg"), *picture)
    behind, rows = None, []
    try:
        time.sleep(1.5)
        relay.ask("spare")
        relay.change(up=case.up, down=case.down)
        words = ["--audio", "hum", *picture, "--report", str(report)]
        behind = endpoint(server, meeting, NAME, seconds + SETTLING + 1, *words)
        time.sleep(SETTLING)
        relay.mark()
        for _ in range(seconds):
            time.sleep(1)
            rows += [one["line"] for one in server.participants(meeting) if one["name"] == NAME and "line" in one]
        counts = relay.counts()
        metrics = [line for line in requests.get(f"{server.origin}/metrics", timeout=5).text.splitlines() if re.match(r"nhipcau_\w*(loss|lost|jitter|round_trip)", line)]
        ended(behind)
    finally:
        for process in (behind, beside):
            if process:
                process.terminate()
                ended(process)
    (own,) = json.loads(report.read_text())["endpoints"]
    return {"figures": figures(counts, rows, own), "metrics": metrics, "rows": rows, "report": own, "late": counts["late"]}


def figures(counts, rows, own):
    sound, line = own["sound"], own["line"]
    server = {
        "lossUp": mean(rows, "lossUp", 100), "lossDown": mean(rows, "lossDown", 100), "jitterUp": mean(rows, "jitterUpMs") or mean(rows, "jitterMs"),
        "jitterDown": mean(rows, "jitterDownMs"), "roundTrip": mean(rows, "roundTripMs"),
    }
    endpoint_s = {
        "lossUp": 100 * line["lossReported"], "lossDown": 100 * sound["lossFraction"], "jitterDown": sound["jitterMilliseconds"],
        "roundTrip": line.get("roundTripMilliseconds"),
    }
    true = {
        "lossUp": loss(counts["up"]), "lossDown": loss(counts["down"]), "jitterUp": jitter(counts["up"]), "jitterDown": jitter(counts["down"]),
        "roundTrip": counts["up"]["meanDelay"] + counts["down"]["meanDelay"],
    }
    return {name: {"true": true[name], "server": server[name], "endpoint": endpoint_s.get(name)} for name in true}


def mean(rows, key, times=1):
    values = [row[key] for row in rows if row.get(key) is not None]
    return statistics.fmean(values) * times if values else None


def loss(side):
    """% of the RTP packets that came to the line."""
    all_of_it = [(stream.get("lost", 0), stream.get("through", 0)) for stream in side["streams"]]
    lost, through = (sum(column) for column in zip(*all_of_it)) if all_of_it else (0, 0)
    return 100 * lost / max(1, lost + through)


def jitter(side):
    """ms, of the sound: the picture's timestamps are those of whole frames, which leave in a burst."""
    values = [stream["jitter"] for stream in side["streams"] if stream["jitter"] is not None]
    return values[0] if values else None


def is_right(name, true, value):
    """None where nothing is told."""
    if value is None or true is None:
        return None
    if name.startswith("loss"):
        return abs(value - true) <= LOSS
    if name == "roundTrip":
        return abs(value - true) <= ROUND_TRIP
    return abs(value - true) <= JITTER * true


def wrong(case, came):
    """The figures that a case checks and that are told wrongly or not at all by the server, in words."""
    return [
        f"{name}: true {one['true']:.1f}, told {'nothing' if one['server'] is None else round(one['server'], 1)}"
        for name in case.checked for one in (came["figures"][name],) if not is_right(name, one["true"], one["server"])
    ]


def cell(name, true, value, is_checked):
    if value is None:
        return "**–**" if is_checked else "–"
    text = f"{value:.1f}"
    return f"**{text}**" if is_checked and not is_right(name, true, value) else text


UNITS = {"lossUp": "loss up, %", "lossDown": "loss down, %", "jitterUp": "jitter up, ms", "jitterDown": "jitter down, ms", "roundTrip": "round trip, ms"}


def main():
    words = argparse.ArgumentParser(prog="lines.told", description=__doc__)
    words.add_argument("cases", nargs="*", metavar="CASE", help="all, or some of " + ", ".join(case.name for case in CASES))
    words.add_argument("--seconds", type=int, default=30)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--strict", action="store_true", help="fail where the server's word is wrong")
    options = words.parse_args()
    names = [case.name for case in CASES]
    chosen = options.cases or names
    if strange := [name for name in chosen if name not in names]:
        words.error(f"no case {', '.join(strange)}; there are {', '.join(names)}")
    print("Put in, as the relay counted it: the server's word of it (GET participants, mean); the endpoint's report. **Bold** is wrong, or not told.\n")
    print(f"| line | {' | '.join(UNITS.values())} | wrong |\n|{' --- |' * (len(UNITS) + 2)}")
    metrics, faults = set(), 0
    for case in CASES:
        if case.name not in chosen:
            continue
        came = run(case, options.seconds, options.seed)
        faults += len(wrong(case, came))
        texts = []
        for name, one in came["figures"].items():
            server = cell(name, one["true"], one["server"], name in case.checked)
            true = "–" if one["true"] is None else f"{one['true']:.1f}"
            texts.append(f"{true}: {server}; {cell(name, one['true'], one['endpoint'], False)}")
        metrics |= {line.split("{")[0].split()[0] for line in came["metrics"]}
        print(f"| {case.words} | {' | '.join(texts)} | {len(wrong(case, came))} of {len(case.checked)} |", flush=True)
    print(f"\n/metrics speaks of lines by {', '.join(sorted(metrics)) or 'nothing'}.")
    if options.strict and faults:
        sys.exit(f"{faults} figures are told wrongly or not at all")


if __name__ == "__main__":
    main()

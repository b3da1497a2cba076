"""Second by second what one cell of the last run was: `python -m lines.trace LINE WAY`, from Tests/Interop; what explains a figure that was missed."""

import argparse
import json
import sys

from support.server import ROOT

from .cell import SETTLING
from .table import judged, letter


def rows(result):
    told, tiers = result.get("told", []), result.get("tiers", [])
    course = result["sound"].get("course") or []
    since = SETTLING
    for row in judged(result)["seconds"]:
        second = row["second"]
        line = (told[second] if second < len(told) else None) or {}
        delays = [delay for at, delay in course if second <= at + since < second + 1]
        yield (
            second, round(row["offered"] * 8 / 1000), round(row["through"] * 8 / 1000), row["packets"], row["lost"], row["dropped"], round(row["waits"]),
            letter(tiers[second]) if second < len(tiers) else "–", percent(line.get("lossUp")), percent(line.get("lossDown")), line.get("jitterMs", "–"),
            line.get("roundTripMs", "–"), line.get("quality", "–"), sorted(delays)[len(delays) // 2] if delays else "–",
        )


def percent(share):
    return "–" if share is None else f"{100 * share:.1f}"


COLUMNS = (
    "s", "offered, kbit/s", "through", "packets", "lost", "dropped", "queue, ms", "tier", "told: loss up, %", "down", "jitter, ms", "round trip", "quality", "ear, ms",
)


def main():
    words = argparse.ArgumentParser(prog="lines.trace", description=__doc__)
    words.add_argument("line")
    words.add_argument("way")
    words.add_argument("--json", default=str(ROOT / "out" / "lines.json"))
    options = words.parse_args()
    with open(options.json, encoding="utf-8") as file:
        results = [one for one in json.load(file) if (one["line"], one["way"]) == (options.line, options.way)]
    if not results:
        sys.exit(f"{options.json} has no {options.line} {options.way}; make lines LINES={options.line} WAYS={options.way} measures it")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for row in rows(results[-1]):
        print(f"| {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    main()

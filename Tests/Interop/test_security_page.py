"""docs/security.md names tests: each of them is there."""

import re

from support.server import ROOT


def test_every_test_that_the_page_names_exists():
    page = (ROOT / "docs/security.md").read_text()
    rooms = {folder.name: "\n".join(one.read_text() for one in folder.rglob("*.swift")) for folder in (ROOT / "Tests").iterdir() if folder.is_dir()}
    missing, named, python, room = [], 0, "", ""
    for span in re.findall(r"`([^`\n]+)`", page):
        if found := re.fullmatch(r"(test_\w+\.py)?(?:::(test_\w+))?", span):
            path = ROOT / "Tests/Interop" / found[1] if found[1] else None
            python = path.read_text() if path and path.exists() else "" if path else python
            is_there = python and (not found[2] or f"def {found[2]}(" in python)
        elif found := re.fullmatch(r"([A-Z]\w+)/(\w+Tests)(?:::(.+))?", span):
            room = rooms.get(found[1], "")
            is_there = re.search(rf"\b(struct|class) {found[2]}\b", room) and (not found[3] or f"func `{found[3]}`" in room)
        elif span.startswith("::"):
            is_there = f"func `{span[2:]}`" in room
        else:
            continue
        named += 1
        if not is_there:
            missing.append(span)
    assert named > 100 and not missing, missing

"""What the server spends, counted and not timed: who is asked to send at all, and what is asked of malloc."""

import json
import struct
import subprocess
import time
from pathlib import Path

import pytest
from support.server import Server, executable
from support.sites import Sites, until

HOOK = Path(__file__).parents[2] / "Benchmarks" / "hook" / "allocations.c"


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


@pytest.mark.parametrize(
    "layout, senders, viewers",
    [pytest.param(None, 3, 40, id="tiles larger than the clip"), pytest.param("grid", 10, 33, id="tiles smaller than the clip")],
)
def test_packets_and_frames_allocate_nothing(counted, layout, senders, viewers):
    server, allocations = counted
    meeting = server.running_meeting(f"Không cấp phát {senders}")["id"]
    clip = Path(__file__).parents[2] / "Sources" / "Endpoint" / "media" / "clip-person-180p.ivf"

    def packets():
        return sum(server.metric(f"nhipcau_media_datagrams_{way}_total") for way in ("sent", "received"))

    if layout:
        assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 1, "type": "layout", "layout": layout}).ok
    with Sites(server, meeting) as sites:
        sites.add("Nói", "--count", str(senders), "--audio", "tone:440", "--video", str(clip))
        sites.add("Xem", "--count", str(viewers), "--kind", "viewer")
        assert until(lambda: len(server.participants(meeting)) == senders + viewers)
        # Every buffer must have had its largest packet: the slots of the frame assembler are 512, and a picture has one packet or two.
        time.sleep(25)
        # Asking for metrics allocates: malloc is read inside of that.
        first = packets()
        before = allocations()
        time.sleep(6)
        made = allocations() - before
        handled = packets() - first
    print(f"{made / handled * 1_000:.1f} allocations for 1000 packets")
    assert handled > 20_000, handled
    # What is left are the control plane's two timers a second; a single one for each picture would be 75 a second.
    assert made / handled * 1_000 < 10, f"{made} allocations for {handled:.0f} packets"


def test_a_crowd_hears_and_sees_each_tick_once_and_sound_shares_the_way_with_pictures(server, tmp_path):
    meeting = server.running_meeting("Tám mươi điểm cầu xem")["id"]
    clip = Path(__file__).parents[2] / "Sources" / "Endpoint" / "media" / "clip-person-180p.ivf"
    names = ("messages_sent", "datagrams_sent", "sound_sent", "video_frames_sent", "datagrams_not_sent")
    report = tmp_path / "report.json"

    def counts():
        return {name: server.metric(f"nhipcau_media_{name}_total") for name in names}

    with Sites(server, meeting) as sites:
        sites.add("Nói", "--count", "2", "--audio", "tone:440", "--video", str(clip))
        sites.add("Xem", "--count", "80", "--kind", "viewer", "--report", str(report), "--duration", "12")
        assert until(lambda: server.metric("nhipcau_media_sessions") == 82)
        time.sleep(3)
        first = counts()
        time.sleep(6)
        passed = {name: value - first[name] for name, value in counts().items()}
        sites.processes[-1].wait(40)
    assert passed["datagrams_not_sent"] == 0
    assert passed["sound_sent"] > 80 * 6 * 45 and passed["video_frames_sent"] > 80 * 6 * 9, passed
    # One message a sound and one a picture would be the sum; half of the pictures have a sound behind them.
    assert passed["messages_sent"] < 0.97 * (passed["sound_sent"] + passed["video_frames_sent"]), passed
    viewers = json.loads(report.read_text())["endpoints"]
    assert len(viewers) == 80 and all(one["state"] == "connected" for one in viewers), [one["state"] for one in viewers]
    for one in viewers:
        sound, picture = one["sound"], one["picture"]
        assert sound["lost"] == 0 and picture["frames"] > 0 and one["line"]["nacksSent"] == 0, one
        # None twice either: 50 a second, and the few that were on their way.
        assert abs(sound["packets"] - 50 * one["connectedSeconds"]) < 60, one
    shown = [one["picture"]["frames"] for one in viewers]
    assert max(shown) - min(shown) < 60, shown

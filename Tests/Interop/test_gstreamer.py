"""A foreign stack joins by the same request: GStreamer's webrtcbin with sound and picture, and viewers that only receive."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from support import rtp
from support.fixtures import as_stranger
from support.handmade import Client
from support.server import CASES, Endpoint

PEER = Path(__file__).parent / "support" / "gst_peer.py"
SECONDS = 12


@pytest.fixture
def meeting(server):
    """One that has a sender already, so that there is something to see and hear."""
    meeting = server.running_meeting("Ngăn xếp khác")["id"]
    endpoint = Endpoint(server, meeting, "Hà Giang", 1270, "d0c020", 60)
    yield meeting
    endpoint.close()


@pytest.fixture
def start_peer():
    """The system's Python has GStreamer; the tests' own has not. Whatever a test says of them, they end with it."""
    started = []

    def start(server, meeting, name, *options, seconds=SECONDS):
        started.append(subprocess.Popen(
            ["/usr/bin/python3", PEER, "--url", f"{server.origin}/api/v1/meetings/{meeting}/media", "--token", server.token, "--name", name,
             "--seconds", str(seconds), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ))
        return started[-1]

    yield start
    for peer in started:
        if peer.poll() is None:
            peer.kill()
        peer.communicate()


def report_of(peer, seconds=SECONDS):
    output, errors = peer.communicate(timeout=seconds + 20)
    assert output, errors
    return json.loads(output)


def participant(server, meeting, name, wanted, patience=10):
    """The participant once `wanted` holds, or as it was last seen."""
    end = time.monotonic() + patience
    while True:
        found = next((one for one in server.participants(meeting) if one["name"] == name), None)
        if (found and wanted(found)) or time.monotonic() > end:
            return found
        time.sleep(0.2)


def check_received(report):
    assert report["error"] is None, report
    assert report["status"] == 201 and report["location"] and report["etag"]
    assert report["video"] >= 25, f"too few pictures decoded: {report}"
    assert report["audio"] >= 100, f"too little sound decoded: {report}"
    assert report["loudest"] > 300, f"the endpoint's tone is not heard: {report}"
    assert report["left"] in (200, 204)


def test_webrtcbin_joins_with_sound_and_picture(server, meeting, start_peer):
    peer = start_peer(server, meeting, "GStreamer")
    seen = participant(server, meeting, "GStreamer", lambda one: one["video"]["width"] == 640 and one["audio"]["sending"])
    report = report_of(peer)
    check_received(report)
    assert seen["kind"] == "participant" and seen["video"]["sending"] and seen["video"]["width"] == 640, seen
    assert seen["audio"]["sending"], seen
    assert all(one["name"] != "GStreamer" for one in server.participants(meeting))


def test_webrtcbin_that_only_receives_is_a_viewer(server, meeting, start_peer):
    peer = start_peer(server, meeting, "WHEP", "--receive-only")
    seen = participant(server, meeting, "WHEP", lambda one: one["state"] == "connected")
    check_received(report_of(peer))
    assert seen["kind"] == "viewer", seen


def test_who_checks_no_consent_stays_by_sealed_media(server, meeting, start_peer):
    """libnice sends no consent checks by default: a publisher with sound and picture, a viewer, and by hand one that sends reports alone."""
    stay = 62
    peers = {name: start_peer(server, meeting, name, *options, seconds=stay) for name, options in (("Phát", ()), ("Xem", ("--receive-only",)))}
    silent = Client(server, meeting, "Im lặng", direction="recvonly").join()
    case = json.loads((CASES / "keepalive-by-indications.json").read_text())
    indication = bytes.fromhex(next(one["hex"] for one in case["timeline"] if "hex" in one))
    # One more that sends indications alone: anybody can, so they prove nothing.
    forgetful = Client(server, meeting, "Chỉ báo", direction="recvonly").join()
    begun, received, late = time.monotonic(), [], []
    while (now := time.monotonic() - begun) < stay - 4:
        silent.send_rtcp(rtp.receiver_report(silent.audio_ssrc))
        silent.send_raw(indication)
        forgetful.send_raw(indication)
        packets = silent.receive(1)
        received.append(len(packets))
        if now > 45:
            late.append({one["name"]: one["state"] for one in server.participants(meeting)})
    assert min(received) > 40, received  # fifty packets of sound a second, pictures besides
    assert len(late) >= 10 and all(states.get(name) == "connected" for name in ("Phát", "Xem", "Im lặng") for states in late), late
    # Its session has ended; its seat is kept for a while, and says that nobody sits in it.
    assert all(states.get("Chỉ báo") == "interrupted" for states in late), late
    for name, peer in peers.items():
        report = report_of(peer, stay)
        check_received(report)
        assert report["audio"] > 50 * (stay - 10) * 0.95 and report["video"] > 20 * (stay - 10), (name, report)
    silent.close()
    forgetful.close()


def test_chromium_that_only_receives_is_a_viewer(server, meeting, chromium):
    browser = as_stranger(chromium(), server)
    browser.evaluate("(options) => client.join(options)", {"meeting": meeting, "token": server.token, "name": "Màn hình", "direction": "recvonly"})
    end = time.monotonic() + 10
    while (statistics := browser.evaluate("() => client.statistics()"))["video"].get("framesDecoded", 0) < 50 and time.monotonic() < end:
        time.sleep(0.2)
    assert statistics["video"]["framesDecoded"] >= 50, statistics
    assert participant(server, meeting, "Màn hình", lambda one: True)["kind"] == "viewer"
    assert browser.evaluate("() => client.leave()") in (200, 204)

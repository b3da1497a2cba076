"""Two Chromium, one Firefox and two headless endpoints in one meeting for a minute: everybody sees everybody, hears the others and not itself."""

import itertools
import json
import os
import time

import pytest
from support.bidi import Firefox
from support.fixtures import as_stranger
from support.measure import overlap, picture_of, places_of_colours, tone_levels
from support.server import Endpoint

SECONDS = int(os.environ.get("NHIPCAU_INTEROP_SECONDS", "60"))
SETTLING = 20
# Far apart, and no sum or difference of two or three of them falls on another.
TONES = {"Hà Nội": 350, "Đắk Lắk": 530, "Sóc Trăng": 820, "Hà Giang": 1270, "Thừa Thiên Huế": 1960}
# None is near the green border of who speaks.
COLOURS = {"Hà Nội": "d02020", "Đắk Lắk": "50c8f0", "Sóc Trăng": "2040d0", "Hà Giang": "d0c020", "Thừa Thiên Huế": "c020c0"}
FRAMES_SENT = "nhipcau_media_video_frames_sent_total"
BROWSERS = ["Hà Nội", "Đắk Lắk", "Sóc Trăng"]
ENDPOINTS = ["Hà Giang", "Thừa Thiên Huế"]


@pytest.fixture
def firefox():
    browser = Firefox(microphone_hertz=TONES["Sóc Trăng"])
    yield browser
    browser.close()


@pytest.fixture
def endpoints(server):
    started = []

    def start(meeting):
        for name in ENDPOINTS:
            started.append(Endpoint(server, meeting, name, TONES[name], COLOURS[name], SECONDS + 90))

    yield start
    for endpoint in started:
        endpoint.close()


def settled(browser):
    """Waits until five colours and the others' tones are there, for at most `SETTLING` seconds; what is not there then fails in the test."""
    end = time.monotonic() + SETTLING
    while time.monotonic() < end:
        if len(places_of_colours(picture_of(browser.evaluate("() => client.frame()")), COLOURS.values())) == len(COLOURS):
            return
        time.sleep(0.5)


def check_sound(name, samples):
    levels = tone_levels(samples, TONES.values())
    own = levels.pop(TONES[name])
    for hertz, level in levels.items():
        assert level > -50, f"{name} does not hear {hertz} Hz: {level:.0f} dBFS"
        assert level - own >= 30, f"{name} hears itself: {own:.0f} dBFS beside {level:.0f} dBFS at {hertz} Hz"


def check_picture(name, frame):
    places = places_of_colours(picture_of(frame), COLOURS.values())
    missing = [site for site, colour in COLOURS.items() if colour not in places]
    assert not missing, f"{name} does not see {missing}"
    for colour, (left, top, right, bottom, filled) in places.items():
        assert (right - left) * (bottom - top) >= 320 * 180 / 40, f"{name}: the tile of {colour} is too small: {places[colour]}"
        assert filled > 0.6, f"{name}: {colour} does not fill its tile: {places[colour]}"
    for one, other in itertools.combinations(places.values(), 2):
        assert overlap(one[:4], other[:4]) <= 64, f"{name}: tiles overlap: {one} {other}"


def check_rates(name, before, after):
    seconds = after["at"] - before["at"]
    rates = {key: (after["video"][key] - before["video"][key]) / seconds for key in ("framesReceived", "framesDecoded")}
    print(f"{name}: {rates}, {after['video'].get('frameWidth')}×{after['video'].get('frameHeight')}")
    assert after["state"] == "connected"
    # The server sends 25 a second; a picture that is under way at one end of the minute may be missing.
    assert 24.5 <= rates["framesReceived"] <= 25.5, f"{name}: {rates}"
    assert rates["framesDecoded"] >= 15, f"{name}: {rates}"


def test_three_browsers_and_two_endpoints_see_and_hear_each_other(server, chromium, firefox, endpoints, tmp_path):
    meeting = server.running_meeting("Ba trình duyệt và hai điểm cầu")["id"]
    endpoints(meeting)
    browsers = dict(zip(BROWSERS, [chromium(), chromium(), firefox]))
    for name, browser in browsers.items():
        hertz = None if browser is firefox else TONES[name]
        joined = as_stranger(browser, server).evaluate(
            "(options) => client.join(options)",
            {"meeting": meeting, "token": server.token, "name": name, "colour": f"#{COLOURS[name]}", "hertz": hertz},
        )
        assert joined["type"].startswith("application/sdp") and joined["location"] and joined["etag"]
    for browser in browsers.values():
        settled(browser)

    sent, start = server.metric(FRAMES_SENT), time.monotonic()
    before = {name: browser.evaluate("() => client.statistics()") for name, browser in browsers.items()}
    end = time.monotonic() + SECONDS
    rounds = 0
    while time.monotonic() < end:
        for name, browser in browsers.items():
            check_sound(name, browser.evaluate("() => client.sound()"))
            frame = browser.evaluate("() => client.frame()")
            try:
                check_picture(name, frame)
            except AssertionError as failure:
                (tmp_path / "frame.json").write_text(json.dumps(frame))
                failure.add_note(f"round {rounds}; the picture is in {tmp_path}/frame.json (client.frame, for support.measure.picture_of)")
                raise
        rounds += 1
        time.sleep(min(5, max(0, end - time.monotonic())))
    after = {name: browser.evaluate("() => client.statistics()") for name, browser in browsers.items()}
    rate = (server.metric(FRAMES_SENT) - sent) / (time.monotonic() - start) / len(TONES)
    print(f"the server sent each {rate:.2f} pictures a second")
    assert rounds >= 2
    # The counters behind /metrics may be a second old at either end.
    assert 25 * (1 - 1.5 / SECONDS) <= rate <= 25 * (1 + 1.5 / SECONDS)
    for name in browsers:
        check_rates(name, before[name], after[name])
    assert {one["name"] for one in server.participants(meeting)} == set(TONES)
    for browser in browsers.values():
        assert browser.evaluate("() => client.leave()") in (200, 204)
    assert {one["name"] for one in server.participants(meeting)} == set(ENDPOINTS)

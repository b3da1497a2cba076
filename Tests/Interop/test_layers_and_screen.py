"""What a browser sends besides one camera: the camera in three sizes at once, and a shared screen."""

from support import sites
from support.fixtures import as_stranger
from support.measure import picture_of, places_of_colours

CAMERA, SCREEN = "50c8f0", "d02020"
WHOLE = 320 * 180


def until(condition, seconds=12):
    return sites.until(condition, seconds)


def join(browser, server, meeting, **more):
    options = {"meeting": meeting, "token": server.token, "name": "Đắk Lắk", "colour": f"#{CAMERA}", "hertz": 440} | more
    return browser.evaluate("(options) => client.join(options)", options)


def sizes(browser):
    """Part of the composed picture that each colour fills."""
    places = places_of_colours(picture_of(browser.evaluate("() => client.frame()")), [CAMERA, SCREEN])
    return {colour: (right - left) * (bottom - top) / WHOLE for colour, (left, top, right, bottom, _) in places.items()}


def test_of_a_simulcast_the_layer_nearest_to_the_tile_is_taken(server, chromium):
    meeting = server.running_meeting("Nhiều cỡ hình")["id"]
    browser = as_stranger(chromium(), server)
    assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 1, "type": "layout", "layout": "grid"}).ok
    join(browser, server, meeting, layers=True)

    def height():
        return next(one["video"]["height"] for one in server.participants(meeting) if one["name"] == "Đắk Lắk")

    # Alone its tile is the whole picture: the largest layer.
    assert until(lambda: height() == 720, 20), height()
    # Nine tiles in a grid of three by three are 234 lines high; 180 would be too few for them.
    with sites.name_cards(server, meeting, 8):
        assert until(lambda: height() == 360), height()
        # Twenty-five in five by five: 138 lines.
        with sites.name_cards(server, meeting, 16):
            assert until(lambda: height() == 180), height()
        assert until(lambda: height() == 360), height()
    assert server.metric("nhipcau_media_frames_refused_total") == 0


def test_a_screen_is_added_paused_resumed_and_dropped_while_the_session_goes_on(server, chromium):
    meeting = server.running_meeting("Chia sẻ màn hình")["id"]
    browser = as_stranger(chromium(), server)
    join(browser, server, meeting)

    def is_shared():
        return server.participants(meeting)[0]["screen"]["sending"]

    assert until(lambda: sizes(browser).get(CAMERA, 0) > 0.6), sizes(browser)
    assert not is_shared()
    for _ in range(2):
        browser.evaluate("(colour) => client.share(colour)", f"#{SCREEN}")
        assert until(lambda: sizes(browser).get(SCREEN, 0) > 0.4), sizes(browser)
        assert until(is_shared) and 0.01 < sizes(browser)[CAMERA] < 0.2
        browser.evaluate("() => client.unshare({ stop: false })")
        assert until(lambda: SCREEN not in sizes(browser) and sizes(browser).get(CAMERA, 0) > 0.6), sizes(browser)
        assert until(lambda: not is_shared())
        browser.evaluate("() => client.resumeShare()")
        assert until(lambda: sizes(browser).get(SCREEN, 0) > 0.4), sizes(browser)
        browser.evaluate("() => client.unshare()")
        assert until(lambda: SCREEN not in sizes(browser) and sizes(browser).get(CAMERA, 0) > 0.6), sizes(browser)
    assert browser.evaluate("() => client.statistics()")["state"] == "connected"
    assert server.metric("nhipcau_media_sessions") == 1

"""Senders send what their tile needs: fewer lines while it is small, and all again before it is large."""

import json

from support.sites import Sites, name_cards, until
from test_page import Reader, me


def picture(server, meeting, name):
    return next((one["video"] for one in server.participants(meeting) if one["name"] == name), {})


def sent_in_five_seconds(sites, folder, name):
    """Bytes that one more site sends while all is as it is, and the lines of its picture in the end."""
    report = folder / f"{name}.json"
    sites.add(name, "--video", "pattern", "--duration", "5", "--report", str(report))
    assert sites.processes.pop().wait(20) == 0
    site = json.loads(report.read_text())["endpoints"][0]
    return site["line"]["bytesSent"], site["sent"]["lines"]


def test_an_endpoint_sends_the_lines_of_its_tile_and_goes_back_before_it_is_large(server, tmp_path):
    meeting = server.running_meeting("Lớn bằng ô hình")["id"]
    assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 1, "type": "layout", "layout": "grid"}).ok
    report = tmp_path / "report.json"
    with Sites(server, meeting) as sites:
        sites.add("Xem", "--kind", "viewer")
        sites.add("Tỉnh", "--video", "pattern", "--report", str(report))
        sizes = lambda: (picture(server, meeting, "Tỉnh").get("width"), picture(server, meeting, "Tỉnh").get("height"))  # noqa: E731
        # Alone it fills the canvas: as it is.
        assert until(lambda: sizes() == (640, 360)), sizes()
        whole, lines = sent_in_five_seconds(sites, tmp_path, "Trước")
        assert lines == 360
        with name_cards(server, meeting, 8):
            assert until(lambda: sizes() == (426, 240)), sizes()
            with name_cards(server, meeting, 15):
                assert until(lambda: sizes() == (256, 144)), sizes()
                assert picture(server, meeting, "Tỉnh")["lines"] == 144
                small, lines = sent_in_five_seconds(sites, tmp_path, "Sau")
                assert lines == 144 and small < whole * 0.6, (small, whole)
                # The chair looks at it: large within moments.
                assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 2, "type": "layout", "layout": "one"}).ok
                assert until(lambda: sizes() == (640, 360), 4), sizes()
                assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 3, "type": "layout", "layout": "grid"}).ok
                assert until(lambda: sizes() == (256, 144)), sizes()
        assert until(lambda: sizes() == (640, 360)), sizes()
    assert json.loads(report.read_text())["endpoints"][0]["sent"]["lines"] == 360
    assert server.metric("nhipcau_media_frames_refused_total") == 0


def test_the_page_scales_its_camera_down_to_its_tile_and_up_again(server, chromium):
    reader = Reader(chromium(), server, "vi")
    reader.sign_in()
    meeting = server.running_meeting("Máy quay vừa ô hình")["id"]
    assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 1, "type": "layout", "layout": "grid"}).ok
    reader.page.goto(f"{server.origin}/meetings/{meeting}")
    reader.enter()
    reader.wait_for_picture()
    height = lambda: me(server, meeting)["video"]["height"]  # noqa: E731
    assert until(lambda: height() >= 300), me(server, meeting)
    with name_cards(server, meeting, 24):
        assert until(lambda: 0 < height() <= 150, 30), me(server, meeting)
        assert me(server, meeting)["video"]["lines"] <= 144
        assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 2, "type": "layout", "layout": "one"}).ok
        # One of twenty-five may be large; with "one" it is the first that came.
        assert until(lambda: height() >= 300, 15), me(server, meeting)
        assert server.call("POST", f"meetings/{meeting}/commands", json={"id": 3, "type": "layout", "layout": "grid"}).ok
        assert until(lambda: 0 < height() <= 150, 15), me(server, meeting)
    assert until(lambda: height() >= 300, 30), me(server, meeting)

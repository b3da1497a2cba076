"""One sender whose frames are too many: the others' meeting goes on."""

import json
import struct
import subprocess
import time

import av
import numpy
from support.server import Endpoint, executable
from websockets.sync.client import connect

SECONDS = 16


def flood(server):
    """A file that is sent at 120 frames a second, the most that the endpoint sends: pictures of the largest size, many times what it was told to send."""
    path = server.data / "flood.ivf"
    with av.open(str(path), "w", format="ivf") as file:
        stream = file.add_stream("libvpx", rate=120)
        stream.width, stream.height, stream.bit_rate, stream.pix_fmt = 1280, 720, 8_000_000, "yuv420p"
        stream.options = {"deadline": "realtime", "cpu-used": "16", "g": "1000"}
        noise = numpy.random.default_rng(7).integers(0, 255, (90, 160, 3), dtype=numpy.uint8).repeat(8, axis=0).repeat(8, axis=1)
        for number in range(60):
            frame = av.VideoFrame.from_ndarray(numpy.ascontiguousarray(numpy.roll(noise, 5 * number, axis=1)), format="rgb24")
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack("<II", 120, 1)
    path.write_bytes(content)
    return path


def composed(server, seconds):
    before, begin = server.metric("nhipcau_media_pictures_composed_total"), time.monotonic()
    time.sleep(seconds)
    return (server.metric("nhipcau_media_pictures_composed_total") - before) / (time.monotonic() - begin)


def test_one_senders_frames_do_not_take_the_others_picture(server):
    meeting = server.running_meeting("Một nơi gửi quá nhiều")["id"]
    others = [Endpoint(server, meeting, f"Xã {number}", 500 + 100 * number, colour, 60) for number, colour in enumerate(("d04020", "20a040"))]
    attacker = None
    try:
        time.sleep(3)
        alone = composed(server, 3)
        address = f"{server.origin.replace('http', 'ws')}/api/v1/meetings/{meeting}/events"
        with connect(address, subprotocols=["nhipcau.v1"], additional_headers={"Authorization": f"Bearer {server.token}"}) as channel:
            attacker = subprocess.Popen(
                [executable(), "endpoint", "--server", server.origin, "--token", server.token, "--meeting", meeting, "--name", "Kẻ gửi nhiều",
                 "--audio", "none", "--video", str(flood(server)), "--duration", "60"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=server.log,
            )
            rate = composed(server, SECONDS)
            notices = []
            while not notices:
                message = json.loads(channel.recv(timeout=10))
                if message["type"] == "notice":
                    notices.append(message["text"])
        assert attacker.poll() is None, server.words()
        assert server.metric("nhipcau_media_frames_excess_total") > 200
        assert rate >= min(20, 0.8 * alone), f"{rate:.1f} pictures a second, {alone:.1f} without the flood"
        assert "Kẻ gửi nhiều" in notices[0]
    finally:
        for process in [*others, attacker]:
            if isinstance(process, Endpoint):
                process.close()
            elif process:
                process.terminate()
                process.wait(10)

"""A receiver that assembles pictures by timestamp (aiortc), while its tier, the layout and its session's description change."""

import asyncio
import time

import pytest
import requests
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from support import aside
from support.server import Endpoint

#: Packets that aiortc's jitter buffer holds.
BUFFER = 128
COLOUR = (0xD0, 0x40, 0x20)
SIZES = {"high": (1280, 720), "medium": (640, 360), "low": (320, 180)}


class Viewer:
    """Receives sound and picture. Every packet is written down before aiortc has it; `keeps` says which of them it gets."""

    def __init__(self, server, meeting, configuration):
        self.server, self.address = server, f"{server.origin}/api/v1/meetings/{meeting}/media?name=aiortc"
        self.peer, self.resource = RTCPeerConnection(configuration), None
        self.packets = {"audio": [], "video": []}
        self.pictures = []  # (when, width, height, colour in the middle of the tile)
        self.keeps = lambda count: True
        self.readers = []
        for kind in ("audio", "video"):
            self._listen(self.peer.addTransceiver(kind, direction="recvonly").receiver, kind)

        @self.peer.on("track")
        def on_track(track):
            self.readers.append(asyncio.ensure_future(self._read(track)))

    def _listen(self, receiver, kind):
        take, packets = receiver._handle_rtp_packet, self.packets[kind]

        async def handle(packet, arrival_time_ms):
            packets.append((packet.ssrc, packet.sequence_number, packet.timestamp, packet.marker, packet.payload_type))
            if self.keeps(len(packets)):
                await take(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = handle

    async def _read(self, track):
        while True:
            frame = await track.recv()
            if track.kind == "video":
                image = frame.to_ndarray(format="rgb24")
                middle = image[frame.height // 2 - 8 : frame.height // 2 + 8, frame.width // 2 - 8 : frame.width // 2 + 8]
                self.pictures.append((time.monotonic(), frame.width, frame.height, middle.reshape(-1, 3).mean(axis=0)))

    async def negotiate(self):
        await self.peer.setLocalDescription(await self.peer.createOffer())
        headers = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/sdp"}
        method, address = ("PATCH", self.resource) if self.resource else ("POST", self.address)
        # Without send times there is no REMB: the reports of loss alone choose the tier.
        offer = "".join(line for line in self.peer.localDescription.sdp.splitlines(True) if "abs-send-time" not in line)
        answer = await asyncio.to_thread(
            requests.request, method, address, data=offer.encode(), headers=headers, timeout=15)
        assert answer.status_code in (200, 201), answer.text
        self.resource = self.resource or self.server.origin + answer.headers["Location"]
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=answer.text, type="answer"))

    async def sees(self, tier, patience, pictures=15):
        """Until so many pictures in a row have the tier's size and the sender's colour."""
        begin, place = time.monotonic(), len(self.pictures)
        while time.monotonic() - begin < patience:
            last = self.pictures[place:][-pictures:]
            if len(last) == pictures and all((wide, high) == SIZES[tier] and off(colour) < 40 for _, wide, high, colour in last):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not seen in {tier}: {[(p[1], p[2], p[3].round()) for p in self.pictures[-5:]]}")

    def stamps(self, kind):
        """Of each picture, or sound, in the order of their numbers; repeats, which come under another SSRC, left out."""
        packets = self.packets[kind]
        ssrc = packets[0][0]
        own = [packet for packet in packets if packet[0] == ssrc]
        first = own[0][1]
        own.sort(key=lambda packet: (packet[1] - first + 0x8000) & 0xFFFF)
        assert [(b[1] - a[1]) & 0xFFFF for a, b in zip(own, own[1:])] == [1] * (len(own) - 1), "numbers are missing"
        if kind == "audio":
            return [packet[2] for packet in own]
        # A picture is all packets up to a marker; they share a timestamp.
        stamps, inside = [], None
        for _, _, stamp, marker, _ in own:
            assert inside is None or stamp == inside, "one picture with two timestamps"
            inside = None if marker else stamp
            if marker:
                stamps.append(stamp)
        return stamps

    async def leave(self):
        headers = {"Authorization": f"Bearer {self.server.token}"}
        if self.resource:
            await asyncio.to_thread(requests.delete, self.resource, headers=headers, timeout=10)
        for reader in self.readers:
            reader.cancel()
        await self.peer.close()


def off(colour):
    """How far it is from the sender's."""
    return float(abs(colour - COLOUR).max())


def rises(stamps):
    return all(0 < (b - a) & 0xFFFFFFFF < 0x80000000 for a, b in zip(stamps, stamps[1:]))


async def watch(server, meeting, configuration):
    viewer = Viewer(server, meeting, configuration)
    try:
        await viewer.negotiate()
        await viewer.sees("high", 10)
        # A line that loses a quarter ends in the lowest tier. What comes through meanwhile need not be whole.
        viewer.keeps = lambda count: count % 4 > 0
        end = time.monotonic() + 20
        while (now := await asyncio.to_thread(tier, server, meeting)) != "low" and time.monotonic() < end:
            await asyncio.sleep(0.05)
        viewer.keeps = lambda count: True
        assert now == "low", f"a line that loses a quarter keeps tier {now}"
        # aiortc hands out one picture for each packet that comes, so what its jitter buffer still holds of larger pictures is counted in packets.
        before = len(viewer.packets["video"])
        await viewer.sees("low", 15)
        took = len(viewer.packets["video"]) - before
        # From here on each picture that is decoded is whole, whatever changes.
        place = len(viewer.pictures)
        for layout in ("one", "speaker", "grid"):
            command = {"id": 1, "type": "layout", "layout": layout}
            answer = await asyncio.to_thread(server.call, "POST", f"meetings/{meeting}/commands", json=command)
            assert answer.ok, answer.text
            await asyncio.sleep(0.4)
        await viewer.negotiate()
        await viewer.sees("low", 4)
        # The line is well: up again, which aiortc sees at once, since the key frame of the new tier is a picture of its own.
        await viewer.sees("medium", 25)
        sizes = [(picture[1], picture[2]) for picture in viewer.pictures[place:]]
        change = sizes.index(SIZES["medium"])
        assert set(sizes[:change]) == {SIZES["low"]} and set(sizes[change:]) == {SIZES["medium"]}, "the tiers alternate"
        worst = max(off(picture[3]) for picture in viewer.pictures[place:])
        assert worst < 40, f"a picture with other content: {worst}"
        return viewer.stamps("video"), viewer.stamps("audio"), took
    finally:
        await viewer.leave()


def tier(server, meeting):
    found = next(one for one in server.participants(meeting) if one["name"] == "aiortc")
    return (found.get("line") or {}).get("tier") or found.get("tier")


@pytest.mark.parametrize("policy", [None, RTCBundlePolicy.MAX_BUNDLE], ids=["as it is", "MAX_BUNDLE"])
def test_a_receiver_that_assembles_by_timestamp_sees_each_change_of_tier(server, policy):
    configuration = RTCConfiguration(bundlePolicy=policy) if policy else RTCConfiguration()
    meeting = server.running_meeting("Đổi mức hình")["id"]
    sender = Endpoint(server, meeting, "Hà Giang", 1270, "d04020", 90)
    try:
        pictures, sounds, took = aside.run(watch(server, meeting, configuration))
    finally:
        sender.close()
    # Fifteen pictures of tier low, one of them a key frame, are some thirty packets.
    assert took < BUFFER + 60, took
    assert len(pictures) > 100 and rises(pictures), [b - a for a, b in zip(pictures, pictures[1:]) if b <= a]
    assert len(sounds) > 300 and rises(sounds)

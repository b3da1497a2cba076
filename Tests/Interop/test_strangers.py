"""aiortc, a stack that keeps to the letter and forgives little: bundle policies, and an estimate (REMB) that follows what it is sent."""

import asyncio
import time

import pytest
import requests
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from support import aside
from support.server import Endpoint


async def stay(server, meeting, policy, seconds):
    """Joins with sound and a still picture; gives what was decoded, and the tiers that the server said in the last seconds."""
    peer = RTCPeerConnection(RTCConfiguration(bundlePolicy=policy))
    counts, loudest, readers, resource, tiers = {"audio": 0, "video": 0}, 0, [], None, []

    async def read(track):
        nonlocal loudest
        while True:
            frame = await track.recv()
            counts[track.kind] += 1
            if track.kind == "audio":
                loudest = max(loudest, int(abs(frame.to_ndarray()).max()))

    peer.on("track", lambda track: readers.append(asyncio.ensure_future(read(track))))
    peer.addTrack(AudioStreamTrack())
    peer.addTrack(VideoStreamTrack())
    headers = {"Authorization": f"Bearer {server.token}"}
    try:
        await peer.setLocalDescription(await peer.createOffer())
        answer = await asyncio.to_thread(
            requests.post, f"{server.origin}/api/v1/meetings/{meeting}/media?name=aiortc", data=peer.localDescription.sdp.encode(),
            headers=headers | {"Content-Type": "application/sdp"}, timeout=15)
        assert answer.status_code == 201, answer.text
        resource = server.origin + answer.headers["Location"]
        await peer.setRemoteDescription(RTCSessionDescription(sdp=answer.text, type="answer"))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(0.5)
            own = [one for one in await asyncio.to_thread(server.participants, meeting) if one["name"] == "aiortc"]
            tiers.append(own[0]["tier"] if own else None)
        assert peer.connectionState == "connected"
        seen = next(one for one in await asyncio.to_thread(server.participants, meeting) if one["name"] == "aiortc")
        return counts, loudest, tiers, seen
    finally:
        for reader in readers:
            reader.cancel()
        if resource:
            await asyncio.to_thread(requests.delete, resource, headers=headers, timeout=10)
        await peer.close()


# The first with time enough for an estimate to settle: on a line that loses nothing it says little, since a still picture is small.
@pytest.mark.parametrize("policy, seconds", [(None, 16), (RTCBundlePolicy.MAX_BUNDLE, 5), (RTCBundlePolicy.MAX_COMPAT, 5)])
def test_aiortc_joins_and_keeps_its_tier(server, policy, seconds):
    meeting = server.running_meeting("Khách lạ")["id"]
    sender = Endpoint(server, meeting, "Hà Giang", 1270, "d04020", 40)
    try:
        policy = policy or RTCConfiguration().bundlePolicy or RTCBundlePolicy.BALANCED
        counts, loudest, tiers, seen = aside.run(stay(server, meeting, policy, seconds))
    finally:
        sender.close()
    assert counts["video"] >= 6 * seconds and counts["audio"] >= 30 * seconds, counts
    assert loudest > 300, "the sender's tone is not heard"
    assert seen["state"] == "connected" and seen["audio"]["sending"] and seen["video"]["sending"], seen
    assert set(tiers[3:]) == {"high"}, tiers

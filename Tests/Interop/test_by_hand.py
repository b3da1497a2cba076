"""Media sessions made by hand, to the letter of the RFCs: what no browser sends, and what only a forger does."""

import json
import os
import struct
import time

import pytest
from support import rtp
from support.handmade import Client
from support.server import CASES


@pytest.fixture
def meeting(server):
    return server.running_meeting("Làm bằng tay")["id"]


@pytest.fixture
def clients():
    made = []
    yield made
    for one in made:
        one.close()


def sound(packets):
    return [rtp.Packet(one) for one in packets if not 192 <= one[1] < 224 and one[1] & 0x7F == 111]


def pictures(packets):
    return [rtp.Packet(one) for one in packets if not 192 <= one[1] < 224 and one[1] & 0x7F == 96]


def speak(client, listener, hertz, seconds=2.0, ssrc=None, level=None):
    """Sends a tone and gives how loud the listener hears it, in dB of full scale."""
    ssrc = ssrc or client.audio_ssrc
    heard = []
    for packet in rtp.opus_packets(rtp.tone(hertz, seconds)):
        number = client.numbers[ssrc] = client.numbers.get(ssrc, -1) + 1
        block = {} if level is None else {"profile": 0xBEDE, "extension": rtp.one_byte_extension((1, bytes([-level & 0x7F])))}
        client.send_rtp(rtp.rtp(packet, number, number * 960, ssrc, 111, marker=number == 0, **block))
        heard += sound(listener.receive(0.0195))
    return rtp.loudness_at([one.payload for one in heard], hertz)


def test_everything_leaves_from_the_address_that_the_client_proved(server, meeting, clients):
    sender = Client(server, meeting, "Nói").join()
    clients.append(sender)
    by_other = Client(server, meeting, "Nghe", direction="recvonly")
    clients.append(by_other)
    by_other.remote = ("127.0.0.2", server.media_port)
    by_other.join()
    assert speak(sender, by_other, 1000) > -20
    # Checks, DTLS, reports, sound and whole pictures in segments: all from there and nowhere else.
    assert by_other.sources == {by_other.remote}, by_other.sources
    assert pictures(by_other.receive(1)), "no picture came"
    # It nominates another of the server's addresses: what follows comes from that one.
    by_other.remote = ("127.0.0.3", server.media_port)
    by_other.sources.clear()
    by_other.send_raw(by_other.check(priority=0x7F0001FF))
    by_other.receive(0.3)
    by_other.sources.clear()
    assert speak(sender, by_other, 1000, 1.0) > -20
    assert by_other.sources == {by_other.remote}, by_other.sources
    by_ipv6 = Client(server, meeting, "Nghe sáu", direction="recvonly", address="::1")
    clients.append(by_ipv6)
    by_ipv6.join()
    assert len(sound(by_ipv6.receive(1))) > 30 and by_ipv6.sources == {by_ipv6.remote}, by_ipv6.sources


@pytest.mark.parametrize("case", ["bye-then-same-source", "bye-then-new-source"])
def test_bye_ends_a_source_and_not_the_session(server, meeting, clients, case):
    packets = json.loads((CASES / f"{case}.json").read_text())["packets"]
    sender, listener = Client(server, meeting, "Gốc", video=False), Client(server, meeting, "Nghe", direction="recvonly")
    clients += [sender, listener]
    sender.audio_ssrc = packets[0]["rtp"]["ssrc"]
    sender.join()
    listener.join()
    begun, heard, counts = time.monotonic(), 0, []
    for one in packets:
        time.sleep(max(0, begun + one["atMs"] / 1000 - time.monotonic()))
        if "rtcp" in one:
            sender.send_rtcp(bytes.fromhex(one["rtcp"]))
        else:
            packet = one["rtp"]
            sender.send_rtp(rtp.rtp(bytes.fromhex(packet["payload"]), packet["sequence"], packet["timestamp"], packet["ssrc"], packet["payloadType"]))
        heard += len(sender.receive(0.001))
    last = packets[-1]["rtp"]["ssrc"]
    counts = [one["name"] for one in server.participants(meeting)]
    assert "Gốc" in counts and heard > 50, (counts, heard)
    # The source that goes on is heard as the same participant.
    sender.numbers[last] = 5_000
    assert speak(sender, listener, 800, ssrc=last) > -20
    assert next(one for one in server.participants(meeting) if one["name"] == "Gốc")["audio"]["sending"]
    sender.close_notify()
    sender.receive(0.5)
    assert "Gốc" not in [one["name"] for one in server.participants(meeting)]


def test_what_is_forged_before_the_hello_ends_nothing(server, meeting, clients):
    client = Client(server, meeting, "Bị giả")
    clients.append(client)
    assert client.post().status_code == 201
    client.prove()
    record = lambda kind, body: bytes([kind, 254, 253]) + bytes(8) + struct.pack("!H", len(body)) + body  # noqa: E731
    # As if from the client's own address: an alert, a hello that leads nowhere, the middle of a handshake, noise.
    hello = bytes([254, 253]) + os.urandom(32) + bytes([0, 0, 0, 2, 0xC0, 0x2B, 1, 0])
    for forged in (
        record(21, bytes([2, 40])), record(21, bytes([1, 0])), record(22, bytes([1, 0, 0, len(hello), 0, 0, 0, 0, 0, 0, 0, len(hello)]) + hello),
        record(22, bytes([16, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 30]) + os.urandom(30)), record(22, os.urandom(60)), record(20, b"\1"), record(23, os.urandom(40)),
    ):
        client.send_raw(forged)
    client.handshake()
    assert sound(client.receive(1)) or pictures(client.receive(1))
    # After it they end nothing either.
    client.send_raw(record(21, bytes([2, 40])))
    client.send_raw(record(21, bytes([1, 0])))
    assert client.receive(1) and [one["name"] for one in server.participants(meeting)] == ["Bị giả"]


def test_asking_again_and_again_draws_no_flood(server, meeting, clients):
    sender, client = Client(server, meeting, "Hình"), Client(server, meeting, "Đòi lại", direction="recvonly")
    clients += [sender, client]
    sender.join()
    client.join()
    frames = [frame for _, frame in rtp.ivf_frames(CASES.parent.parent / "Sources/Endpoint/media/clip-person-360p.ivf")][:200]
    number, seen, bytes_of = 0, [], {"media": 0, "repairs": 0}
    started = None
    for index, frame in enumerate(frames):
        payloads = rtp.vp8_payloads(frame)
        for place, payload in enumerate(payloads):
            sender.send_rtp(rtp.rtp(payload, number, index * 3600, sender.video_ssrc, 96, marker=place == len(payloads) - 1))
            number += 1
        begun = time.monotonic()
        for one in client.receive(0.03):
            if 192 <= one[1] < 224:
                continue
            packet = rtp.Packet(one)
            if index >= 50:
                bytes_of["repairs" if packet.payload_type == 97 else "media"] += len(one)
            if packet.payload_type == 96:
                seen.append(packet.sequence)
        if index == 50:
            started = time.monotonic()
        if index >= 50 and seen:
            # Two hundred of the last numbers, each time: tens of kilobits a second that ask for megabits.
            for part in range(0, 200, 50):
                client.send_rtcp(rtp.nack(client.audio_ssrc, client.remote_sources[1], sorted(set(seen[-200:]))[part: part + 50]))
        time.sleep(max(0, 0.04 - (time.monotonic() - begun)))
    passed = time.monotonic() - started
    assert bytes_of["media"] * 8 / passed > 200_000, bytes_of
    burst = 64 * 1_300
    assert 0 < bytes_of["repairs"] <= 0.5 * bytes_of["media"] + burst, bytes_of
    assert server.metric("nhipcau_media_dropped_total") > 100


def test_an_extension_that_runs_over_its_block_costs_no_sound(server, meeting, clients):
    sender, listener = Client(server, meeting, "Thừa", video=False), Client(server, meeting, "Nghe", direction="recvonly")
    clients += [sender, listener]
    sender.join()
    listener.join()
    heard = []
    for number, packet in enumerate(rtp.opus_packets(rtp.tone(900, 2))):
        # The level, and then an element that claims sixteen bytes where three are left.
        sender.send_rtp(rtp.rtp(packet, number, number * 960, sender.audio_ssrc, 111, profile=0xBEDE, extension=b"\x10\x8a\x3f\x01\x02\x03\x04\x05"))
        heard += sound(listener.receive(0.0195))
    assert rtp.loudness_at([one.payload for one in heard], 900) > -20

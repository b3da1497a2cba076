"""The TCP side of the media port, as strangers find it: what proves nothing goes soon and costs others nothing."""

import os
import socket
import struct
import time

import pytest
from support.server import Endpoint


def connect(server):
    one = socket.create_connection(("127.0.0.1", server.media_port), timeout=10)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def ends_within(one, seconds):
    """Whether the server ends the connection; how long that took."""
    one.settimeout(seconds)
    begin = time.monotonic()
    try:
        while one.recv(4096):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return None
    return time.monotonic() - begin


def stun(username=b"nobody:here"):
    """A binding request that nobody signed."""
    name = username + b"\0" * (-len(username) % 4)
    attribute = struct.pack("!HH", 6, len(username)) + name
    return struct.pack("!HHI", 1, len(attribute), 0x2112A442) + os.urandom(12) + attribute


def framed(datagram):
    return struct.pack("!H", len(datagram)) + datagram


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\nHost: hop\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", framed(b"\x80o" + bytes(40))])
def test_what_is_no_check_ends_at_once(server, words):
    with connect(server) as one:
        one.sendall(words)
        took = ends_within(one, 4)
        assert took is not None and took < 1


def test_who_proves_nothing_goes_after_five_seconds_whatever_it_sends(server):
    silent, slow, checking = connect(server), connect(server), connect(server)
    slow.sendall(b"\0")
    begin = time.monotonic()
    for _ in range(8):
        checking.sendall(framed(stun()))
        time.sleep(0.3)
    for one in (silent, slow, checking):
        assert ends_within(one, 6) is not None
        assert 3 < time.monotonic() - begin < 7
        one.close()
    assert server.metric("nhipcau_media_tcp_connections") == 0


def test_a_flood_of_connections_is_bounded_and_harms_no_session(server):
    meeting = server.running_meeting("Lũ kết nối")["id"]
    endpoint = Endpoint(server, meeting, "Hà Giang", 1270, "d0c020", 25)
    try:
        end = time.monotonic() + 10
        while [one["state"] for one in server.participants(meeting)] != ["connected"]:
            assert time.monotonic() < end
            time.sleep(0.2)
        begin, opened = time.monotonic(), 0
        flood = []
        while time.monotonic() - begin < 5:
            try:
                one = socket.create_connection(("127.0.0.1", server.media_port), timeout=2)
                one.sendall(framed(stun()) * 40)
                flood.append(one)
                opened += 1
            except OSError:
                pass
            if len(flood) > 200:
                flood.pop(0).close()
        assert opened > 100
        assert server.metric("nhipcau_media_tcp_connections") <= 16
        assert server.metric("nhipcau_media_tcp_refused_total") + server.metric("nhipcau_media_tcp_ended_total") > 50
        for one in flood:
            one.close()
        (participant,) = server.participants(meeting)
        assert participant["state"] == "connected" and participant["line"]["lossUp"] < 0.02
    finally:
        endpoint.close()

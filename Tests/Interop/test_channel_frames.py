"""The channel's frames to the letter of RFC 6455: hand-made bytes over a plain socket, since no WebSocket library sends what is wrong on purpose."""

import base64
import hashlib
import json
import os
import socket
import struct
import time

import pytest
import requests
from support.server import PASSWORD


@pytest.fixture
def meeting(server):
    return server.running_meeting("Từng khung")["id"]


class Channel:
    """A channel's raw line, opened by a handshake made by hand."""

    def __init__(self, server, meeting, *, behind=b"", slowly=False, token=None):
        key = base64.b64encode(os.urandom(16)).decode()
        self.line = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        request = (
            f"GET /api/v1/meetings/{meeting}/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: nhipcau.v1\r\nAuthorization: Bearer {token or server.token}\r\n\r\n"
        ).encode()
        for piece in [request[at : at + 1] for at in range(len(request))] if slowly else [request + behind]:
            self.line.sendall(piece)
        if slowly:
            self.line.sendall(behind)
        self.came = b""
        while b"\r\n\r\n" not in self.came:
            self.read()
        head, _, self.came = self.came.partition(b"\r\n\r\n")
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert head.startswith(b"HTTP/1.1 101 ") and b"\r\nSec-WebSocket-Accept: " + accept in head, head
        assert b"Sec-WebSocket-Protocol: nhipcau.v1" in head and b"Extensions" not in head

    def read(self):
        more = self.line.recv(65_536)
        if not more:
            raise EOFError
        self.came += more

    def frame(self):
        """The next frame of the server: opcode and payload. The server's are whole and never masked."""
        while True:
            if len(self.came) >= 2:
                first, length = self.came[0], self.came[1]
                assert first & 0xF0 == 0x80 and length < 128, self.came[:2]
                start = 2 + (2 if length == 126 else 8 if length == 127 else 0)
                if len(self.came) >= start:
                    if length == 126:
                        length = struct.unpack(">H", self.came[2:4])[0]
                    elif length == 127:
                        length = struct.unpack(">Q", self.came[2:10])[0]
                    if len(self.came) >= start + length:
                        payload, self.came = self.came[start : start + length], self.came[start + length :]
                        return first & 0x0F, payload
            self.read()

    def until(self, opcode):
        while True:
            found, payload = self.frame()
            if found == opcode:
                return payload

    def close_code(self):
        """The code that the server closes with, and that the stream ends behind it."""
        payload = self.until(8)
        with pytest.raises((EOFError, ConnectionResetError)):
            self.read()
        self.line.close()
        return struct.unpack(">H", payload[:2])[0] if payload else None


def frame(payload=b"", opcode=1, fin=True, masked=True, reserved=0, length=None, long_form=None):
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    said = len(payload) if length is None else length
    form = long_form or (127 if said > 65_535 else 126 if said > 125 else said)
    head += bytes([(0x80 if masked else 0) | form])
    head += struct.pack(">H", said) if form == 126 else struct.pack(">Q", said) if form == 127 else b""
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def command(number):
    return json.dumps({"id": number, "type": "no-such-command"}).encode()


FORBIDDEN = {
    "not masked": (frame(command(1), masked=False), 1002), "not masked, empty": (frame(masked=False), 1002), "ping not masked": (frame(b"x", 9, masked=False), 1002),
    "close not masked": (frame(struct.pack(">H", 1000), 8, masked=False), 1002), "not masked behind a good one": (frame(b'{"') + frame(b"x", masked=False), 1002),
    "second fragment not masked": (frame(b"{", fin=False) + frame(b"}", 0, masked=False), 1002),
    "reserved 1": (frame(command(1), reserved=4), 1002), "reserved 2": (frame(command(1), reserved=2), 1002), "reserved 3": (frame(b"", 9, reserved=1), 1002),
    **{f"opcode {opcode}": (frame(b"x", opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "ping in fragments": (frame(b"x", 9, fin=False), 1002), "close in fragments": (frame(b"\x03\xe8", 8, fin=False), 1002), "long ping": (frame(b"x" * 126, 9), 1002),
    "long close": (frame(b"\x03\xe8" + b"x" * 124, 8), 1002), "goes on with nothing": (frame(b"x", 0), 1002), "begins in the middle": (frame(b"x", fin=False) + frame(b"y"), 1002),
    "close of one byte": (frame(b"\x03", 8), 1002), **{f"close code {code}": (frame(struct.pack(">H", code), 8), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 2_999, 5_000, 65_535)},
    "close reason not UTF-8": (frame(b"\x03\xe8\xff", 8), 1007), "binary": (frame(b"\0\1", 2), 1003), "empty binary": (frame(b"", 2), 1003),
    "text not UTF-8": (frame(b'{"\xc3("}'), 1007), "text cut in a letter": (frame(b'"\xe1\xba'), 1007), "surrogate": (frame(b"\xed\xa0\x80"), 1007),
    "too long": (frame(b"x" * 70_000), 1009), "says it is endless": (frame(b"x" * 9, length=2**62), 1009), "too long in fragments": (frame(b"x" * 40_000, fin=False) + frame(b"x" * 40_000, 0), 1009),
    "length in a longer form": (frame(command(1), long_form=126), 1002), "length in the longest form": (frame(command(1), long_form=127), 1002),
    "length with its top bit": (frame(b"x" * 9, length=2**63), 1002),
}


@pytest.mark.parametrize("slowly", [False, True])
def test_what_a_client_must_not_send_closes_the_channel_with_its_code(server, meeting, slowly):
    for name, (sent, code) in FORBIDDEN.items():
        if slowly and len(sent) > 300:
            continue
        channel = Channel(server, meeting)
        for piece in [sent[at : at + 1] for at in range(len(sent))] if slowly else [sent]:
            channel.line.sendall(piece)
        assert channel.close_code() == code, name
    # None of it was a command, and the next one is heard.
    channel = Channel(server, meeting)
    channel.line.sendall(frame(command(7)))
    assert json.loads(channel.until(1))["type"] == "snapshot"
    assert json.loads(channel.until(1))["reply"] == 7


def test_what_a_client_may_send_is_taken(server, meeting):
    # Frames behind the request before it is answered, bytes one by one, fragments with pings between them, each form of a length that is the shortest.
    channel = Channel(server, meeting, behind=frame(command(1)) + frame(b"hello", 9), slowly=True)
    assert channel.until(10) == b"hello"
    channel = Channel(server, meeting, behind=frame(command(1)))
    replies = lambda: next(found["reply"] for found in iter(lambda: json.loads(channel.until(1)), None) if "reply" in found)
    assert replies() == 1
    text = json.dumps({"id": 2, "type": "nhảy-múa", "pad": "ấ" * 100}, ensure_ascii=False).encode()
    for at, byte in enumerate(text[:-1]):
        channel.line.sendall(frame(bytes([byte]), 1 if at == 0 else 0, fin=False) + (frame(b"p", 9) if at == 50 else b"") + (frame(b"", 0, fin=False) if at == 60 else b""))
    channel.line.sendall(frame(text[-1:], 0))
    assert channel.frame() == (10, b"p")
    assert replies() == 2
    channel.line.sendall(frame(command(3)) + frame(command(4)) + frame(b"", 10) + frame(b"unasked", 10))
    assert (replies(), replies()) == (3, 4)
    large = json.dumps({"id": 5, "type": "x", "pad": "a" * 65_000}).encode()
    channel.line.sendall(frame(large))
    assert replies() == 5
    # The close frame is answered with its code, then the stream ends.
    channel.line.sendall(frame(struct.pack(">H", 4_321) + "tạm biệt".encode(), 8) + frame(command(9)))
    assert channel.close_code() == 4_321
    channel = Channel(server, meeting)
    channel.line.sendall(frame(b"", 8))
    assert channel.close_code() is None


def test_a_client_that_is_silent_is_asked_and_one_that_does_not_close_is_left(server, meeting):
    login = requests.post(f"{server.origin}/api/v1/session", json={"username": "admin", "password": PASSWORD}, timeout=20).json()
    channel = Channel(server, meeting, token=login["token"])
    channel.line.settimeout(40)
    begun = time.monotonic()
    channel.until(9)
    assert 15 < time.monotonic() - begun < 30
    channel.line.sendall(frame(b"", 10))
    # A channel that is closed from this side ends some seconds later, whatever its client does.
    requests.delete(f"{server.origin}/api/v1/session", headers={"Authorization": f"Bearer {login['token']}"}, timeout=10)
    assert channel.until(8) == struct.pack(">H", 4_401) + b"signed out"
    begun = time.monotonic()
    with pytest.raises((EOFError, ConnectionResetError)):
        while True:
            channel.read()
    assert time.monotonic() - begun < 10

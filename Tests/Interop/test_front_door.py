"""The HTTP side towards strangers: bodies and headers that two readers take for different things, connections that say nothing, upgrades that are none."""

import base64
import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from support.server import PASSWORD, Server


def ask(server, sent, source="127.0.0.1", seconds=5, parts=(), until_close=True):
    """Sends bytes, reads to the end (or for so long). Returns what came and whether the server closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds, source_address=(source, 0)) as line:
        line.sendall(sent)
        for part in parts:
            time.sleep(0.02)
            line.sendall(part)
        came = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line.settimeout(max(0.01, end - time.monotonic()))
                more = line.recv(65_536)
            except (TimeoutError, ConnectionResetError) as error:
                return came, isinstance(error, ConnectionResetError)
            if not more:
                return came, True
            came += more
            if not until_close and b"\r\n\r\n" in came:
                return came, False
        return came, False


def status(came):
    return int(came.split(b" ", 2)[1]) if came.startswith(b"HTTP/1.1 ") else None


def post(*headers, body=b"", path="/api/v1/session", method="POST"):
    return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + "".join(f"{one}\r\n" for one in headers) + "\r\n").encode() + body


LOGIN = json.dumps({"username": "admin", "password": PASSWORD}).encode()
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def chunked(body, size=7, extension=""):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(f"{len(one):x}{extension}\r\n".encode() + one + b"\r\n" for one in pieces) + b"0\r\n\r\n"


def test_a_chunked_body_is_taken_within_the_limits_of_any_other(server):
    for size, extension in [(1, ""), (7, ";a=b"), (4_096, ' ; name="x"')]:
        came, closed = ask(server, post("Transfer-Encoding: chunked", body=chunked(LOGIN, size, extension)))
        assert status(came) == 201 and closed, came[:200]
    whole = post("Transfer-Encoding: Chunked", body=chunked(LOGIN) + SMUGGLED)
    came, closed = ask(server, b"", parts=[whole[at : at + 90] for at in range(0, len(whole), 90)])
    assert status(came) == 201 and closed and came.count(b"HTTP/1.1") == 1
    with_trailer = chunked(LOGIN)[:-2] + b"X-Sum: 1\r\n\r\n"
    assert status(ask(server, post("Transfer-Encoding: chunked", body=with_trailer))[0]) == 201
    assert requests.post(f"{server.origin}/api/v1/session", data=(one for one in [LOGIN]), headers={"Content-Type": "application/json"}, timeout=5).status_code == 201
    large = (b"FFFFFFF\r\n" + b"x" * 4_000, chunked(b" " * 300_000, 8_192), b"40001\r\n")
    answers = at_once([lambda one=one: ask(server, post("Transfer-Encoding: chunked", body=one), seconds=9) for one in large])
    for body, (came, _) in zip(large, answers, strict=True):
        assert status(came) == 413, (body[:9], came[:200])
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok


AMBIGUOUS = {
    "blank": ["Transfer-Encoding : chunked"], "tab": ["Transfer-Encoding\t: chunked"], "blanks": ["Transfer-Encoding \t  : chunked"],
    "many blanks": ["Transfer-Encoding" + " " * 20 + ": chunked"], "blank length": ["Content-Length : 5"], "folded": [" Transfer-Encoding: chunked"],
    "both": ["Content-Length: 5", "Transfer-Encoding: chunked"], "both turned": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "two lengths": ["Content-Length: 5", "Content-Length: 6"], "list": ["Content-Length: 5, 5"], "sign": ["Content-Length: +5"], "hex": ["Content-Length: 0x5"],
    "identity": ["Transfer-Encoding: identity"], "xchunked": ["Transfer-Encoding: xchunked"], "gzip": ["Transfer-Encoding: gzip, chunked"],
    "twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "quoted": ['Transfer-Encoding: "chunked"'], "chunked last": ["Transfer-Encoding: chunked, identity"],
}


def at_once(calls):
    """The server waits some seconds for a refused sender to read: many beside each other."""
    with ThreadPoolExecutor(60) as pool:
        return list(pool.map(lambda one: one(), calls))


def test_a_request_with_two_readings_is_refused_and_the_connection_ends(server):
    cases = [(method, name, headers) for method in ("POST", "GET", "DELETE") for name, headers in AMBIGUOUS.items()]
    answers = at_once([lambda one=one: ask(server, post(*one[2], body=b"0\r\n\r\n" + SMUGGLED, method=one[0]), seconds=9) for one in cases])
    for (method, name, _), (came, closed) in zip(cases, answers, strict=True):
        assert status(came) in (400, 411) and came.count(b"HTTP/1.1") == 1, (name, came[:300])
        assert status(came) == 400 or method != "POST", (name, came[:100])
        assert closed and b"connection: close" in came.lower(), name
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok


def test_chunks_that_are_none_end_the_connection(server):
    bodies = (b"x\r\n", b"-1\r\n", b"\r\n", b"5 \r\nabcde\r\n0\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n", b"5\nabcde\n0\n\n", b"5\r\nabcdefg\r\n0\r\n\r\n", b"000000000000005\r\n", b"5;" + b"a" * 9_000)
    answers = at_once([lambda one=one: ask(server, post("Transfer-Encoding: chunked", body=one + SMUGGLED), seconds=9) for one in bodies])
    for body, (came, closed) in zip(bodies, answers, strict=True):
        assert status(came) == 400 and came.count(b"HTTP/1.1") == 1 and closed, (body[:20], came[:200])
    assert server.metric("nhipcau_http_ambiguous_requests_total") >= 9


# Connections that say nothing.


def silent(server, source, count, say=b""):
    lines = []
    for _ in range(count):
        try:
            line = socket.create_connection(("127.0.0.1", server.port), timeout=2, source_address=(source, 0))
            if say:
                line.sendall(say)
            lines.append(line)
        except OSError:
            break
    return lines


SLOW = {"silent": b"", "half a request": b"GET / HTTP/1.1\r\nHost:", "slow body": post("Content-Length: 1000", body=b"{"), "slow chunks": post("Transfer-Encoding: chunked", body=b"5\r\n{")}


def test_two_addresses_with_all_they_may_hold_shut_nobody_out(server):
    for name, say in SLOW.items():
        lines = silent(server, "127.0.0.2", 1_100, say) + silent(server, "127.0.0.3", 1_100, say)
        try:
            time.sleep(0.5)  # what they hold is asked for here, not how fast they come
            for _ in range(3):
                begun = time.monotonic()
                assert requests.get(f"{server.origin}/healthz", timeout=5).ok
                assert time.monotonic() - begun < 1, name
            # Neither their own next request.
            came, _ = ask(server, SMUGGLED, source="127.0.0.2", until_close=False)
            assert status(came) == 200, name
        finally:
            for line in lines:
                line.close()


def test_who_asked_once_and_then_says_nothing_holds_no_more_than_its_share(server):
    lines = []
    for source in ("127.0.0.2", "127.0.0.3"):
        for _ in range(300):
            line = socket.create_connection(("127.0.0.1", server.port), timeout=5, source_address=(source, 0))
            line.sendall(SMUGGLED)
            lines.append(line)
            try:
                line.recv(65_536)
            except OSError:
                pass
    begun = time.monotonic()
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok
    assert time.monotonic() - begun < 1
    assert server.metric("nhipcau_http_connections_displaced_total") >= 2 * (300 - 256)
    for line in lines:
        line.close()


# Upgrades that libwebsockets 4.1.6 refuses after it has freed their headers, as a public advisory has it.


def upgrade(*headers, path="/api/v1/meetings/x/events", method="GET"):
    return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" + "".join(f"{one}\r\n" for one in headers) + "\r\n").encode()


KEY = "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()
UPGRADES = [
    upgrade("Upgrade: websocket"), upgrade("Upgrade: websocket", "Sec-WebSocket-Version: 13"), upgrade("Upgrade: websocket", KEY),
    upgrade("Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"), upgrade("Upgrade: websocket", KEY, "Sec-WebSocket-Version: 8"),
    upgrade("Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: nothing"),
    upgrade("Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: " + "a," * 2_000),
    upgrade("Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13", method="POST"), upgrade("Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13"),
    upgrade("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), upgrade("Upgrade: h2c"), upgrade("Upgrade: x"), upgrade("Upgrade: " + "y" * 4_000), upgrade("Upgrade:"),
    upgrade("Upgrade: TLS/1.0, websocket"), upgrade("Upgrade: websocket", "Upgrade: x"), upgrade("Upgrade: WebSocket\t"),
]


def test_upgrades_that_are_refused_in_any_way_leave_the_server_well(server):
    process = server.process.pid
    get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(5):
        for one in UPGRADES:
            for sent in (one, get + one, get + one + get, one + one + get, one * 20):
                ask(server, sent, seconds=0.15)
    workers = [threading.Thread(target=lambda: [ask(server, one, seconds=0.05) for one in UPGRADES]) for _ in range(8)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert server.process.poll() is None and server.process.pid == process
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok


# Behind proxies.


def test_only_trusted_proxies_say_whom_they_speak_for():
    server = Server("--trusted-proxy", "127.0.0.2", "--trusted-proxy", "10.0.0.0/8")
    try:
        def wrong(source, *headers):
            return status(ask(server, post(*headers, "Content-Length: 42", body=b'{"username":"admin","password":"falsch!"} '), source=source, until_close=False)[0])

        # Five wrong passwords of one client lock that client out and nobody else.
        for _ in range(5):
            assert wrong("127.0.0.2", "X-Forwarded-For: 198.51.100.7, 203.0.113.5, 10.1.1.1") == 401
        assert wrong("127.0.0.2", "X-Forwarded-For: 1.1.1.1, 203.0.113.5") == 429
        assert wrong("127.0.0.2", 'Forwarded: for=1.2.3.4, for="203.0.113.5:4711";proto=https') == 429
        assert wrong("127.0.0.2", "X-Forwarded-For: 203.0.113.6") == 401
        assert wrong("127.0.0.2", 'Forwarded: for="[2001:db8::1]:80"') == 401
        # Who is not trusted writes what he likes.
        assert wrong("127.0.0.3", "X-Forwarded-For: 203.0.113.5") == 401
        said = ask(server, post("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", f"Content-Length: {len(LOGIN)}", body=LOGIN), source="127.0.0.2", until_close=False)[0]
        assert b"; Secure" in said
        said = ask(server, post("X-Forwarded-Proto: https", f"Content-Length: {len(LOGIN)}", body=LOGIN), source="127.0.0.3", until_close=False)[0]
        assert status(said) == 201 and b"; Secure" not in said
        audit = server.call("GET", "audit?limit=50").text
        assert "203.0.113.9" in audit
        # A trusted proxy may have many connections.
        lines = silent(server, "127.0.0.2", 300)
        assert len(lines) == 300
        lines[0].sendall(SMUGGLED)
        assert status(lines[0].recv(4_096)) == 200
        for line in lines:
            line.close()
    finally:
        server.close()

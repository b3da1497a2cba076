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


def answers(came):
    """The status of each answer on one connection, in order."""
    found = []
    while came:
        head, _, rest = came.partition(b"\r\n\r\n")
        found.append(status(head))
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        came = rest[length:]
    return found


def test_a_chunked_body_is_taken_within_the_limits_of_any_other(server):
    for size, extension in [(1, ""), (7, ";a=b"), (4_096, ' ; name="x"')]:
        came, _ = ask(server, post("Transfer-Encoding: chunked", "Connection: close", body=chunked(LOGIN, size, extension)))
        assert answers(came) == [201], came[:200]
    # What follows the last chunk is the next request, however its bytes come.
    last = SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    for path, expected in (("/api/v1/session", 201), ("/api/v1/nichts", 404)):
        whole = post("Transfer-Encoding: Chunked", body=chunked(LOGIN), path=path) + last
        for size in (1, 90, len(whole)):
            came, closed = ask(server, b"", parts=[whole[at : at + size] for at in range(0, len(whole), size)] if size > 1 else [whole[:1], *(whole[1 + at : 2 + at] for at in range(40)), whole[41:]])
            assert answers(came) == [expected, 200] and closed, came[:300]
    with_trailer = chunked(LOGIN)[:-2] + b"X-Sum: 1\r\n\r\n"
    assert status(ask(server, post("Transfer-Encoding: chunked", "Connection: close", body=with_trailer))[0]) == 201
    assert requests.post(f"{server.origin}/api/v1/session", data=(one for one in [LOGIN]), headers={"Content-Type": "application/json"}, timeout=5).status_code == 201
    large = (b"FFFFFFF\r\n" + b"x" * 4_000, chunked(b" " * 300_000, 8_192), b"40001\r\n")
    results = at_once([lambda one=one: ask(server, post("Transfer-Encoding: chunked", body=one), seconds=9) for one in large])
    for body, (came, _) in zip(large, results, strict=True):
        assert status(came) == 413, (body[:9], came[:200])
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok


AMBIGUOUS = {
    "behind a fold": ["X-Long: a", " b", "Transfer-Encoding: chunked"], "fold without a colon": ["X-Long: a", "\tand more", "Content-Length: 5"],
    "no colon": ["Transfer-Encoding chunked"], "behind no colon": ["nothing", "Transfer-Encoding: chunked"], "no name": [": x", "Content-Length: 5"],
    "very many blanks": ["Content-Length" + " " * 200 + ": 5"], "mixed blanks": ["Transfer-Encoding \t \t \t: chunked"], "blank in the name": ["Transfer Encoding: chunked"],
    "control": ["Transfer-Encoding\x0b: chunked"], "control value": ["Transfer-Encoding: \x0bchunked"], "NUL": ["X: a\0b"], "bare LF": ["X: a\nTransfer-Encoding: chunked"],
    "bare CR": ["X: a\rTransfer-Encoding: chunked"], "CR CR LF": ["X: a\r", "Content-Length: 5"], "same lengths": ["Content-Length: 5", "Content-Length: 5"],
    "two hosts": ["Host: y"], "two types": ["Content-Type: text/plain"], "letters": ["Content-Length\xa0: 5"], "comma": ["Content-Length: 5,"],
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
    cases = [(method, name, headers) for method in ("POST", "GET", "DELETE", "OPTIONS") for name, headers in AMBIGUOUS.items()]
    results = at_once([lambda one=one: ask(server, post(*one[2], body=b"0\r\n\r\n" + SMUGGLED, method=one[0]), seconds=9) for one in cases])
    for (method, name, _), (came, closed) in zip(cases, results, strict=True):
        assert answers(came) == [400], (method, name, came[:300])
        assert closed and b"connection: close" in came.lower(), name
    lines = (b"GET  /healthz HTTP/1.1", b" GET /healthz HTTP/1.1", b"GET /healthz HTTP/1.1 ", b"GET\t/healthz\tHTTP/1.1", b"GET /healthz", b"GET /healthz HTTP/1.1x", b"GET /healthz HTTP/11", b"GET /healthz http/1.1", b"/healthz HTTP/1.1", b"G@T /healthz HTTP/1.1", b"GET healthz HTTP/1.1", b"GET * HTTP/1.1", b"GET /heal#thz HTTP/1.1", b"GET /%0 HTTP/1.1", b"GET /%00 HTTP/1.1", b"GET /%ff HTTP/1.1", b"GET /\xff HTTP/1.1")
    results = at_once([lambda one=one: ask(server, one + b"\r\nHost: x\r\n\r\n" + SMUGGLED) for one in lines])
    for line, (came, closed) in zip(lines, results, strict=True):
        assert answers(came) == [400] and closed, (line, came[:200])
    assert answers(ask(server, b"GET /healthz HTTP/1.1\r\n\r\n")[0]) == [400]  # no host
    assert answers(ask(server, b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n")[0]) == [400]
    assert answers(ask(server, b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n")[0]) == [505]
    assert answers(ask(server, b"GET /healthz HTTP/1.1\nHost: x\n\n")[0]) == [400]
    assert answers(ask(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")[0]) == [400]  # TLS where none is spoken
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok


def test_requests_as_the_standard_has_them_are_all_answered(server):
    close = b"Connection: close\r\n\r\n"
    for line, expected in [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", 200), (b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost:x \t\r\n", 200), (b"GET /healthz HTTP/1.0\r\n", 200),
        (b"GET http://any.example:80/healthz?x HTTP/1.1\r\nHost: any.example\r\n", 200), (b"HEAD /healthz HTTP/1.1\r\nhOsT: [::1]:8080\r\n", 200),
        (b"GET /modules/../healthz HTTP/1.1\r\nHost:\r\n", 200), (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n", 404), (b"GET /healthz HTTP/1.9\r\nHost: x\r\n", 200),
        ("GET /healthz?tìm=Lào+Cai HTTP/1.1\r\nHost: x\r\n".encode() + b"X: \xff\r\n", 200),
    ]:
        came, closed = ask(server, line + close)
        assert status(came) == expected and closed, (line, came[:200])
    # A body where none has a use is read and not taken for a request.
    came, _ = ask(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + b"DELETE /api/v1/nichts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + SMUGGLED[:-2] + close)
    assert answers(came) == [200, 404, 200], came
    # Twenty at once, each answered in its turn.
    came, _ = ask(server, (SMUGGLED + b"GET /api/v1/nichts HTTP/1.1\r\nHost: x\r\n\r\n") * 10 + SMUGGLED[:-2] + close)
    assert answers(came) == [200, 404] * 10 + [200]


def test_methods_that_are_none_here(server):
    for method, expected in (("TRACE", 405), ("CONNECT", 405), ("PROPFIND", 501), ("get", 501), ("M-SEARCH", 501)):
        for path in ("/", "/api/v1/session", "/nichts", "/api/v1/meetings/x/events"):
            came, closed = ask(server, f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Secret: abc\r\nMax-Forwards: 0\r\n\r\n".encode() + SMUGGLED)
            assert answers(came) == [expected] and closed and b"X-Secret" not in came, (method, path, came[:200])
            assert expected != 405 or b"\r\nAllow: " in came
    came, closed = ask(server, b"CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n" + b"x" * 100)
    assert answers(came) == [405] and closed


def test_heads_that_are_too_large_and_bodies_that_are_asked_after(server):
    for head in (b"X: " + b"a" * 20_000, b"\r\n".join(b"X-%d: b" % number for number in range(200)), b"Cookie: nhipcau_session=" + b"c" * 30_000):
        came, closed = ask(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        assert answers(came) == [431] and closed, came[:200]
    assert answers(ask(server, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n")[0]) == [431]
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(post("Expect: 100-continue", f"Content-Length: {len(LOGIN)}", "Connection: close"))
        assert line.recv(4_096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(LOGIN)
        assert status(line.recv(4_096)) == 201
    came, closed = ask(server, post("Expect: 100-continue", "Content-Length: 9000000"))
    assert answers(came) == [413] and closed  # before a byte of it was sent
    assert answers(ask(server, post("Expect: 200-maybe", "Content-Length: 2", body=b"{}"))[0]) == [417]
    # Who sends all of a body that is too large gets to read the answer all the same.
    answer = requests.post(f"{server.origin}/api/v1/session", data=b" " * 3_000_000, headers={"Content-Type": "application/json"}, timeout=10)
    assert answer.status_code == 413


def test_chunks_that_are_none_end_the_connection(server):
    bodies = (b"x\r\n", b"-1\r\n", b"\r\n", b"5 \r\nabcde\r\n0\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n", b"5\nabcde\n0\n\n", b"5\r\nabcdefg\r\n0\r\n\r\n", b"000000000000005\r\n", b"5;" + b"a" * 9_000)
    results = at_once([lambda one=one: ask(server, post("Transfer-Encoding: chunked", body=one + SMUGGLED), seconds=9) for one in bodies])
    for body, (came, closed) in zip(bodies, results, strict=True):
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


def test_who_is_silent_or_slow_is_let_go_and_who_is_between_requests_is_not(server):
    def lasts(first, then=b"", every=1.0, most=20):
        """Seconds until the server hangs up on who sends this and then a byte now and then."""
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(first)
            begun = time.monotonic()
            rest = then
            line.settimeout(every)
            while time.monotonic() - begun < most:
                try:
                    if not line.recv(65_536):
                        break
                except TimeoutError:
                    pass
                except ConnectionResetError:
                    break
                try:
                    line.sendall(rest[:1])
                except OSError:
                    break
                rest = rest[1:]
            return time.monotonic() - begun

    slow = b"X: " + b"a" * 100
    cases = {
        "silent": ((b"",), 8, 14), "half a head": ((b"GET / HT",), 8, 14), "a head byte by byte": ((b"GET / HTTP/1.1\r\n", slow), 8, 14), "empty lines": ((b"\r\n",), 8, 14),
        "half a body": ((post("Content-Length: 100", body=b"{"),), 8, 14), "half a chunk": ((post("Transfer-Encoding: chunked", body=b"5\r\na"),), 8, 14),
        "a body byte by byte": ((post("Content-Length: 100", body=b"{"), b" " * 100), 19, 30), "between requests": ((SMUGGLED,), 19, 30),
        "half a head between requests": ((SMUGGLED + b"GET",), 8, 14), "after the end": ((SMUGGLED[:-2] + b"Connection: close\r\n\r\n" + b"x" * 50, b""), 0, 2),
    }
    results = at_once([lambda one=one: lasts(*one[0]) for one in cases.values()])
    for (name, (_, least, most)), seconds in zip(cases.items(), results, strict=True):
        assert least <= seconds <= most, (name, seconds)


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


# Upgrades of every kind that may be refused: libwebsockets 4.1.6, as a public advisory has it, would free their headers first.


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

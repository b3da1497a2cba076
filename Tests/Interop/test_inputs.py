"""What strangers send that costs, lies or names nothing: each is answered at once, says what is wrong, and leaves nothing behind."""

import json
import statistics
import threading
import time

import pytest
import requests
from support.handmade import Client
from support.server import CASES, PASSWORD


def problem(answer, *statuses, kind=None):
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert kind is None or body["type"].endswith(kind), body
    return body


def seconds_of(call, tries=3):
    """The shortest of some tries: what the work takes, without what the machine does besides."""
    taken = []
    for _ in range(tries):
        begun = time.monotonic()
        call()
        taken.append(time.monotonic() - begun)
    return min(taken)


class Beside:
    """Runs `call` in so many threads, and meanwhile asks for /healthz."""

    def __init__(self, server, call, threads=8):
        self.server, self.call, self.threads = server, call, threads

    def healthz(self, seconds=2.0):
        stop = threading.Event()

        def work():
            while not stop.is_set():
                self.call()

        workers = [threading.Thread(target=work) for _ in range(self.threads)]
        for one in workers:
            one.start()
        try:
            end, taken = time.monotonic() + seconds, []
            while time.monotonic() < end:
                taken.append(seconds_of(lambda: requests.get(f"{self.server.origin}/healthz", timeout=10), tries=1))
                time.sleep(0.02)
            return taken
        finally:
            stop.set()
            for one in workers:
                one.join()


def nested(depth, count=1):
    return ("[" + ",".join(["[" * depth + "]" * depth] * count) + "]").encode()


BODIES = {
    "deep": nested(500, 6), "deeper": b"[" * 32_768, "objects": b'{"a":' * 12_000, "wide": b"[" + b"[]," * 20_000 + b"[]]",
    "members": ("{" + ",".join(f'"m{one}":0' for one in range(6_000)) + "}").encode(), "escapes": b'"' + b"\\ud83d\\ude00" * 5_000 + b'"',
    "numbers": b"[" + b"1e308," * 10_000 + b"1]", "digits": b"9" * 65_000, "blanks": b" " * 65_000, "names": ("{" + ",".join(['"a":1'] * 9_000) + "}").encode(),
    "bytes": b"\xff" * 65_000,
}


def test_a_body_costs_as_much_as_it_has_bytes(server):
    address = f"{server.origin}/api/v1/session"
    session = requests.Session()
    post = lambda body: session.post(address, data=body, headers={"Content-Type": "application/json"}, timeout=10)  # noqa: E731
    for name, body in BODIES.items():
        assert len(body) <= 65_536
        found = problem(post(body), 400, 422, kind="malformed-json")
        assert found["line"] >= 1 and found["column"] >= 1 and str(found["line"]) in found["detail"], (name, found)
        took = seconds_of(lambda: post(body))  # noqa: B023
        assert took < 0.02 + 0.01, f"{name}: {took * 1000:.0f} ms"  # ten of them for HTTP and the client itself
    heard = Beside(server, lambda: requests.post(address, data=BODIES["deep"], headers={"Content-Type": "application/json"}, timeout=10))
    taken = heard.healthz()
    assert statistics.median(taken) < 0.1, sorted(taken)[-5:]


def section(index, lines, formats="96"):
    return (
        f"m=video 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:{index}\r\na=sendrecv\r\na=rtcp-mux\r\na=setup:actpass\r\n"
        f"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\na=rtpmap:96 VP8/90000\r\n"
        + "".join(f"a={line}\r\n" for line in lines))


def offers():
    """As large and as tangled as may be."""
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    group = "a=group:BUNDLE 0\r\n"
    formats = " ".join(str(one) for one in range(128))
    maps = [f"rtpmap:{one} {'rtx' if one % 2 else 'VP8'}/90000" for one in range(128)]
    crowd = "".join(section(index, [*maps, *(f"fmtp:{one} apt={one - 1}" for one in range(128))], formats) for index in range(32))
    yield "layers", head + group + section(0, [*(f"rid:r{one} send" for one in range(5_000)), "simulcast:send " + ";".join(f"r{one}" for one in range(1_400))])
    yield "rids", head + group + section(0, [*(f"rid:r{one} send pt=96" for one in range(7_900)), "simulcast:send r1"])
    yield "formats", head + "a=group:BUNDLE " + " ".join(str(one) for one in range(32)) + "\r\n" + crowd
    yield "bundle", head + "a=group:BUNDLE " + " ".join(str(one % 100) for one in range(2_700)) + "\r\n" + "".join(
        f"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + "a=x\r\n" * 240 for _ in range(31)) + section(31, [])
    for name, line in {
        "candidates": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "feedback": "rtcp-fb:96 nack", "extensions": "extmap:1 urn:x",
        "sources": "ssrc:{0} cname:x", "groups": "ssrc-group:FID {0} 1{0}", "parameters": "fmtp:96 a=b;c=d", "fingerprints": "fingerprint:sha-256 " + ":".join(["AB"] * 2),
        "unknown": "x", "mids": "mid:7", "directions": "sendonly",
    }.items():
        lines = [line.format(one) for one in range(8_100)]
        while sum(len(one) + 4 for one in lines) > 255_000:
            lines = lines[: len(lines) * 9 // 10]
        yield name, head + group + section(0, lines)
    yield "groups of the session", head + "a=group:BUNDLE 0\r\n" * 8_000 + section(0, [])
    yield "words", head + "a=group:BUNDLE " + "0 " * 4_000 + "\r\n" + section(0, ["simulcast:send " + ";" * 8_000])


def test_an_offer_costs_as_much_as_it_has_bytes(server):
    meeting = server.running_meeting("Lời mời lớn")["id"]
    session, address = requests.Session(), f"{server.origin}/api/v1/meetings/{meeting}/media?name=x"
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/sdp"}
    post = lambda offer: session.post(address, data=offer, headers=headers, timeout=20)  # noqa: E731
    figures = {}
    for name, offer in offers():
        assert len(offer) <= 256 * 1024, (name, len(offer))
        answer = post(offer)
        if answer.status_code == 201:
            session.delete(server.origin + answer.headers["Location"], headers=headers)
        else:
            problem(answer, 400, 422)

        def once():
            answer = post(offer)  # noqa: B023
            if answer.status_code == 201:
                session.delete(server.origin + answer.headers["Location"], headers=headers)

        figures[name] = seconds_of(once) * 1000
    assert max(figures.values()) < 50 + 10, figures  # ten of them for HTTP, and for leaving
    assert not server.participants(meeting)
    tangled = dict(offers())["formats"]
    beside = Beside(server, lambda: requests.post(address, data=tangled, headers=headers, timeout=30))
    taken = beside.healthz()
    assert statistics.median(taken) < 0.2, sorted(taken)[-5:]


def test_a_session_that_only_sends_is_whole_or_refused(server):
    meeting = server.running_meeting("WHIP")["id"]
    offer = (CASES / "h264-only-sendonly.sdp").read_text().replace("\r", "").replace("\n", "\r\n")
    client = Client(server, meeting, "Bộ mã hóa")
    try:
        refused = problem(client.post(offer), 422)
        assert refused["mediaLine"] == 1 and "1" in refused["detail"], refused
        assert server.participants(meeting) == []
        assert client.post(offer.replace("sendonly", "sendrecv")).status_code == 201
        assert client.post(offer.replace("H264", "VP8")).status_code == 201
    finally:
        client.close()


def test_days_and_hours_that_do_not_exist(server):
    cases = json.loads((CASES / "dates-that-are-none.json").read_text())
    for text in cases["refused"]:
        found = problem(server.call("POST", "meetings", json={"title": "Ngày lạ", "startsAt": text}), 400, 422)
        assert found["field"] == "startsAt", found
    for text, moment in cases["taken"].items():
        made = server.call("POST", "meetings", json={"title": "Ngày thật", "startsAt": text})
        assert made.status_code == 201 and made.json()["startsAt"] == moment, made.text


def test_what_a_form_of_another_page_can_send_is_not_taken(server):
    meeting = server.running_meeting("Biểu mẫu")["id"]
    body = json.dumps({"id": 1, "type": "lock", "locked": True})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        problem(server.call("POST", f"meetings/{meeting}/commands", data=body, headers={"Content-Type": kind}), 415, kind="unsupported-media-type")
        problem(server.call("POST", "meetings", data=json.dumps({"title": "x"}), headers={"Content-Type": kind}), 415)
        problem(server.call("POST", f"meetings/{meeting}/media", data="v=0", headers={"Content-Type": kind}), 415)
        problem(requests.post(f"{server.origin}/api/v1/session", data="{}", headers={"Content-Type": kind}, timeout=10), 415)
    assert server.call("POST", f"meetings/{meeting}/commands", data=body, headers={"Content-Type": "application/json; charset=utf-8"}).status_code == 200


def test_numbers_and_identifiers_at_their_ends(server):
    for value in ("9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400", "1e308", "0.5", "-1", "0", '"60"', "null", "[]"):
        answer = server.call("POST", "meetings", data='{"title": "Số", "durationMinutes": ' + value + "}", headers={"Content-Type": "application/json"})
        problem(answer, 400, 422)
    assert server.call("POST", "meetings", data='{"title": "Số", "durationMinutes": 6e1}', headers={"Content-Type": "application/json"}).json()["durationMinutes"] == 60
    for path in ("meetings", "users", "audit", "sites"):
        for limit in ("0", "-1", "201" if path != "sites" else "1001", "9223372036854775808", "x", "", "1.0", "%ff", "%zz"):
            problem(server.call("GET", f"{path}?limit={limit}"), 400, 422)
        problem(server.call("GET", f"{path}?after=%27%20OR%201=1"), 400, 404, 422)
    for identifier in ("0", "%27;DROP%20TABLE%20users;--", "x" * 300, "..%2f..", "%ff", "%E2%80%AE", "00000000-0000-0000-0000-000000000000"):
        for path in (f"meetings/{identifier}", f"meetings/{identifier}/participants"):
            problem(server.call("GET", path), 400, 404)
    # A NUL in an address is refused before anybody reads it: 400, or the connection is closed.
    for path in ("meetings?limit=%00", "meetings/%00"):
        try:
            problem(server.call("GET", path), 400, 404)
        except requests.ConnectionError:
            pass
    # And it still works.
    assert requests.post(f"{server.origin}/api/v1/session", json={"username": "admin", "password": PASSWORD}, timeout=10).status_code == 201

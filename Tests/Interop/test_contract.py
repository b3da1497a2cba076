"""The contract as a stranger's program meets it: plain HTTP and WebSocket, nothing of the server's code."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import websockets

from support.server import PASSWORD, ROOT

OFFERS = ROOT / "Tests/SDP/vectors"
OFFER = (OFFERS / "chromium-156-audio-video.sdp").read_bytes()


def problem(answer, status, kind):
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["type"].endswith(kind) and body["status"] == status and body["title"] and body["detail"], body
    return body


@pytest.fixture
def meeting(server):
    return server.running_meeting("Giao ban tháng 11")["id"]


def join(server, meeting, offer=OFFER, **options):
    return server.call("POST", f"meetings/{meeting}/media?name=Lai%20Ch%C3%A2u", data=offer, headers={"Content-Type": "application/sdp"}, **options)


def test_sessions_by_cookie_and_by_token(server):
    session = requests.Session()
    body = {"username": "admin", "password": PASSWORD}
    answer = session.post(f"{server.origin}/api/v1/session", json=body, timeout=10)
    assert answer.status_code == 201 and set(answer.json()) == {"token", "expiresAt", "user"}
    assert set(answer.json()["user"]) >= {"id", "name", "role", "organisation"}
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("nhipcau_session=") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert session.get(f"{server.origin}/api/v1/meetings", timeout=10).status_code == 200
    # A page of another origin gets nowhere with the cookie.
    foreign = session.post(f"{server.origin}/api/v1/meetings", json={"title": "x"}, headers={"Origin": "https://elsewhere.example"}, timeout=10)
    problem(foreign, 403, "foreign-origin")
    assert session.delete(f"{server.origin}/api/v1/session", timeout=10).status_code == 204
    problem(requests.get(f"{server.origin}/api/v1/meetings", headers={"Authorization": f"Bearer {answer.json()['token']}"}, timeout=10), 401, "not-signed-in")


def test_six_wrong_passwords_are_one_too_many(server):
    for _ in range(5):
        problem(requests.post(f"{server.origin}/api/v1/session", json={"username": "ai-do", "password": "x"}, timeout=10), 401, "wrong-password")
    limited = requests.post(f"{server.origin}/api/v1/session", json={"username": "ai-do", "password": "x"}, timeout=10)
    problem(limited, 429, "too-many-logins")
    assert 0 < int(limited.headers["Retry-After"]) <= 900


def test_meetings_are_made_changed_listed_and_deleted(server):
    made = server.call("POST", "meetings", json={"title": "  Hội nghị  ", "startsAt": "2026-12-01T08:00:00+07:00", "durationMinutes": 90})
    assert made.status_code == 201 and made.json()["title"] == "Hội nghị" and made.json()["startsAt"].startswith("2026-12-01T01:00:00")
    path = f"meetings/{made.json()['id']}"
    assert made.json()["joinURL"].startswith(server.origin)
    problem(server.call("PATCH", path, json={"title": "Khác"}), 428, "precondition-required")
    etag = server.call("GET", path).headers["ETag"]
    changed = server.call("PATCH", path, json={"title": "Khác"}, headers={"If-Match": etag})
    assert changed.status_code == 200 and changed.json()["title"] == "Khác" and changed.headers["ETag"] != etag
    problem(server.call("PATCH", path, json={"title": "Nữa"}, headers={"If-Match": etag}), 412, "stale")
    for body, kind in [({"titel": "x"}, "unknown-field"), ({"title": 5}, "wrong-type"), ({}, "missing-field"), ({"title": "a\u202eb"}, "invalid-value")]:
        answer = server.call("POST", "meetings", json=body)
        assert answer.json()["type"].endswith(kind) and answer.json().get("field", "title") in ("titel", "title"), answer.text
    english = server.call("GET", "meetings/0", headers={"Accept-Language": "en"})
    assert problem(english, 404, "meeting-not-found")["title"] == "Meeting not found"
    seen, after = [], ""
    for _ in range(3):
        server.call("POST", "meetings", json={"title": "Thêm"})
    while True:
        page = server.call("GET", f"meetings?limit=2{after}")
        seen += [one["id"] for one in page.json()]
        if "next" not in page.links:
            break
        after = f"&after={seen[-1]}"
    assert len(seen) == len(set(seen)) == 4
    assert server.call("DELETE", path).status_code == 204 and server.call("GET", path).status_code == 404


def test_media_refusals_name_what_is_wrong_and_leave_nothing_behind(server, meeting):
    text = OFFER.decode()
    problem(join(server, meeting, b"hello"), 400, "malformed-offer")
    problem(join(server, meeting, "".join(line for line in text.splitlines(True) if "fingerprint" not in line).encode()), 400, "insecure-offer")
    none = problem(join(server, meeting, text.replace("opus/48000", "none/48000").replace("VP8/90000", "none/90000").encode()), 422, "unsupported-offer")
    assert isinstance(none["mediaLine"], int)
    large = join(server, meeting, b"v=0\r\n" + b"a" * (2 << 20))
    assert large.status_code == 413, large.text
    problem(server.call("POST", f"meetings/{meeting}/media", data=OFFER, headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    problem(join(server, "0192f0c0-0000-7000-8000-000000000000"), 404, "meeting-not-found")
    assert server.participants(meeting) == []
    assert server.metric("nhipcau_media_sessions_waiting") == 0


@pytest.mark.parametrize("name, kind", [("chromium-156-audio-video", "participant"), ("firefox-153-audio-video", "participant"), ("chromium-156-receive-only", "viewer"), ("chromium-156-simulcast", None), ("firefox-153-simulcast", None), ("chromium-156-with-screen", "participant")])
def test_offers_of_browsers_are_answered(server, meeting, name, kind):
    answer = join(server, meeting, (OFFERS / f"{name}.sdp").read_bytes())
    assert answer.status_code == 201, answer.text
    assert answer.headers["Content-Type"].startswith("application/sdp") and answer.headers["ETag"].startswith('"')
    for line in ("a=ice-lite", "a=setup:passive", "a=rtcp-mux", "a=group:BUNDLE"):
        assert line in answer.text
    (one,) = server.participants(meeting)
    assert answer.headers["Location"].endswith(one["id"]) and one["state"] == "connecting" and one["name"] == "Lai Châu"
    assert kind is None or one["kind"] == kind
    path = answer.headers["Location"].removeprefix("/api/v1/")
    assert server.call("DELETE", path).status_code in (200, 204)
    assert server.participants(meeting) == []
    problem(server.call("DELETE", path), 404, "participant-not-found")


def test_locked_full_and_not_running_meetings(server, meeting):
    etag = server.call("GET", f"meetings/{meeting}").headers["ETag"]
    locked = server.call("PATCH", f"meetings/{meeting}", json={"locked": True, "capacity": 1}, headers={"If-Match": etag})
    assert locked.status_code == 200, locked.text
    problem(join(server, meeting), 403, "meeting-locked")
    etag = locked.headers["ETag"]
    server.call("PATCH", f"meetings/{meeting}", json={"locked": False}, headers={"If-Match": etag})
    assert join(server, meeting).status_code == 201
    # Who leads the meeting always finds a seat in it; everybody else is told that it is full.
    made = server.call("POST", "users", json={"username": "laichau", "name": "Lai Châu", "role": "operator", "password": "mat-khau-dai-2026"})
    assert made.status_code == 201, made.text
    token = requests.post(f"{server.origin}/api/v1/session", json={"username": "laichau", "password": "mat-khau-dai-2026"}, timeout=10).json()["token"]
    refused = requests.post(
        f"{server.origin}/api/v1/meetings/{meeting}/media", data=OFFER, timeout=10,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"})
    problem(refused, 503, "meeting-full")
    assert join(server, meeting).status_code == 201
    scheduled = server.call("POST", "meetings", json={"title": "Sau"}).json()["id"]
    problem(join(server, scheduled), 409, "meeting-not-running")


def test_an_operator_may_join_but_not_direct_and_the_refusal_is_in_the_audit_log(server, meeting):
    made = server.call("POST", "users", json={"username": "laichau", "name": "Lai Châu", "role": "operator", "password": "mat-khau-dai-2026"})
    assert made.status_code == 201, made.text
    token = requests.post(f"{server.origin}/api/v1/session", json={"username": "laichau", "password": "mat-khau-dai-2026"}, timeout=10).json()["token"]
    own = {"Authorization": f"Bearer {token}"}
    chair = join(server, meeting).headers["Location"].rsplit("/", 1)[1]
    mine = requests.post(f"{server.origin}/api/v1/meetings/{meeting}/media", data=OFFER, headers=own | {"Content-Type": "application/sdp"}, timeout=10)
    assert mine.status_code == 201

    def command(body):
        return requests.post(f"{server.origin}/api/v1/meetings/{meeting}/commands", json=body, headers=own, timeout=10)

    problem(command({"id": 1, "type": "mute", "participantId": chair, "muted": True}), 403, "not-allowed")
    problem(command({"id": 2, "type": "lock", "locked": True}), 403, "not-allowed")
    assert command({"id": 3, "type": "mute", "participantId": mine.headers["Location"].rsplit("/", 1)[1], "muted": True}).json() == {"reply": 3}
    problem(requests.get(f"{server.origin}/api/v1/audit", headers=own, timeout=10), 403, "not-allowed")
    actions = [(one["action"], one["actorName"]) for one in server.call("GET", "audit").json()]
    assert actions.count(("command.refused", "laichau")) == 2 and ("user.create", "admin") in actions and ("meeting.start", "admin") in actions


def test_the_channel_sends_a_snapshot_numbers_changes_and_replays_them(server, meeting):
    async def talk():
        url = f"{server.origin.replace('http', 'ws')}/api/v1/meetings/{meeting}/events"
        headers = {"Authorization": f"Bearer {server.token}"}
        async with websockets.connect(url, subprotocols=["nhipcau.v1"], additional_headers=headers) as channel:
            assert channel.subprotocol == "nhipcau.v1"
            snapshot = json.loads(await asyncio.wait_for(channel.recv(), 5))
            assert snapshot["type"] == "snapshot" and snapshot["meeting"]["id"] == meeting and snapshot["you"]["user"]["role"] == "admin"
            await channel.send(json.dumps({"id": "a", "type": "layout", "layout": "one"}))
            changed, reply = sorted([json.loads(await asyncio.wait_for(channel.recv(), 5)) for _ in range(2)], key=lambda one: "reply" in one)
            assert changed["type"] == "meeting.changed" and changed["sequence"] == snapshot["sequence"] + 1 and changed["meeting"]["layout"] == "one"
            assert reply == {"reply": "a"}
            await channel.send(json.dumps({"id": 9, "type": "dance"}))
            refused = json.loads(await asyncio.wait_for(channel.recv(), 5))
            assert refused["reply"] == 9 and refused["problem"]["type"].endswith("unknown-command")
            await channel.send("not json")
            assert json.loads(await asyncio.wait_for(channel.recv(), 5))["problem"]["status"] == 400
        async with websockets.connect(f"{url}?after={snapshot['sequence']}", subprotocols=["nhipcau.v1"], additional_headers=headers) as again:
            missed = json.loads(await asyncio.wait_for(again.recv(), 5))
            assert missed["sequence"] == snapshot["sequence"] + 1 and missed["type"] == "meeting.changed"
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with websockets.connect(url, subprotocols=["nhipcau.v1"]):
                pass

    # On a thread of its own: Playwright keeps a loop on this one once a browser was used.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, talk()).result()


def test_a_server_that_is_killed_comes_back_with_its_meetings(server, meeting):
    before = server.call("GET", f"meetings/{meeting}").json()
    server.kill()
    server.start()
    assert server.call("GET", f"meetings/{meeting}").json() == before
    assert join(server, meeting).status_code == 201


def test_a_session_that_nobody_reaches_is_gone_after_thirty_seconds(server, meeting):
    assert join(server, meeting).status_code == 201
    end = time.monotonic() + 40
    while server.participants(meeting) and time.monotonic() < end:
        time.sleep(0.5)
    assert server.participants(meeting) == [] and server.metric("nhipcau_media_sessions_waiting") == 0


def test_health_metrics_and_the_description(server):
    assert requests.get(f"{server.origin}/healthz", timeout=5).ok and requests.get(f"{server.origin}/readyz", timeout=5).ok
    text = requests.get(f"{server.origin}/metrics", timeout=5).text
    assert "# TYPE nhipcau_media_dropped_total counter" in text and 'nhipcau_media_dropped_total{reason="stun_integrity"}' in text
    document = requests.get(f"{server.origin}/api/v1/openapi.json", timeout=5).json()
    assert document["openapi"].startswith("3.1") and "/api/v1/meetings/{id}/media" in document["paths"]

"""Who may do what in a meeting, as a stranger's programs try it: seats, later offers, mutes that hold, removals, audiences, commands by the hundred."""

import asyncio
import json
import subprocess
import time

import pytest
import requests
import websockets
from support import aside, rtp
from support.handmade import Client
from support.server import CASES, Server, executable

PASSWORD = "mat-khau-du-dai"


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()


@pytest.fixture
def clients():
    made = []
    yield made
    for one in made:
        one.close()


def account(server, username, role="operator"):
    """A new account's token."""
    made = server.call("POST", "users", json={"username": username, "name": username.title(), "role": role, "organisation": "Lai Châu", "password": PASSWORD})
    assert made.status_code == 201, made.text
    answer = requests.post(f"{server.origin}/api/v1/session", json={"username": username, "password": PASSWORD}, timeout=20)
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


def command(server, meeting, token, **members):
    return requests.post(
        f"{server.origin}/api/v1/meetings/{meeting}/commands", json={"id": 1} | members, headers={"Authorization": f"Bearer {token}"}, timeout=10)


def problem(answer, status, kind):
    assert answer.status_code == status and answer.json()["type"].endswith(kind), (answer.status_code, answer.text)
    return answer


def hears(listener, hertz, seconds=1.5):
    heard = [rtp.Packet(one) for one in listener.receive(seconds) if not 192 <= one[1] < 224]
    return rtp.loudness_at([one.payload for one in heard if one.payload_type == 111], hertz)


def speak(client, listener, hertz, seconds=1.5):
    """Sends a tone and gives how loud the listener hears it."""
    # What was on its way before a decision is not what follows it.
    listener.receive(0.6)
    heard = []
    for packet in rtp.opus_packets(rtp.tone(hertz, seconds)):
        number = client.numbers["audio"] = client.numbers.get("audio", -1) + 1
        client.send_rtp(rtp.rtp(packet, number, number * 960, client.audio_ssrc, 111, profile=0xBEDE, extension=rtp.one_byte_extension((1, b"\x8a"))))
        heard += [rtp.Packet(one) for one in listener.receive(0.0195) if not 192 <= one[1] < 224]
    return rtp.loudness_at([one.payload for one in heard if one.payload_type == 111], hertz)


def test_a_viewer_does_not_speak_by_a_later_offer(server, clients):
    meeting = server.running_meeting("Đổi vai")["id"]
    network, operator = account(server, "mang", "network"), account(server, "dieu-hanh")
    # Who belongs to no meeting does not even watch.
    outsider = Client(server, meeting, "Mạng", token=network, direction="recvonly")
    clients.append(outsider)
    problem(outsider.post(), 403, "not-allowed")
    viewer, listener = Client(server, meeting, "Xem", token=operator, direction="recvonly"), Client(server, meeting, "Nghe", direction="recvonly")
    clients += [viewer, listener]
    viewer.join()
    listener.join()
    viewer_id = viewer.location.rsplit("/", 1)[1]
    # An operator may send: the list follows what the offer makes of it, and says so.
    viewer.direction = "sendrecv"
    assert viewer.patch(viewer.offer(), "application/sdp").status_code == 200
    assert speak(viewer, listener, 900) > -20
    seen = next(one for one in server.participants(meeting) if one["id"] == viewer_id)
    assert seen["kind"] == "participant" and seen["role"] == "participant", seen
    viewer.direction = "recvonly"
    assert viewer.patch(viewer.offer(), "application/sdp").status_code == 200
    assert next(one for one in server.participants(meeting) if one["id"] == viewer_id)["kind"] == "viewer"
    assert speak(viewer, listener, 900) < -60
    entries = [one["action"] for one in server.call("GET", "audit?limit=50").json()]
    assert entries.count("media.change") == 2 and "media.join" in entries


def test_one_login_gets_four_seats_and_the_chair_a_further_one(server, clients):
    made = server.call("POST", "meetings", json={"title": "Đông", "capacity": 6}).json()
    assert server.call("POST", f"meetings/{made['id']}/start").status_code == 204
    tokens = [account(server, f"nguoi{one}") for one in range(3)]
    joined = []

    def join(token, connects=True):
        client = Client(server, made["id"], "Ghế", token=token, direction="recvonly", video=False)
        clients.append(client)
        answer = client.post()
        if answer.status_code == 201 and connects:
            client.prove()
            client.handshake()
        if answer.status_code == 201:
            joined.append(client)
        return answer

    for _ in range(4):
        assert join(tokens[0]).status_code == 201
    problem(join(tokens[0]), 429, "too-many-media-sessions")
    for _ in range(2):
        assert join(tokens[1], connects=False).status_code == 201
    refused = problem(join(tokens[1], connects=False), 429, "too-many-connecting")
    assert int(refused.headers["Retry-After"]) > 0
    problem(join(tokens[2]), 503, "meeting-full")
    # A chair takes the place of one that is not connected, then one above the capacity.
    for _ in range(3):
        assert join(server.token).status_code == 201
    names = [one["user"]["name"] for one in server.participants(made["id"])]
    assert names.count("Nguoi0") == 4 and names.count("Nguoi1") == 0 and len(names) == 7, names
    # Joins as fast as one likes: of many only the first go through.
    for client in joined[:4]:
        client.leave()
    outcomes = [join(tokens[2], connects=False).status_code for _ in range(30)]
    assert 429 in outcomes and outcomes[-1] == 429, outcomes


def test_joins_of_a_login_have_a_rate(server, clients):
    meeting = server.running_meeting("Nhanh")["id"]
    token, outcomes = account(server, "nhanh"), []
    for _ in range(40):
        client = Client(server, meeting, "Nhanh", token=token, direction="recvonly", video=False)
        clients.append(client)
        answer = client.post()
        outcomes.append(answer.status_code)
        client.leave()
    assert outcomes[:20] == [201] * 20 and outcomes.count(201) <= 22, outcomes
    problem(answer, 429, "too-many-joins")
    assert 0 < int(answer.headers["Retry-After"]) <= 6


def test_what_a_chair_mutes_or_removes_stays_so(server, clients):
    meeting = server.running_meeting("Kỷ luật")["id"]
    token = account(server, "hay-noi")
    speaker, listener = Client(server, meeting, "Nói", token=token, video=False), Client(server, meeting, "Nghe", direction="recvonly")
    clients += [speaker, listener]
    speaker.join()
    listener.join()
    own = speaker.location.rsplit("/", 1)[1]
    assert speak(speaker, listener, 1100) > -20
    assert command(server, meeting, server.token, type="mute", participantId=own, muted=True).status_code == 200
    refused = problem(command(server, meeting, token, type="mute", participantId=own, muted=False), 403, "muted-by-chair")
    assert "chủ tọa" in refused.json()["detail"].lower()
    assert speak(speaker, listener, 1100) < -60
    # A further session of the same login, and one after leaving and coming back, begin muted.
    again = Client(server, meeting, "Nói lại", token=token, video=False)
    clients.append(again)
    again.join()
    assert speak(again, listener, 1100) < -60
    seen = {one["name"]: one["audio"] for one in server.participants(meeting)}
    assert seen["Nói"]["mutedBy"] == seen["Nói lại"]["mutedBy"] == "chair", seen
    # What is decided lasts with the meeting: a power cut lifts nothing.
    server.kill()
    server.start()
    later = Client(server, meeting, "Sau mất điện", token=token, video=False)
    listener = Client(server, meeting, "Nghe", direction="recvonly")
    clients += [later, listener]
    later.join()
    listener.join()
    assert speak(later, listener, 1100) < -60
    own = later.location.rsplit("/", 1)[1]
    assert command(server, meeting, server.token, type="mute", participantId=own, muted=False).status_code == 200
    assert speak(later, listener, 1100) > -20
    # Removed, and kept out until it is let in again.
    user = next(one["user"]["id"] for one in server.participants(meeting) if one["id"] == own)
    assert command(server, meeting, server.token, type="remove", participantId=own).status_code == 200
    back = Client(server, meeting, "Trở lại", token=token, video=False)
    clients.append(back)
    problem(back.post(), 403, "removed-by-chair")
    problem(command(server, meeting, token, type="readmit", user=user), 403, "not-allowed")
    assert command(server, meeting, server.token, type="readmit", user=user).status_code == 200
    assert back.post().status_code == 201


def test_a_late_trickle_of_before_a_restart_is_stale(server, clients):
    assert "412" in (CASES / "stale-trickle.txt").read_text()
    meeting = server.running_meeting("Muộn")["id"]
    client = Client(server, meeting, "Muộn", video=False)
    clients.append(client)
    assert client.post().status_code == 201
    first, old = client.etag, (client.ufrag, client.password)

    def fragment(ufrag, password):
        return (
            f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
            "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n")

    new = ("moi" + old[0], "x" * 24)
    restarted = client.patch(fragment(*new), If_Match="*")
    assert restarted.status_code == 200 and restarted.headers["ETag"] not in (None, first)
    now = restarted.headers["ETag"]
    for tags in ({"If_Match": first}, {"If_Match": '"never-was"'}):
        for credentials in (old, new):
            late = client.patch(fragment(*credentials), **tags)
            assert late.status_code == 412 and late.headers["ETag"] == now, (late.status_code, late.text)
        assert client.patch(client.offer(), "application/sdp", **tags).status_code == 412
    assert client.patch(fragment(*old)).status_code == 412
    for tags in ({}, {"If_Match": now}, {"If_Match": "*"}):
        assert client.patch(fragment(*new), **tags).status_code == 204


def follow(server, meeting, token, seconds, sends=()):
    """What a follower is told in so many seconds; and its commands' answers."""

    async def run():
        address = f"ws{server.origin[4:]}/api/v1/meetings/{meeting}/events"
        async with websockets.connect(address, subprotocols=["nhipcau.v1"], additional_headers={"Authorization": f"Bearer {token}"}) as socket:
            told = [json.loads(await socket.recv())]
            for one in sends:
                await socket.send(json.dumps(one))
            end = time.monotonic() + seconds
            try:
                while (left := end - time.monotonic()) > 0:
                    told.append(json.loads(await asyncio.wait_for(socket.recv(), left)))
            except TimeoutError:
                pass
            except websockets.ConnectionClosed as closed:
                told.append({"closed": closed.rcvd.code})
            return told

    return aside.run(run())


def test_levels_and_lines_are_told_to_those_who_lead(server, clients):
    meeting = server.running_meeting("Ai biết gì")["id"]
    token = account(server, "theo-doi")
    speakers = [Client(server, meeting, f"Điểm {one}", video=False).join() for one in range(12)]
    clients += speakers
    packets = rtp.opus_packets(rtp.tone(700, 8))
    from threading import Event, Thread

    stop = Event()

    def talk():
        for number, packet in enumerate(packets):
            if stop.wait(0.0195):
                return
            for index, one in enumerate(speakers):
                # Levels that change all the time, and one packet in eight that never comes.
                level = bytes([0x80 | 10 + (number // 25 + index * 7) % 40])
                if (number + index) % 8:
                    one.send_rtp(rtp.rtp(packet, number, number * 960, one.audio_ssrc, 111, profile=0xBEDE, extension=rtp.one_byte_extension((1, level))))

    worker = Thread(target=talk)
    worker.start()
    try:
        time.sleep(2)
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor() as pool:
            leading, other = pool.map(lambda one: follow(server, meeting, one, 5), (server.token, token))
        for told, knows in ((leading, True), (other, False)):
            numbers = [one["sequence"] for one in told if one["type"] != "figures"]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "numbers have holes"
            people = told[0]["participants"] + [one["participant"] for one in told if "participant" in one]
            assert all(("line" in one) == ("level" in one["audio"]) == ("tier" in one) == knows for one in people), people[0]
        tables = [one for one in leading if one["type"] == "figures"]
        assert {"id", "level", "tier", "lossUp", "quality"} <= set(tables[0]["columns"])
        # What changes often is one table a second, and nobody else's.
        assert 4 <= len(tables) <= 6 and sum(len(one["rows"]) for one in tables) > 20, [len(one["rows"]) for one in tables]
        assert all(one["type"] != "figures" for one in other)
        listed = requests.get(f"{server.origin}/api/v1/meetings/{meeting}/participants", headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
        assert len(listed) == 12 and all("line" not in one and "level" not in one["audio"] for one in listed)
        assert all("line" in one for one in server.participants(meeting))
    finally:
        stop.set()
        worker.join()


def test_a_hall_that_speaks_and_falls_silent_together_costs_who_does_not_lead_a_few_messages_a_second(server):
    meeting = server.running_meeting("Hội trường")["id"]
    token = account(server, "nghe-hop")
    sites = subprocess.Popen(
        [
            executable(), "endpoint", "--server", server.origin, "--token", server.token, "--meeting", meeting, "--name", "Điểm", "--count", "40",
            "--audio", "tone:440", "--speak-schedule", "2/2/0", "--media", "audio", "--video", "none", "--decode", "none", "--duration", "60",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=server.log)
    try:
        end = time.monotonic() + 20
        while [one["state"] for one in server.participants(meeting)].count("connected") < 40 and time.monotonic() < end:
            time.sleep(0.5)
        told = follow(server, meeting, token, 8)
    finally:
        sites.terminate()
        sites.wait(10)
    assert len(told[0]["participants"]) == 40
    changes = [one for one in told[1:] if one.get("type") == "participant.changed"]
    assert 1 <= len(changes) <= 5 * 9, len(changes)


def test_commands_by_the_hundred_close_the_channel(server):
    meeting = server.running_meeting("Lệnh")["id"]
    told = follow(server, meeting, server.token, 5, [{"id": one, "type": "layout", "layout": "grid"} for one in range(100)])
    answers = [one for one in told if "reply" in one]
    assert told[-1] == {"closed": 1008} and 20 <= len(answers) < 60, (len(answers), told[-1])
    outcomes = [command(server, meeting, server.token, type="layout", layout="grid").status_code for _ in range(60)]
    assert outcomes[0] == 200 and 429 in outcomes, outcomes


def test_a_gateway_brings_as_many_sites_as_it_is_configured_for(tmp_path, clients):
    file = tmp_path / "own.json"
    file.write_text('{"mediaSessionsPerLogin": 3, "gateways": {"cong": 12}}')
    server = Server("--config", file)
    try:
        meeting, tokens = server.running_meeting("Cổng")["id"], {name: account(server, name) for name in ("cong", "thuong")}
        placed = {}
        for name, least in (("cong", 12), ("thuong", 2)):
            answers = []
            for _ in range(least + 2):
                client = Client(server, meeting, f"{name} {len(answers)}", token=tokens[name], video=False)
                clients.append(client)
                answers.append(client.post())
            placed[name] = [one.headers["Location"].rsplit("/", 1)[1] for one in answers if one.status_code == 201]
            # Nobody connects here: a login of a person is held to two of those, a gateway to its number alone.
            assert len(placed[name]) == least, [one.status_code for one in answers]
            problem(answers[-1], 429, "too-many-media-sessions" if name == "cong" else "too-many-connecting")
        # Its sites are people of their own: what a chair decides meets the one.
        assert command(server, meeting, server.token, type="mute", participantId=placed["cong"][0], muted=True).status_code == 200
        assert command(server, meeting, server.token, type="remove", participantId=placed["cong"][1]).status_code == 200
        seen = {one["id"]: one["audio"]["mutedBy"] for one in server.participants(meeting)}
        assert [seen.get(one, "gone") for one in placed["cong"]] == ["chair", "gone"] + [None] * 10, seen
        again = Client(server, meeting, "cong lại", token=tokens["cong"], video=False)
        clients.append(again)
        assert again.post().status_code == 201
        assert command(server, meeting, tokens["cong"], type="mute", participantId=placed["cong"][0], muted=False).status_code == 403
    finally:
        server.close()


def test_many_decide_at_once_and_none_is_refused_for_it(server, clients):
    meeting = server.running_meeting("Cùng lúc")["id"]
    leaders = [account(server, f"thu-ky{one}", "secretary") for one in range(4)]
    people = []
    for one in range(16):
        client = Client(server, meeting, f"Điểm {one}", token=account(server, f"diem{one}"), direction="recvonly", video=False)
        clients.append(client)
        answer = client.post()
        assert answer.status_code == 201
        people.append(answer.headers["Location"].rsplit("/", 1)[1])
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda one: command(server, meeting, leaders[one % 4], type="mute", participantId=people[one], muted=True).status_code, range(16)))
    assert outcomes == [200] * 16, outcomes
    assert all(one["audio"]["mutedBy"] == "chair" for one in server.participants(meeting))


def test_a_command_costs_in_a_full_hall_what_it_costs_in_a_small_room(server):
    """Of one's own session: the middle of twelve, in a meeting of two and in one of four hundred."""
    import statistics

    import test_contract

    costs = {}
    for people in (2, 400):
        made = server.call("POST", "meetings", json={"title": f"{people}", "capacity": 500}).json()["id"]
        assert server.call("POST", f"meetings/{made}/start").status_code == 204
        session = requests.Session()
        session.headers = {"Authorization": f"Bearer {server.token}"}
        address = f"{server.origin}/api/v1/meetings/{made}"
        for _ in range(people):
            joined = session.post(f"{address}/media", data=test_contract.OFFER, headers={"Content-Type": "application/sdp"}, timeout=10)
            assert joined.status_code == 201, joined.text
        own, taken = joined.headers["Location"].rsplit("/", 1)[1], []
        for one in range(13):
            begun = time.perf_counter()
            done = session.post(f"{address}/commands", json={"id": one, "type": "mute", "participantId": own, "muted": one % 2 == 0}, timeout=10)
            taken.append(time.perf_counter() - begun)
            assert done.status_code == 200, done.text
        costs[people] = statistics.median(taken[1:])
        time.sleep(1)
    assert costs[400] < 3 * costs[2] + 0.002, costs

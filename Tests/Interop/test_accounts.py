"""Accounts as an administrator, their owner and a stranger at the door meet them."""

import asyncio
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import websockets
from support import aside
from support.handmade import Client
from support.server import CASES, PASSWORD, executable

OWN = "mat-khau-du-dai"


def sign_in(server, username, password, **options):
    return requests.post(f"{server.origin}/api/v1/session", json={"username": username, "password": password}, timeout=30, **options)


def make(server, username, role="operator", **more):
    made = server.call("POST", "users", json={"username": username, "role": role, "password": OWN} | more)
    assert made.status_code == 201, made.text
    return made.json()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def problem(answer, status, kind):
    assert answer.status_code == status and answer.json()["type"].endswith(kind), (answer.status_code, answer.text)


def test_a_name_and_a_password_in_either_form(server):
    case = json.loads((CASES / "decomposed-name.json").read_text())
    made = server.call("POST", "users", json=case["made"])
    assert made.status_code == 201, made.text
    for one in case["logins"]:
        assert sign_in(server, one["username"], one["password"]).status_code == one["expected"], one["form"]
    assert sign_in(server, "  THƯ-KÝ-HUẾ ", case["made"]["password"]).status_code == 201
    decomposed = next(one["username"] for one in case["logins"] if one["form"] == "name decomposed")
    again = server.call("POST", "users", json=case["made"] | {"username": decomposed.upper()})
    problem(again, 409, "username-taken")


def test_a_hundred_wrong_logins_hold_nobody_up(server):
    def wrong(number):
        begun = time.monotonic()
        status = sign_in(server, f"ai-do-{number}", "sai-mat-khau").status_code
        return status, time.monotonic() - begun

    with ThreadPoolExecutor(100) as pool:
        others = [pool.submit(wrong, number) for number in range(100)]
        time.sleep(0.15)
        begun = time.monotonic()
        assert sign_in(server, "admin", PASSWORD).status_code == 201
        took = time.monotonic() - begun
        outcomes = [one.result() for one in others]
    statuses = [status for status, _ in outcomes]
    assert sum(status in (429, 503) for status in statuses) >= 70, statuses
    assert set(statuses) <= {401, 429, 503}, statuses
    assert took <= 1.0, f"the administrator waited {took:.2f} s"
    # A spray goes no further, and the one who is known still gets in.
    for number in range(40):
        last = sign_in(server, f"mot-ten-khac-{number}", "sai")
        if last.status_code == 429:
            break
    problem(last, 429, "too-many-logins")
    assert 0 < int(last.headers["Retry-After"]) <= 900
    assert sign_in(server, "admin", PASSWORD).status_code == 201


def test_an_account_is_changed_shut_and_deleted(server):
    user = make(server, "nguoi-moi", name="Người mới", sites=["14"])
    path = f"users/{user['id']}"
    assert server.call("GET", path).json() == user and user["sites"] == ["14"] and user["disabled"] is False
    changed = server.call("PATCH", path, json={"name": "Đổi tên", "organisation": "Sơn La", "sites": ["*"]}).json()
    assert changed["name"] == "Đổi tên" and changed["sites"] == ["*"]
    for body, kind in (({"username": "x"}, "unknown-field"), ({"role": "vua"}, "invalid-value"), ({"sites": ["zz"]}, "site-not-found"), ({"password": "ngan"}, "weak-password")):
        assert server.call("PATCH", path, json=body).json()["type"].endswith(kind)
    token = sign_in(server, "nguoi-moi", OWN).json()["token"]
    # A lowered role, a new password, a closed account: each ends what was begun before.
    for body in ({"role": "network"}, {"password": "mat-khau-khac-han"}, {"disabled": True}):
        assert requests.get(f"{server.origin}/api/v1/session", headers=bearer(token), timeout=10).status_code == 200
        assert server.call("PATCH", path, json=body).status_code == 200
        assert requests.get(f"{server.origin}/api/v1/session", headers=bearer(token), timeout=10).status_code == 401, body
        password = OWN if "role" in body else "mat-khau-khac-han"
        again = sign_in(server, "nguoi-moi", password)
        assert again.status_code == (401 if "disabled" in body else 201), body
        token = again.json().get("token")
    assert server.call("PATCH", path, json={"disabled": False}).status_code == 200
    token = sign_in(server, "nguoi-moi", "mat-khau-khac-han").json()["token"]
    assert server.call("DELETE", f"{path}/sessions").status_code == 204
    assert requests.get(f"{server.origin}/api/v1/session", headers=bearer(token), timeout=10).status_code == 401
    assert server.call("POST", f"{path}/password", json={"password": "lai-mat-khau-moi"}).status_code == 204
    assert sign_in(server, "nguoi-moi", "lai-mat-khau-moi").status_code == 201
    assert server.call("DELETE", path).status_code == 204
    problem(server.call("GET", path), 404, "user-not-found")
    assert sign_in(server, "nguoi-moi", "lai-mat-khau-moi").status_code == 401
    assert all(one["username"] != "nguoi-moi" for one in server.call("GET", "users").json())
    make(server, "nguoi-moi")  # the name is free again
    server.call("GET", "audit")
    actions = [one["action"] for one in server.call("GET", "audit?limit=200").json()]
    assert {"user.create", "user.change", "user.password", "user.signOut", "user.delete", "users.read", "audit.read"} <= set(actions), actions


def test_the_last_administrator_stays(server):
    admin = next(one for one in server.call("GET", "users").json() if one["username"] == "admin")
    for body in ({"role": "operator"}, {"disabled": True}):
        problem(server.call("PATCH", f"users/{admin['id']}", json=body), 409, "last-administrator")
    problem(server.call("DELETE", f"users/{admin['id']}"), 409, "last-administrator")
    second = make(server, "quan-tri-hai", "admin")
    assert server.call("DELETE", f"users/{second['id']}").status_code == 204
    operator = make(server, "dieu-hanh")
    token = sign_in(server, "dieu-hanh", OWN).json()["token"]
    for method, path in (("GET", f"users/{operator['id']}"), ("PATCH", f"users/{operator['id']}"), ("DELETE", f"users/{operator['id']}"), ("POST", f"users/{admin['id']}/password")):
        answer = requests.request(method, f"{server.origin}/api/v1/{path}", json={"password": "mat-khau-moi-1"}, headers=bearer(token), timeout=10)
        problem(answer, 403, "not-allowed")


def test_ones_own_password(server):
    make(server, "tu-doi")
    first, second = (sign_in(server, "tu-doi", OWN).json()["token"] for _ in range(2))
    address = f"{server.origin}/api/v1/session/password"
    problem(requests.post(address, json={"oldPassword": "sai-roi-nhe", "newPassword": "mat-khau-moi-2026"}, headers=bearer(first), timeout=10), 403, "not-your-password")
    problem(requests.post(address, json={"oldPassword": OWN, "newPassword": "tu-doi"}, headers=bearer(first), timeout=10), 422, "weak-password")
    assert requests.post(address, json={"oldPassword": OWN, "newPassword": "mat-khau-moi-2026"}, headers=bearer(first), timeout=10).status_code == 204
    statuses = [requests.get(f"{server.origin}/api/v1/session", headers=bearer(one), timeout=10).status_code for one in (first, second)]
    assert statuses == [200, 401]
    assert sign_in(server, "tu-doi", OWN).status_code == 401 and sign_in(server, "tu-doi", "mat-khau-moi-2026").status_code == 201


@pytest.mark.parametrize("how", ["signs out", "is shut"])
def test_what_hangs_on_a_session_ends_with_it(server, how):
    meeting = server.running_meeting("Đăng xuất")["id"]
    user = make(server, "se-di")
    token = sign_in(server, "se-di", OWN).json()["token"]
    client = Client(server, meeting, "Sẽ đi", token=token)
    client.join()

    async def follow():
        address = f"ws{server.origin[4:]}/api/v1/meetings/{meeting}/events"
        async with websockets.connect(address, subprotocols=["nhipcau.v1"], additional_headers=bearer(token)) as socket:
            await socket.recv()
            if how == "signs out":
                await asyncio.to_thread(requests.delete, f"{server.origin}/api/v1/session", headers=bearer(token), timeout=10)
            else:
                await asyncio.to_thread(server.call, "PATCH", f"users/{user['id']}", json={"disabled": True})
            try:
                while True:
                    await asyncio.wait_for(socket.recv(), 5)
            except websockets.ConnectionClosed as closed:
                return closed.rcvd.code

    try:
        assert [one["name"] for one in server.participants(meeting)] == ["Sẽ đi"]
        assert aside.run(follow()) == 4401
        assert server.participants(meeting) == []
        client.receive(0.5)
        assert not client.receive(1), "media still comes"
    finally:
        client.close()


def test_the_audit_tells_who_knocked_and_is_not_flooded(server):
    meeting = server.running_meeting("Nhật ký")["id"]
    for number in range(8):
        sign_in(server, f"ai-{number}", "sai-mat-khau")
    make(server, "khong-quyen", "operator")
    token = sign_in(server, "khong-quyen", OWN).json()["token"]
    for _ in range(5):
        requests.get(f"{server.origin}/api/v1/users", headers=bearer(token), timeout=10)

    async def knock(headers):
        try:
            async with websockets.connect(f"ws{server.origin[4:]}/api/v1/meetings/{meeting}/events", additional_headers=headers):
                pass
        except websockets.InvalidStatus:
            pass

    for _ in range(3):
        aside.run(knock(bearer("0" * 64)))
    client = Client(server, meeting, "Vào", direction="recvonly", video=False)
    client.join()
    client.leave()
    client.close()
    time.sleep(1.5)  # counts are written once a second
    by_action = {}
    for one in server.call("GET", "audit?limit=200").json():
        by_action.setdefault(one["action"], []).append(one)
    for action, count in (("session.refused", 8), ("call.refused", 5), ("channel.refused", 3)):
        assert len(by_action[action]) == 1 and f"{count} times" in by_action[action][0]["detail"], by_action[action]
        assert by_action[action][0]["address"] == "127.0.0.1"
    assert "ai-0" in by_action["session.refused"][0]["subject"] and "ai-1" in by_action["session.refused"][0]["detail"]
    assert len(by_action["media.join"]) == len(by_action["media.leave"]) == 1 and by_action["media.join"][0]["actorName"] == "admin"


def test_a_lost_administrator_is_let_in_from_the_machine(server):
    def user(*words, **environment):
        return subprocess.run(
            [executable(), "user", *words, *([] if "--data" in words else server.store)], capture_output=True, text=True, timeout=30,
            env=os.environ | environment)

    make(server, "dieu-hanh")
    listed = user("list")
    assert listed.returncode == 0 and "admin\tadmin\topen" in listed.stdout and "dieu-hanh\toperator\topen" in listed.stdout, listed
    made = user("password", "admin")
    assert made.returncode == 0 and sign_in(server, "admin", PASSWORD).status_code == 401, made
    again = sign_in(server, "admin", made.stdout.strip().rsplit(" ", 1)[1])
    assert again.status_code == 201
    # The sessions of before are gone; the server runs on.
    assert server.call("GET", "meetings").status_code == 401
    server.token = again.json()["token"]
    assert user("disable", "dieu-hanh").returncode == 0 and sign_in(server, "dieu-hanh", OWN).status_code == 401
    assert user("enable", "dieu-hanh").returncode == 0 and user("role", "dieu-hanh", "secretary").returncode == 0
    assert sign_in(server, "dieu-hanh", OWN).json()["user"]["role"] == "secretary"
    for words, code in ((("password", "khong-co"), 66), (("role", "admin", "vua"), 64), ((), 64), (("list", "--data", "/khong-co"), 66)):
        assert user(*words).returncode == code, (words, user(*words))
    assert user("password", "admin", NHIPCAU_PASSWORD="ngan").returncode == 64
    assert "command line" in {one["actorName"] for one in server.call("GET", "audit?limit=200").json()}


def test_sites_belong_to_accounts_and_names_that_look_alike_are_told_apart(server):
    meeting = server.running_meeting("Điểm cầu")["id"]
    make(server, "lai-chau", name="Sở Lai Châu", sites=["12"])
    make(server, "khach", name="Khách", organisation="Không rõ")
    make(server, "cong", sites=["*"])
    tokens = {one: sign_in(server, one, OWN).json()["token"] for one in ("lai-chau", "khach", "cong")}
    clients = []

    def join(who, site, name):
        client = Client(server, meeting, name, token=tokens[who], direction="recvonly", video=False)
        clients.append(client)
        query = {"name": name} | ({"site": site} if site else {})
        return requests.post(
            f"{server.origin}/api/v1/meetings/{meeting}/media", params=query, data=client.offer(), timeout=10,
            headers=bearer(tokens[who]) | {"Content-Type": "application/sdp"})

    try:
        problem(join("khach", "12", "Lai Châu"), 403, "site-not-yours")
        problem(join("lai-chau", "14", "Sơn La"), 403, "site-not-yours")
        assert join("lai-chau", "12", "Lai Châu").status_code == 201
        assert join("cong", "12", "Cổng").status_code == 201
        assert join("khach", "14", "Lаi Сhâu").status_code == 201  # with three letters of another script
        people = {one["name"]: one for one in server.participants(meeting)}
        assert set(people) == {"Lai Châu", "Cổng", "Lаi Сhâu (2)"}, set(people)
        assert people["Lаi Сhâu (2)"]["user"]["name"] == "Khách" and people["Lаi Сhâu (2)"]["user"]["organisation"] == "Không rõ"
    finally:
        for one in clients:
            one.close()

"""Whatever is asked, and however wrong, the answer's status is one that the OpenAPI document describes for that call."""

import json

import requests

JSON = {"Content-Type": "application/json"}
QUERIES = ("limit=0", "limit=x", "limit=9999", "limit=-1", "after=x", "nope=1", "limit=%ff", "limit=1&limit=2")
BODIES = (
    b"{", b"[]", b"\xff", b'{"nope": 1}', b'{"title": ""}', b'{"title": 5}', b'{"title": "a", "startsAt": "2026-02-30T00:00:00Z"}',
    b'{"title": "a", "durationMinutes": 1e9}', b'{"type": "mute"}', b'{"type": "readmit", "user": "x"}', b'{"type": "fly"}',
    b'{"username": "a", "password": 1}', b'{"username": "", "name": "", "role": "king", "password": "x"}', b'{"locked": true}' + b" " * 300_000,
)


def test_every_answer_to_wrong_requests_is_one_that_the_document_describes(server):
    document = requests.get(f"{server.origin}/api/v1/openapi.json", timeout=5).json()
    meeting = server.running_meeting("Tài liệu")["id"]
    places = {"{id}": meeting, "{participant}": meeting, "{code}": "00"}
    undescribed, asked = [], 0
    session = requests.Session()

    def ask(method, path, headers={}, **more):
        nonlocal asked
        address = path.split("?")[0]
        for name, value in places.items():
            address = address.replace(name, value)
        query = path.split("?")[1] if "?" in path else ""
        answer = session.request(
            method, f"{server.origin}{address}?{query}", headers={"Authorization": f"Bearer {server.token}"} | headers, timeout=15, **more)
        asked += 1
        described = document["paths"][path.split("?")[0]][method.lower()]["responses"]
        if str(answer.status_code) not in described:
            undescribed.append((method, path, answer.status_code, answer.text[:100]))

    for path, methods in document["paths"].items():
        if not path.startswith("/api/v1/meetings") and path not in ("/api/v1/users", "/api/v1/audit", "/api/v1/sites", "/api/v1/session"):
            continue
        for method, operation in methods.items():
            if method == "get":
                for query in QUERIES:
                    ask("GET", f"{path}?{query}")
            if "requestBody" not in operation:
                continue
            kinds = list(operation["requestBody"]["content"])
            for kind in kinds + ["text/plain"]:
                for body in BODIES if kind != "text/plain" else BODIES[:1]:
                    ask(method.upper(), path, {"Content-Type": kind, "If-Match": "*"}, data=body)
    # What is not there, and what does not go in this state.
    places["{id}"] = "x"
    for path, methods in document["paths"].items():
        if path.startswith("/api/v1/meetings/{id}"):
            for method in set(methods) - {"parameters", "options"}:
                kinds = list(methods[method].get("requestBody", {"content": {}})["content"])
                ask(method.upper(), path, {"Content-Type": kinds[0]} if kinds else {}, data=b'{"type": "leave"}' if kinds else None)
    places["{id}"] = meeting
    ask("DELETE", "/api/v1/meetings/{id}")
    ask("PATCH", "/api/v1/meetings/{id}", JSON, data=json.dumps({"title": "a"}))
    ask("PATCH", "/api/v1/meetings/{id}", JSON | {"If-Match": '"77"'}, data=json.dumps({"title": "a"}))
    assert undescribed == [] and asked > 100, "\n".join(map(str, undescribed))

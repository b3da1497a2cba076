"""What lasts: on PostgreSQL, carried from one engine to the other, and when the database or the server dies."""

import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from support import postgres
from support.server import PASSWORD, Server, executable, free_port


@pytest.fixture
def database():
    running = postgres.Postgres()
    yield running
    running.close()


@pytest.fixture
def kept(database):
    """A server on a PostgreSQL that this test may end."""
    url, schema = database.empty()
    server = Server("--store", url)
    server.schema = schema
    yield server
    server.close()


def store(*words):
    return subprocess.run([executable(), "store", *words], capture_output=True, timeout=60)


def make(server, title):
    return server.call("POST", "meetings", json={"title": title, "durationMinutes": 60})


def titles(server):
    found, after = [], ""
    while page := server.call("GET", f"meetings?limit=200{after}").json():
        found += [one["title"] for one in page]
        after = f"&after={page[-1]['id']}"
    return found


def test_an_installation_goes_to_the_other_engine_and_back_to_the_byte(database, tmp_path):
    first = f"sqlite:{tmp_path}/first/a.sqlite"
    server = Server("--store", first)
    try:
        for number in range(5):
            assert make(server, f"Họp {number} 😀 \"").status_code == 201
        server.process.terminate()
        server.process.wait(15)
        url, _ = database.empty()
        before = store("export", first)
        assert before.returncode == 0 and before.stdout.count(b"\n") > 20
        copied = store("copy", first, url)
        assert copied.returncode == 0 and b"SHA-256" in copied.stdout, copied.stderr
        assert database.password.encode() not in copied.stdout + copied.stderr
        assert store("export", url).stdout == before.stdout
        back = f"sqlite:{tmp_path}/back/b.sqlite"
        assert store("copy", url, back).returncode == 0 and store("export", back).stdout == before.stdout
        again = store("copy", first, url)
        assert again.returncode == 73 and b"has rows already" in again.stderr
        server.arguments = ("--store", url)
        server.start()
        assert len(titles(server)) == 5
    finally:
        server.close()


def test_a_database_that_is_gone_is_said_to_be_and_meetings_go_on(kept, database):
    meeting = kept.running_meeting("Giao ban")
    database.stop()
    for language, word in (("vi", "Không kết nối"), ("en", "cannot be reached")):
        answer = kept.call("POST", "meetings", json={"title": "không"}, headers={"Accept-Language": language})
        assert answer.status_code == 503 and answer.json()["type"] == "urn:nhipcau:problem:store-gone" and word in answer.text
    assert requests.get(f"{kept.origin}/readyz", timeout=10).status_code == 503
    assert requests.get(f"{kept.origin}/healthz", timeout=5).ok
    database.start()
    end = time.monotonic() + 20
    while not requests.get(f"{kept.origin}/readyz", timeout=10).ok:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert titles(kept) == ["Giao ban"] and kept.call("GET", f"meetings/{meeting['id']}").json()["state"] == "running"


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER ROLE tests SET default_transaction_read_only = on", "store-read-only"),
        ("INSERT INTO migrations VALUES (99, 0)", "store-newer"),
        (
            "CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$ LANGUAGE plpgsql;"
            "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION full_disk()",
            "store-full",
        ),
    ],
)
def test_what_a_database_does_not_take_has_a_clear_word(kept, database, statement, kind):
    database.sql(statement, "stores", kept.schema)
    database.cut()
    answer = make(kept, "không")
    assert answer.status_code == 503 and answer.json()["type"].endswith(kind), answer.text
    if kind != "store-full":
        assert requests.get(f"{kept.origin}/readyz", timeout=10).status_code == 503
    assert int(database.sql("SELECT count(*) FROM documents WHERE kind = 'meeting'", "stores", kept.schema)) == 0


def test_a_database_with_another_certificate_is_not_talked_to(database, tmp_path):
    url, _ = database.empty()
    other = tmp_path / "other.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
         "-keyout", tmp_path / "key", "-out", other], check=True, capture_output=True, timeout=60)
    wrong = url.replace(str(database.folder / "server.crt").replace("/", "%2F"), str(other).replace("/", "%2F"))
    assert wrong != url
    refused = subprocess.run(
        [executable(), "serve", "--listen", f"127.0.0.1:{free_port()}", "--media-port", "0", "--data", tmp_path / "data", "--store", wrong],
        capture_output=True, text=True, timeout=60)
    assert refused.returncode == 69 and "certificate" in refused.stderr and database.password not in refused.stderr


def test_administrators_who_demote_each_other_leave_one(server):
    made = [
        server.call("POST", "users", json={"username": f"quantri{number}", "password": PASSWORD, "role": "admin"}).json()["id"] for number in range(2)
    ]
    own = server.call("GET", "session").json()["user"]["id"]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda id: server.call("PATCH", f"users/{id}", json={"role": "operator"}).status_code, [*made, own]))
    assert 200 in answers
    assert requests.post(f"{server.origin}/api/v1/session", json={"username": "admin", "password": PASSWORD}, timeout=10).status_code == 201
    login = [
        requests.post(f"{server.origin}/api/v1/session", json={"username": name, "password": PASSWORD}, timeout=10).json()["user"]["role"]
        for name in ("admin", "quantri0", "quantri1")
    ]
    assert "admin" in login


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_nothing_that_was_answered_is_lost_whatever_dies(database, tmp_path, engine):
    """At fifty moments the server is killed, or every connection of the database is cut; what was answered as done is there, once."""
    chance = random.Random(15)
    place = database.empty()[0] if engine == "postgresql" else f"sqlite:{tmp_path}/a.sqlite"
    server = Server("--store", place)
    done, refused, stop = [], [], threading.Event()

    def write(writer):
        number = 0
        while not stop.is_set():
            number += 1
            title = f"{writer}-{number}"
            try:
                answer = make(server, title)
            except requests.RequestException:
                time.sleep(0.02)
                continue
            if answer.status_code == 201:
                done.append(title)
            elif not answer.json()["type"].endswith("store-uncertain"):
                refused.append((title, answer.text))

    try:
        with ThreadPoolExecutor(3) as pool:
            writers = [pool.submit(write, writer) for writer in range(3)]
            for moment in range(50):
                time.sleep(chance.uniform(0.02, 0.3))
                if engine == "postgresql" and chance.random() < 0.7:
                    database.cut()
                else:
                    server.kill()
                    server.start()
            stop.set()
            for writer in writers:
                writer.result()
        found = titles(server)
        assert len(found) == len(set(found)) and len(done) > 50
        assert set(done) <= set(found)
        assert not {title for title, _ in refused} & set(found)
    finally:
        stop.set()
        server.close()

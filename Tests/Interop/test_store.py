"""What lasts: on PostgreSQL, carried from one engine to the other, and when the database or the server dies."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
import requests
from support import postgres
from support.proxy import Proxy
from support.server import CASES, PASSWORD, ROOT, Endpoint, Server, executable, free_port
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

#: Seconds for which the database is away while a meeting runs. With 60 a commit in doubt is answered as uncertain before it is back.
OUTAGE = float(os.environ.get("STORE_OUTAGE", "4"))


@pytest.fixture(scope="module")
def database():
    """Of the tests of this file: they stop it, cut it and set its defaults, and leave it running as it was."""
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


@pytest.fixture
def line(database):
    """Between a server and the database."""
    proxy = Proxy(database.port)
    yield proxy
    proxy.close()


@pytest.fixture
def by_line(database, line):
    """A server that reaches its database by a line which a test can break."""
    server = Server("--store", line.url(database.empty()[0]))
    yield server
    line.refuse(False)
    line.stall(False)
    server.close()


class Follower:
    """One channel, read on a thread of its own: what came, and how it was closed."""

    def __init__(self, server, meeting, token):
        self.texts, self.code = [], None
        self.opened = ExitStack()
        self.socket = self.opened.enter_context(connect(
            f"ws{server.origin[4:]}/api/v1/meetings/{meeting}/events", subprotocols=["nhipcau.v1"],
            additional_headers={"Authorization": f"Bearer {token}"}))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while True:
                self.texts.append(self.socket.recv())
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 0

    def close(self):
        self.opened.close()
        self.thread.join(10)


def within(seconds, is_so):
    """How long it took until it was so."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - begun


def kind(answer):
    return answer.json()["type"].rsplit(":", 1)[-1] if answer.status_code >= 400 else answer.status_code


def is_same(old, new):
    """Versions before printed some times a millisecond earlier than they had stored them."""
    if old == new or not isinstance(old, str) or not isinstance(new, str) or not (old.endswith("Z") and new.endswith("Z")):
        return old == new
    return timedelta(0) <= datetime.fromisoformat(new) - datetime.fromisoformat(old) <= timedelta(milliseconds=1)


def ready(server):
    return requests.get(f"{server.origin}/readyz", timeout=10).ok


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


def test_a_database_that_is_gone_is_said_to_be(kept, database):
    meeting = kept.running_meeting("Giao ban")
    database.stop()
    try:
        with ThreadPoolExecutor(3) as pool:
            not_ready = pool.submit(ready, kept)
            answers = {
                word: pool.submit(kept.call, "POST", "meetings", json={"title": "không"}, headers={"Accept-Language": language})
                for language, word in (("vi", "Không kết nối"), ("en", "cannot be reached"))
            }
        assert not not_ready.result()
        for word, answer in answers.items():
            assert kind(answer.result()) == "store-gone" and word in answer.result().text
    finally:
        database.start()
    within(20, lambda: ready(kept))
    assert titles(kept) == ["Giao ban"] and kept.call("GET", f"meetings/{meeting['id']}").json()["state"] == "running"


def test_sound_and_pictures_go_on_while_the_database_hangs_and_while_it_is_gone(by_line, line):
    """It comes back by itself. What was not written is answered as not done, and what may be written as that."""
    server = by_line
    meeting = server.running_meeting("Giao ban")["id"]
    follower = Follower(server, meeting, server.token)
    wanted = (("Hà Giang", 440, "d04020"), ("Cà Mau", 1270, "20a040"), ("Lặng", 2000, "2040d0"))
    *sites, silent = [Endpoint(server, meeting, name, hertz, colour, 600) for name, hertz, colour in wanted]

    def all_are_in():
        return sum(one["state"] == "connected" for one in server.participants(meeting)) == 3

    def followers_are_told():
        """Of a site that falls silent, and of it again."""
        begun = time.monotonic()
        for how, is_heard in ((signal.SIGSTOP, False), (signal.SIGCONT, True)):
            told = len(follower.texts)
            silent.process.send_signal(how)
            within(8, lambda: any(
                text.get("participant", {}).get("name") == "Lặng" and text["participant"]["audio"]["sending"] == is_heard
                for text in map(json.loads, follower.texts[told:])))
        assert time.monotonic() - begun < 6
        return time.monotonic() - begun

    def timed(*call, **options):
        begun = time.monotonic()
        return kind(call[0](*call[1:], **options)), time.monotonic() - begun

    try:
        within(20, all_are_in)
        since = time.monotonic()
        line.stall()
        with ThreadPoolExecutor(7) as pool:
            # More than there are connections: who asks for readiness does not wait behind them.
            waiting = [pool.submit(timed, make, server, "muộn") for _ in range(5)] + [
                pool.submit(timed, server.call, "POST", f"meetings/{meeting}/end"),
                pool.submit(timed, requests.post, f"{server.origin}/api/v1/session", json={"username": "admin", "password": PASSWORD}, timeout=15),
            ]
            within(5, lambda: sum(one.running() for one in waiting) == 7)
            time.sleep(0.3)
            assert kind(requests.get(f"{server.origin}/readyz", timeout=10)) == "store-slow" and time.monotonic() - since < 6
            assert requests.get(f"{server.origin}/healthz", timeout=1).ok
            assert server.metric("nhipcau_media_sessions") == 3
            told = [followers_are_told()]
            answers = [answer.result() for answer in waiting]
            assert {word for word, _ in answers} == {"store-slow"} and max(seconds for _, seconds in answers) < 11, answers
        line.stall(False)
        within(10, lambda: ready(server))
        assert titles(server) == ["Giao ban"] and server.call("GET", f"meetings/{meeting}").json()["state"] == "running"

        # The database commits, its answer is lost, and for a while nobody reaches it.
        line.refuses_after_fate = True
        line.fates = ["unanswered"]
        with ThreadPoolExecutor(1) as pool:
            doubtful = pool.submit(make, server, "không rõ")
            within(10, lambda: line.cuts == 1)
            begun = time.monotonic()
            assert kind(requests.get(f"{server.origin}/readyz", timeout=10)) == "store-gone" and time.monotonic() - begun < 5
            told.append(followers_are_told())
            time.sleep(max(0, OUTAGE - (time.monotonic() - begun)))
            assert requests.get(f"{server.origin}/healthz", timeout=1).ok
            if OUTAGE > 20:
                assert kind(doubtful.result()) == "store-uncertain"
                assert not ready(server)
            line.refuse(False)
            back = within(10, lambda: ready(server))
            if OUTAGE < 10:
                assert kind(doubtful.result()) == 201
        assert sorted(titles(server)) == ["Giao ban", "không rõ"]
        assert follower.code is None and all_are_in()
    finally:
        follower.close()
        silent.process.send_signal(signal.SIGCONT)
        for site in (*sites, silent):
            site.close()
    for site in sites:
        report = json.loads(site.report_file.read_text())["endpoints"][0]
        print(f"{OUTAGE:.0f} s gone, back after {back:.1f} s, followers told within {max(told):.1f} s: {report['sound']} {report['picture']}")
        assert report["connectedSeconds"] > 7 + OUTAGE
        assert report["sound"]["packets"] > 45 * report["connectedSeconds"] and report["sound"]["longestGapMilliseconds"] < 1_000
        assert report["picture"]["framesPerSecond"] > 8 and report["picture"]["longestIntervalMilliseconds"] < 1_500


def test_a_commit_whose_answer_is_cut_is_found_out_and_done_once(by_line, line):
    """Whether the database had it or not: the batch is looked for under its number, and done where it is not there."""
    chance = random.Random(15)
    made = []
    for number in range(12):
        fates = [chance.choice(["unsent", "unanswered"]) for _ in range(chance.randint(1, 2))]
        line.fates = list(fates)
        answer = make(by_line, f"Họp {number}")
        assert answer.status_code == 201, (fates, answer.text)
        made.append(answer.json()["id"])
        # A commit that was done is found by its number, and needs no second one.
        assert line.cuts >= 1 and (not line.fates or fates[0] == "unanswered")
        line.fates, line.cuts = [], 0
    assert sorted(titles(by_line)) == sorted(f"Họp {number}" for number in range(12))
    notes = [one["subject"] for one in by_line.call("GET", "audit?limit=200").json() if one["action"] == "meeting.create"]
    assert sorted(notes) == sorted(made)


def test_what_one_process_does_the_others_know(database):
    """Two processes on one PostgreSQL: logins, accounts and meetings."""
    url, _ = database.empty()
    servers = [Server("--store", url) for _ in range(2)]
    one, other = servers
    try:
        meeting = one.call("POST", "meetings", json={"title": "Giao ban"}).json()
        account = one.call("POST", "users", json={"username": "thuky", "password": PASSWORD, "role": "secretary"}).json()
        address = f"{other.origin}/api/v1/session"

        def signed_in():
            token = requests.post(address.replace(other.origin, one.origin), json={"username": "thuky", "password": PASSWORD}, timeout=10).json()["token"]
            follower = Follower(other, meeting["id"], token)
            return {"Authorization": f"Bearer {token}"}, follower

        took = []
        acts = [("DELETE", f"users/{account['id']}/sessions", None), ("PATCH", f"users/{account['id']}", {"disabled": True})]
        for method, path, body in acts:
            # The second time after the connection that listens was lost and made again.
            headers, follower = signed_in()
            within(5, lambda: follower.texts)
            assert requests.get(address, headers=headers, timeout=10).ok
            assert one.call(method, path, json=body).ok
            took.append(within(3, lambda: requests.get(address, headers=headers, timeout=10).status_code == 401))
            took.append(within(3, lambda: follower.code == 4401))
            follower.close()
            database.cut()
            within(5, lambda: ready(one) and ready(other))
        print("known after " + ", ".join(f"{seconds:.2f} s" for seconds in took))

        follower = Follower(other, meeting["id"], other.token)
        within(5, lambda: follower.texts)
        assert one.call("PATCH", f"meetings/{meeting['id']}", json={"title": "Đổi tên"}, headers={"If-Match": '"1"'}).ok
        within(3, lambda: any("Đổi tên" in text for text in follower.texts))
        late = other.call("PATCH", f"meetings/{meeting['id']}", json={"title": "Muộn"}, headers={"If-Match": '"1"'})
        assert late.status_code == 412 and late.headers["ETag"] == '"2"'
        follower.close()
    finally:
        for server in servers:
            server.close()


@pytest.mark.parametrize(("schema", "engine"), [(1, "postgresql"), (3, "sqlite")])
def test_an_installation_of_a_version_before_has_everything_in_place(database, tmp_path, schema, engine):
    """`installation-of-schema-N` is what a version with a table for each kind of row wrote, and what its API said of it."""
    folder = ROOT / f"Tests/Vectors/installation-of-schema-{schema}"
    said = json.loads((folder / "said.json").read_text())
    path = tmp_path / "nhipcau.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript((folder / "database.sql").read_text())
    place = f"sqlite:{path}"
    if engine == "postgresql":
        url = database.empty()[0]
        assert store("copy", place, url).returncode == 0
        place = url
    server = Server("--store", place)
    try:
        # A login of then goes on, and so do passwords.
        asked = {"Authorization": f"Bearer {said['token']}"}
        for path, before in said["lists"].items():
            answer = requests.get(f"{server.origin}/api/v1/{path}", headers=asked, timeout=10)
            assert answer.ok, answer.text
            after = answer.json() if isinstance(answer.json(), list) else [answer.json()]
            if path.startswith("audit"):
                after = [one for one in after if one["id"] in {entry["id"] for entry in before}]
            assert len(after) == len(before)
            for old, new in zip(before, after):
                different = {key: (old[key], new.get(key)) for key in old if not is_same(old[key], new.get(key))}
                assert not different, path
        for name, expected in said["logins"].items():
            answer = requests.post(f"{server.origin}/api/v1/session", json={"username": name, "password": PASSWORD}, timeout=10)
            assert answer.status_code == expected, name
        if said["removed"]:
            removed = requests.post(
                f"{server.origin}/api/v1/meetings/{said['running']}/media?name=Ai", data=(CASES / "small-average-bitrate.sdp").read_text(), timeout=10,
                headers={"Authorization": f"Bearer {said['removed']}", "Content-Type": "application/sdp"})
            assert kind(removed) == "removed-by-chair", removed.text
        changed = server.call("PATCH", f"meetings/{said['running']}", json={"capacity": 77}, headers={"If-Match": said["etag"]})
        assert changed.status_code == 200, changed.text
    finally:
        server.close()


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
    try:
        database.cut()
        answer = make(kept, "không")
        assert answer.status_code == 503 and answer.json()["type"].endswith(kind), answer.text
        if kind != "store-full":
            assert requests.get(f"{kept.origin}/readyz", timeout=10).status_code == 503
        assert int(database.sql("SELECT count(*) FROM documents WHERE kind = 'meeting'", "stores", kept.schema)) == 0
    finally:
        # Of an account and so of the whole database, unlike the others.
        if "ALTER ROLE" in statement:
            database.sql("ALTER ROLE tests RESET default_transaction_read_only")


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
def test_nothing_that_was_answered_is_lost_whatever_dies(database, line, tmp_path, engine):
    """At fifty moments the server is killed, every connection of the database is cut, or just the next commits are; what was answered as done is there, once."""
    chance = random.Random(15)
    place = line.url(database.empty()[0]) if engine == "postgresql" else f"sqlite:{tmp_path}/a.sqlite"
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
                    if chance.random() < 0.5:
                        database.cut()
                    else:
                        line.fates = [chance.choice(["unsent", "unanswered"]) for _ in range(chance.randint(1, 3))]
                else:
                    server.kill()
                    server.start()
            stop.set()
            for writer in writers:
                writer.result()
        found = titles(server)
        assert len(found) == len(set(found)) and len(done) > 50
        assert engine == "sqlite" or line.cuts > 10
        assert set(done) <= set(found)
        assert not {title for title, _ in refused} & set(found)
    finally:
        stop.set()
        server.close()

"""The real pages, by keyboard alone, in both languages, at the size of an old laptop's screen. Screenshots go to out/."""

import json

import pytest
from support.bidi import Firefox
from support.server import PASSWORD, ROOT, Endpoint

SITE = ROOT / "Sources" / "WebPages" / "site"
MOST_TABS = 60


class Reader:
    """Somebody at a keyboard."""

    def __init__(self, browser, server, language):
        self.page = browser.page
        self.page.set_default_timeout(20_000)
        self.words = json.loads((SITE / f"strings.{language}.json").read_text())
        self.language = language
        self.origin = server.origin
        self.wrong = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda line: self.wrong.append(line.text) if "Content Security Policy" in line.text else None)

    def say(self, key, **values):
        text = self.words[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def reach(self, selector):
        """Presses Tab until the focus is on `selector`: what cannot be reached so fails here."""
        for _ in range(MOST_TABS):
            if self.page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by Tab on {self.page.url}")

    def press(self, selector):
        self.page.wait_for_selector(selector)
        self.reach(selector)
        self.page.keyboard.press("Enter")

    def type(self, selector, text):
        self.reach(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def wait_for_text(self, selector, text, patience=20_000):
        self.page.wait_for_function(
            "([selector, text]) => [...document.querySelectorAll(selector)].some((one) => one.offsetParent !== null && one.textContent.includes(text))",
            arg=[selector, text], timeout=patience,
        )

    def sign_in(self, username="admin"):
        self.page.goto(f"{self.origin}/")
        self.page.wait_for_selector("#username")
        if self.language != "vi":
            self.press(f"button[data-language={self.language}]")
            self.wait_for_text("h1", self.say("login.title"))
        self.type("#username", username)
        self.type("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.wait_for_text("h1", self.say("list.title"))

    def enter(self):
        """From the door into the room, once sound and picture are there."""
        self.page.wait_for_selector("#join", state="visible")
        self.press("#join")
        self.page.wait_for_selector(".inside")
        self.wait_for_picture()

    def wait_for_picture(self):
        self.wait_for_text(".connection", self.say("room.connected"), 40_000)
        self.page.wait_for_function("() => { const v = document.querySelector('.stage-video'); return v.videoWidth > 0 && v.currentTime > 0 }")

    def leave(self):
        self.page.keyboard.press("l")
        self.page.wait_for_selector("dialog[open]")
        self.page.keyboard.press("Enter")
        self.wait_for_text("h1", self.say("room.left"))

    def shoot(self, folder, name):
        self.page.screenshot(path=folder / f"{name}.{self.language}.png")
        size = self.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
        assert size[0] <= size[1], f"{name} is wider than the screen: {size}"


@pytest.fixture(params=["vi", "en"])
def reader(request, chromium, server):
    reader = Reader(chromium(), server, request.param)
    yield reader
    assert reader.wrong == []


def me(server, meeting):
    return next(iter(server.participants(meeting)), None)


def wait_for(reader, condition):
    """Asks the server again until `condition` gives something true, for ten seconds."""
    for _ in range(50):
        found = condition()
        if found:
            return found
        reader.page.wait_for_timeout(200)
    raise AssertionError("it did not come to be")


def test_a_secretary_makes_a_meeting_joins_mutes_and_leaves_by_keyboard(reader, server, pictures):
    page, title = reader.page, f"Giao ban {reader.language}"
    page.goto(f"{server.origin}/login")
    page.wait_for_selector("#username")
    reader.shoot(pictures, "sign-in")
    reader.sign_in()
    reader.press("a[href='/meetings/new']")
    page.wait_for_selector("#title")
    page.keyboard.press("Enter")
    reader.wait_for_text(".hint-bad", reader.say("form.nameMissing"))
    reader.type("#title", title)
    reader.shoot(pictures, "new-meeting")
    page.keyboard.press("Enter")
    reader.wait_for_text(".meeting h3", title)
    reader.shoot(pictures, "meetings")
    reader.press(f"article[aria-label='{title}'] .button-main")
    reader.wait_for_text(".meeting-running h3", title)
    meeting = next(one for one in listed(server) if one["title"] == title)
    assert meeting["state"] == "running" and meeting["joinURL"] == f"{server.origin}/meetings/{meeting['id']}"

    reader.press(f".meeting-running[aria-label='{title}'] a")
    page.wait_for_selector("#join", state="visible")
    page.wait_for_function("() => document.querySelector('.preview-video')?.videoWidth > 0")
    page.wait_for_function("() => document.querySelector('nc-level-meter .lit') !== null")
    reader.shoot(pictures, "door")
    reader.enter()
    page.wait_for_function("() => document.querySelectorAll('.person').length === 1")
    page.wait_for_timeout(1500)
    reader.shoot(pictures, "room")

    page.keyboard.press("m")
    page.wait_for_selector(".person .mark:not([hidden])")
    wait_for(reader, lambda: me(server, meeting["id"])["audio"]["muted"])
    page.keyboard.press("v")
    wait_for(reader, lambda: me(server, meeting["id"])["video"]["muted"])
    page.keyboard.press("m")
    wait_for(reader, lambda: not me(server, meeting["id"])["audio"]["muted"])
    page.keyboard.press("v")
    wait_for(reader, lambda: not me(server, meeting["id"])["video"]["muted"])
    page.keyboard.press("?")
    reader.wait_for_text("dialog dd", reader.say("help.keyLeave"))
    reader.shoot(pictures, "shortcuts")
    page.keyboard.press("Escape")
    reader.press("button[data-layout=speaker]")
    wait_for(reader, lambda: next(one for one in listed(server) if one["id"] == meeting["id"])["layout"] == "speaker")
    reader.leave()
    wait_for(reader, lambda: server.participants(meeting["id"]) == [])


@pytest.mark.parametrize("reader", ["vi"], indirect=True)
def test_what_the_chair_turns_off_the_page_leaves_off_and_says_whom_to_ask(reader, server, chromium, pictures):
    page, meeting = reader.page, server.running_meeting("Chủ tọa quyết định")["id"]
    made = server.call("POST", "users", json={"username": "laichau", "name": "Lai Châu", "role": "operator", "password": PASSWORD})
    assert made.status_code == 201, made.text
    reader.sign_in("laichau")
    page.goto(f"{server.origin}/meetings/{meeting}")
    reader.enter()
    # Who does not lead has no marks of lines, and no buttons over others.
    page.wait_for_selector(".person")
    assert page.locator(".line:visible").count() == 0 and page.locator(".person-act:visible").count() == 0
    own = me(server, meeting)["id"]

    def decide(type, **more):
        answer = server.call("POST", f"meetings/{meeting}/commands", json={"id": 1, "type": type} | more)
        assert answer.status_code == 200, answer.text

    for device, off, part in (("m", {"type": "mute", "muted": True}, "audio"), ("v", {"type": "camera", "shown": False}, "video")):
        key = next(name for name in off if name != "type")
        held, free = (reader.say(one) for one in (("room.micHeld", "room.micFree") if device == "m" else ("room.cameraHeld", "room.cameraFree")))
        decide(**off, participantId=own)
        page.wait_for_selector(f".round.is-off[aria-keyshortcuts={device}][aria-label='{held}']")
        page.keyboard.press(device)
        reader.wait_for_text(".toast", held)
        assert me(server, meeting)[part]["mutedBy"] == "chair"
        decide(off["type"], participantId=own, **{key: not off[key]})
        reader.wait_for_text(".toast", free)
        # Nothing opens by itself: the site does it.
        wait_for(reader, lambda: me(server, meeting)[part]["mutedBy"] == "self")
        page.keyboard.press(device)
        wait_for(reader, lambda: me(server, meeting)[part]["mutedBy"] is None)
    # Muted from the first moment of the next join too; then removed, and let in again on the chair's page.
    decide("mute", participantId=own, muted=True)
    reader.leave()
    reader.press("button.button-main")
    reader.enter()
    page.wait_for_selector(f".round.is-off[aria-keyshortcuts=m][aria-label='{reader.say('room.micHeld')}']")
    reader.shoot(pictures, "muted-by-chair")
    chair = Reader(chromium(), server, "vi")
    chair.sign_in()
    chair.page.goto(f"{server.origin}/meetings/{meeting}")
    chair.enter()
    decide("remove", participantId=next(one["id"] for one in server.participants(meeting) if one["user"]["name"] == "Lai Châu"))
    reader.wait_for_text("h1", reader.say("room.removed"))
    chair.wait_for_text(".people-out .person-name", "Lai Châu")
    chair.shoot(pictures, "removed")
    reader.press("button.button-main")
    page.wait_for_selector("#join", state="visible")
    reader.press("#join")
    page.wait_for_selector(".note-bad")
    chair.press(".people-out button")
    chair.page.wait_for_selector(".people-out", state="hidden")
    reader.enter()
    assert chair.wrong == []


def listed(server):
    answer = server.call("GET", "meetings").json()
    return answer if isinstance(answer, list) else answer["items"]


def test_wrong_password_and_unknown_meeting_say_what_to_do(reader, server):
    page = reader.page
    page.goto(f"{server.origin}/login")
    page.wait_for_selector("#username")
    reader.type("#username", "nobody")
    reader.type("#password", "wrong password")
    page.keyboard.press("Enter")
    page.wait_for_selector(".note-bad")
    assert len(page.text_content(".note-bad")) > 10
    reader.sign_in()
    page.goto(f"{server.origin}/meetings/01930000-0000-7000-8000-000000000000")
    reader.wait_for_text("h1", reader.say("room.missing"))
    assert len(page.text_content(".note-bad")) > 10


@pytest.mark.parametrize("reader", ["vi"], indirect=True)
def test_the_room_comes_back_after_the_line_was_cut(reader, server, pictures):
    meeting = server.running_meeting("Đường truyền chập chờn")["id"]
    reader.sign_in()
    reader.page.goto(f"{server.origin}/meetings/{meeting}")
    reader.enter()
    server.pause(True)
    try:
        reader.wait_for_text(".veil", "…", 30_000)
        reader.shoot(pictures, "reconnecting")
    finally:
        server.pause(False)
    reader.wait_for_picture()
    wait_for(reader, lambda: [one["state"] for one in server.participants(meeting)].count("connected") == 1)
    reader.leave()


@pytest.mark.parametrize("reader", ["vi"], indirect=True)
def test_the_room_comes_back_after_the_server_was_killed(reader, server):
    meeting = server.running_meeting("Mất điện")["id"]
    reader.sign_in()
    reader.page.goto(f"{server.origin}/meetings/{meeting}")
    reader.enter()
    server.kill()
    server.start()
    wait_for(reader, lambda: [one["state"] for one in server.participants(meeting)] == ["connected"] or reader.page.wait_for_timeout(1000))
    reader.wait_for_picture()
    reader.leave()


@pytest.mark.parametrize("reader", ["vi"], indirect=True)
def test_a_meeting_can_be_joined_without_camera_and_microphone(reader, server, chromium):
    """The browser refuses both: the door says so, and the room opens all the same."""
    meeting = server.running_meeting("Không có máy quay")["id"]
    endpoint = Endpoint(server, meeting, "Hà Giang", 1270, "d0c020", 60)
    try:
        reader.page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
        )
        reader.sign_in()
        reader.page.goto(f"{server.origin}/meetings/{meeting}")
        reader.wait_for_text(".note", reader.say("help.bothDenied"))
        reader.enter()
        reader.leave()
    finally:
        endpoint.close()


def test_firefox_opens_the_room_with_sound_and_picture(server, pictures):
    meeting = server.running_meeting("Firefox")["id"]
    browser = Firefox()
    try:
        browser.goto(f"{server.origin}/login")
        browser.evaluate(
            "(body) => fetch('/api/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })"
            ".then((answer) => answer.status)",
            {"username": "admin", "password": PASSWORD},
        )
        browser.goto(f"{server.origin}/meetings/{meeting}")
        browser.wait_for("document.querySelector('.preview-video')?.videoWidth > 0")
        browser.evaluate("() => { document.querySelector('#join').click(); return true }")
        browser.wait_for("document.querySelector('.connection-good') && document.querySelector('.stage-video').currentTime > 1")
        (pictures / "room.firefox.png").write_bytes(browser.screenshot())
        assert [one["state"] for one in server.participants(meeting)] == ["connected"]
    finally:
        browser.close()


@pytest.mark.parametrize("reader", ["vi"], indirect=True)
def test_the_page_says_that_the_meeting_has_ended(reader, server):
    meeting = server.running_meeting("Kết thúc")["id"]
    reader.sign_in()
    reader.page.goto(f"{server.origin}/meetings/{meeting}")
    reader.enter()
    assert server.call("POST", f"meetings/{meeting}/end").status_code == 204
    reader.wait_for_text("h1", reader.say("room.ended"))
    assert reader.page.evaluate("() => document.activeElement.getAttribute('href')") == "/meetings"

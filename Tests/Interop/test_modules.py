"""The pages' modules alone, in Chromium, on files from the source tree: no server, no network."""

import mimetypes

import pytest
from support.server import ROOT

SITE = ROOT / "Sources" / "WebPages" / "site"


def serve(browser, origin, api=None):
    """Answers every request of the page from the source tree, and those of the API from `api`."""

    def answer(route):
        path = route.request.url.removeprefix(origin).split("?")[0]
        if path.startswith("/api/"):
            status, body = (api or {}).get(path, (404, {}))
            return route.fulfill(status=status, json=body)
        file = SITE / path.lstrip("/")
        file = file if file.is_file() else SITE / "index.html"
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file)[0]
        return route.fulfill(status=200, body=file.read_bytes(), content_type=kind)

    browser.page.route(f"{origin}/**", answer)


@pytest.fixture
def page(chromium):
    browser = chromium()
    serve(browser, "http://localhost:1", {"/api/v1/session": (401, {})})
    browser.goto("http://localhost:1/login")
    return browser


def test_the_store_follows_the_channel(page):
    state = page.evaluate("""async () => {
        const { reduce, initialRoom } = await import('/modules/store.js');
        const events = [
            { type: 'snapshot', sequence: 4, meeting: { id: 'm', state: 'running' }, participants: [{ id: 'a', name: 'A' }], speaker: 'a' },
            { type: 'participant.joined', participant: { id: 'b', name: 'B' } },
            { type: 'participant.changed', participant: { id: 'a', name: 'A2' } },
            { type: 'speaker.changed', participantId: 'b' },
            { type: 'something.new', participantId: 'b' },
            { type: 'participant.left', participantId: 'b', reason: 'left' },
        ];
        return events.reduce(reduce, initialRoom);
    }""")
    assert state["participants"] == [{"id": "a", "name": "A2"}]
    assert state["speaker"] is None and state["meeting"]["state"] == "running"


def test_the_store_takes_tables_of_figures_and_the_short_list_of_a_large_meeting(page):
    state = page.evaluate("""async () => {
        const { reduce, initialRoom } = await import('/modules/store.js');
        const [a, b, c] = ['01935b0e-0000-7000-8000-000000000001', '01935b0e-0001-7000-8000-000000000002', '01935b0e-0002-7000-8000-000000000003'];
        const events = [
            {
                type: 'snapshot', sequence: 4, meeting: { id: 'm', state: 'running', participantCount: 3 }, speaker: a,
                participants: [{ id: a, name: 'Chủ tọa', role: 'chair', audio: { sending: true, muted: false, mutedBy: null } }],
                roster: [{ id: a, name: 'Chủ tọa', role: 'chair' }, { id: b, name: 'Lai Châu', site: '12', muted: 'chair' }],
            },
            { type: 'participants.read', participants: [{ id: b, name: 'cũ' }, { id: c, name: 'Sơn La' }] },
            { type: 'figures', columns: ['id', 'level', 'speaking', 'audio', 'video'], rows: [[a, -20, true, true, false]] },
            { type: 'figures', columns: ['id', 'tier', 'lossUp', 'lossDown', 'jitterMs', 'roundTripMs', 'quality'], rows: [[b, 'low', 0.1, 0, 3, 12, 'fair'], ['x', 'low', 0, 0, 0, null, 'good']] },
        ];
        return events.reduce(reduce, initialRoom).participants;
    }""")
    chair, site, read = state
    assert chair["audio"] == {"sending": True, "muted": False, "mutedBy": None, "level": -20} and chair["speaking"] and not chair["video"]["sending"]
    assert site["audio"] == {"muted": True, "mutedBy": "chair"} and site["site"]["code"] == "12" and site["joinedAt"].startswith("2024-11-2")
    assert {name: value for name, value in site["line"].items() if value is not None} == {"lossUp": 0.1, "lossDown": 0, "jitterMs": 3, "roundTripMs": 12, "quality": "fair"} and site["tier"] == "low"
    assert read["name"] == "Sơn La" and len(state) == 3


def test_an_unknown_event_changes_nothing_and_wakes_no_view(page):
    assert page.evaluate("""async () => {
        const { reduce, initialRoom, makeStore } = await import('/modules/store.js');
        const store = makeStore(reduce, initialRoom);
        let count = 0;
        store.subscribe(() => (count += 1));
        store.dispatch({ type: 'something.new' });
        return count;
    }""") == 1


FAKE_SOCKET = """
class FakeSocket {
    static OPEN = 1;
    static all = [];
    readyState = 1;
    sent = [];
    constructor(address, subprotocol) { this.address = String(address); this.subprotocol = subprotocol; FakeSocket.all.push(this); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close(code) { this.readyState = 3; this.onclose?.({ code }); }
    say(event) { this.onmessage({ data: JSON.stringify(event) }); }
}
window.WebSocket = FakeSocket;
"""


def test_a_channel_that_comes_back_asks_for_what_it_missed(page):
    result = page.evaluate("async () => {" + FAKE_SOCKET + """
        const { Channel } = await import('/modules/channel.js');
        const states = [], events = [];
        const channel = new Channel('m 1', (event) => events.push(event.type), (state) => states.push(state));
        channel.open();
        const [first] = FakeSocket.all;
        first.onopen();
        first.say({ type: 'snapshot', sequence: 7 });
        first.say({ type: 'notice', sequence: 8 });
        first.close();
        channel.hurry();
        const second = FakeSocket.all[1];
        second.say({ type: 'notice', sequence: 9 });
        second.say({ type: 'notice', sequence: 11 });
        channel.hurry();
        channel.close();
        return { addresses: FakeSocket.all.map((one) => one.address), subprotocol: first.subprotocol, states, events };
    }""")
    base = "ws://localhost:1/api/v1/meetings/m%201/events"
    assert result["addresses"] == [base, f"{base}?after=8", base], "after a gap it wants a snapshot"
    assert result["subprotocol"] == "nhipcau.v1"
    assert result["events"] == ["snapshot", "notice", "notice"]
    assert result["states"] == ["connecting", "open", "waiting", "connecting", "waiting", "connecting"]


def test_a_command_is_answered_refused_or_lost(page):
    assert page.evaluate("async () => {" + FAKE_SOCKET + """
        const { Channel } = await import('/modules/channel.js');
        const channel = new Channel('m', () => {}, () => {});
        channel.open();
        const [socket] = FakeSocket.all;
        const outcome = (promise) => promise.then(() => 'taken', (problem) => problem.words?.key ?? problem.words);
        const all = ['mute', 'layout', 'lock'].map((type) => outcome(channel.command(type)));
        socket.say({ reply: socket.sent[0].id });
        socket.say({ reply: socket.sent[1].id, problem: { status: 403, type: 'x', title: 'no', detail: 'Chỉ chủ tọa.' } });
        socket.close();
        all.push(outcome(channel.command('lock')));
        channel.close();
        return Promise.all(all);
    }""") == ["taken", "Chỉ chủ tọa.", "problem.network", "problem.network"]


def test_an_ice_restart_travels_as_a_fragment_and_keeps_the_rest_of_the_answer(page):
    result = page.evaluate("""async () => {
        const { fragmentOf, answerAfterRestart } = await import('/modules/sdp.js');
        const media = (mid) => [`m=${mid ? 'video' : 'audio'} 9 UDP/TLS/RTP/SAVPF 96`, 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:old', 'a=ice-pwd:oldpassword',
            `a=candidate:1 1 udp 1 10.0.0.${mid + 1} 5000 typ host`, `a=mid:${mid}`];
        const description = ['v=0', ...media(0), ...media(1)].join('\\r\\n') + '\\r\\n';
        const fragment = ['a=ice-ufrag:new', 'a=ice-pwd:newpassword', 'm=audio 9 RTP/AVP 0', 'a=mid:0',
            'a=candidate:9 1 udp 1 10.9.9.9 5000 typ host'].join('\\r\\n');
        return [fragmentOf(description), answerAfterRestart(description, fragment), answerAfterRestart(description, '') === description];
    }""")
    sent, answer, unchanged = result
    assert sent.split("\r\n") == [
        "a=ice-ufrag:old", "a=ice-pwd:oldpassword", "m=audio 9 UDP/TLS/RTP/SAVPF 96", "a=mid:0", "a=candidate:1 1 udp 1 10.0.0.1 5000 typ host", "",
    ]
    assert answer.count("a=ice-ufrag:new\r\n") == 2 and "old" not in answer
    assert answer.count("a=candidate:") == 1 and "10.9.9.9" in answer
    assert answer.index("c=IN") < answer.index("a=candidate:") < answer.index("a=mid:0")
    assert unchanged


def test_waiting_grows_and_is_bounded(page):
    waits = page.evaluate("""async () => {
        const { Backoff } = await import('/modules/backoff.js');
        const backoff = new Backoff();
        return Array.from({ length: 40 }, () => backoff.next());
    }""")
    assert 750 <= waits[0] <= 1250 and waits[2] > waits[0]
    assert max(waits) <= 15_000 * 1.25 and min(waits[5:]) >= 15_000 * 0.75


def test_silence_is_counted_from_the_last_packet_and_ends_with_the_next(page):
    assert page.evaluate("""async () => {
        const { Silence } = await import('/modules/line.js');
        const silence = new Silence();
        return [[0, 10], [500, 35], [1000, 35], [2000, 35], [2500, 36], [3000, 36], [3500, 2]].map(([at, arrived]) => silence.note({ at, arrived }));
    }""") == [0, 0, 500, 1500, 0, 500, 0], "counts that begin anew are packets too"


READING = "{ at: 0, arrived: 0, received: 0, lost: 0, sent: 0, lostUp: 0, bytesDown: 0, bytesUp: 0, jitter: 0.004, roundTrip: 0.02, outgoing: 3e5, width: 1280, height: 720, frames: 0, protocol: 'udp' }"


def test_figures_are_of_the_last_seconds_and_unknown_where_nothing_is_known(page):
    first, last, none, late = page.evaluate("async () => {" + f"const reading = {READING};" + """
        const { LineFigures } = await import('/modules/line.js');
        const figures = new LineFigures();
        const first = figures.note(reading);
        let last, late;
        // A hundred packets a second each way; a tenth is lost up to the tenth second, then nothing.
        for (let second = 1; second <= 20; second += 1) {
            const lost = 10 * Math.min(second, 10);
            last = figures.note({ ...reading, at: second * 1000, received: 100 * second - lost, lost, sent: 100 * second, lostUp: lost, bytesDown: 125_000 * second, frames: 25 * second });
            if (second === 10) late = last;
        }
        const none = new LineFigures().note({ ...reading, lostUp: null, roundTrip: null, jitter: null, height: null });
        return [first, last, none, late];
    }""")
    assert first["lossUp"] is None and first["down"] is None and first["roundTripMs"] == 20
    assert abs(late["lossUp"] - 0.1) < 0.001 and abs(late["lossDown"] - 0.1) < 0.001
    assert last["lossUp"] == 0 and last["lossDown"] == 0 and last["down"] == 1_000_000 and last["up"] == 0
    assert last["picture"] == {"width": 1280, "height": 720, "perSecond": 25}
    assert [none[name] for name in ("lossUp", "roundTripMs", "jitterMs", "picture")] == [None] * 4


def test_bars_follow_loss_and_delay_and_are_none_before_anything_is_known(page):
    assert page.evaluate("""async () => {
        const { barsOf } = await import('/modules/line.js');
        const line = (loss, roundTripMs, jitterMs = 2) => barsOf({ lossUp: loss, lossDown: 0, jitterMs, roundTripMs });
        return [line(0, 2), line(0, 200), line(0.03, 30), line(0.06, 30), line(0.2, 30), line(0, 600), line(0, null), barsOf({ lossUp: null, lossDown: null, jitterMs: null, roundTripMs: 4 })];
    }""") == [4, 4, 3, 2, 1, 2, None, None]


def test_a_thin_way_up_is_told_once_and_offered_again_after_longer_and_longer_calm(page):
    told = page.evaluate("""async () => {
        const { ThinLine } = await import('/modules/line.js');
        const line = new ThinLine();
        const told = [];
        let at = 0;
        const pass = (seconds, figures, isSending) => {
            for (let step = 0; step < 2 * seconds; step += 1, at += 500) {
                const verdict = line.note(at, { outgoing: 3e6, lossUp: 0, roundTripMs: 30, ...figures }, isSending);
                if (verdict) told.push([at / 1000, verdict]);
            }
        };
        pass(20, {}, true);                          // fine
        pass(3, { outgoing: 60_000 }, true);         // a dip
        pass(2, {}, true);
        pass(10, { outgoing: 60_000 }, false);       // nobody sees it, so the server asks for little
        pass(7, { outgoing: 60_000 }, true);         // wanted again: it takes time to rise
        pass(5, {}, true);
        pass(10, { outgoing: 60_000 }, true);        // thin for good, from 47 s
        pass(20, { lossUp: 0.2 }, false);            // off, and still no better
        pass(20, {}, false);                         // calm from 77 s
        line.decided();
        pass(30, { outgoing: null, lossUp: 0.5 }, true);  // it was too early, a browser without an estimate; loss is told late
        pass(25, {}, false);
        line.decided();
        pass(20, {}, true);
        pass(9, { lossUp: 0.6 }, true);              // an outage is behind it
        pass(1, {}, true);
        pass(3, { outgoing: 30_000 }, true);
        line.interrupted();                          // another
        pass(11, { outgoing: 30_000, lossUp: 0.6 }, true);
        pass(20, {}, true);
        return told;
    }""")
    assert told == [[51, "thin"], [87, "better"], [115, "thin"], [147, "better"]], told


def test_a_line_that_drowns_is_told_within_seconds_and_sound_takes_less_until_it_is_calm(page):
    told = page.evaluate("""async () => {
        const { ThinLine } = await import('/modules/line.js');
        const [told, sound] = [[], []];
        let at = 0;
        let line = new ThinLine();
        const pass = (seconds, figures, isSending) => {
            for (let step = 0; step < 2 * seconds; step += 1, at += 500) {
                const verdict = line.note(at, { outgoing: 3e6, lossUp: 0, roundTripMs: 30, ...figures }, isSending);
                if (verdict) told.push([at / 1000, verdict]);
                if (line.isSoundThin !== (sound.at(-1)?.[1] ?? false)) sound.push([at / 1000, line.isSoundThin]);
            }
        };
        pass(2, {}, true);
        pass(4, { lossUp: 0.5, roundTripMs: 340 }, true);
        pass(5, { lossUp: 0.3, roundTripMs: 60 }, false);   // the figure of loss looks back
        pass(20, {}, false);                                // calm from 10 s
        pass(10, { lossUp: 0.1, roundTripMs: 300 }, false); // sound alone is too much: from 30 s
        pass(60, {}, false);                                // calm from 40 s, twice as long
        line = new ThinLine();
        pass(10, { lossUp: 0.3 }, false);                   // a line that loses is not a thin one
        pass(10, { roundTripMs: 700 }, false);              // nor one that is long
        return { told, sound };
    }""")
    assert told == {"told": [[2.5, "thin"], [21, "better"]], "sound": [[2.5, True], [21, False], [34, True], [61, False]]}, told


def test_a_page_that_is_not_secure_says_how_to_get_the_microphone(chromium):
    browser = chromium()
    meeting = {"id": "m", "title": "Giao ban", "state": "running", "startsAt": "2026-11-23T01:00:00Z", "durationMinutes": 60, "layout": "grid"}
    api = {
        "/api/v1/session": (200, {"user": {"id": "1", "name": "Hoa", "role": "operator"}}),
        "/api/v1/meetings/m": (200, meeting),
        "/api/v1/sites": (200, {"items": [{"code": "02", "name": "Hà Giang"}]}),
    }
    serve(browser, "http://hop.example", api)
    browser.goto("http://hop.example/meetings/m")
    browser.page.wait_for_selector(".note")
    assert "https://hop.example" in browser.page.text_content(".note")
    assert browser.page.is_visible("#join") and browser.page.is_disabled("#device-audio")


def test_a_long_list_is_read_page_by_page_and_no_longer_than_it_is(page):
    assert page.evaluate("""async () => {
        const asked = [];
        const real = window.fetch;
        window.fetch = async (address, options) => {
            // The page that stands behind asks too, whenever it gets to it.
            if (!new URL(address, location.href).pathname.endsWith('/sites')) return real(address, options);
            const query = new URL(address, location.href).searchParams;
            asked.push(query.get('after'));
            const first = query.get('after') === null ? 0 : Number(query.get('after')) + 1;
            const items = Array.from({ length: Math.min(Number(query.get('limit')), 250 - first) }, (_, place) => ({ code: String(first + place) }));
            return new Response(JSON.stringify({ items }), { headers: { 'Content-Type': 'application/json' } });
        };
        const { sites } = await import('/modules/api.js');
        return [(await sites()).length, asked];
    }""") == [250, [None, "99", "199"]]

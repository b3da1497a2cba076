"""The rig of bad lines measures others, so it is measured itself: what one direction does in a time of its own, the relay over sockets, and one meeting."""

import contextlib
import itertools
import os
import select
import socket
import struct
import threading
import time

import numpy
import pytest
from lines import clip, picture, sound, told
from lines.headless import HeadlessCell
from lines.named import LINES, Bounds, Line
from lines.verdict import Verdict
from support.impairment import Way
from support.relay import RelayProcess


def course(way, packets, every=0.02, size=100):
    """Each packet's fate and the times at which it comes out, for packets that come in at `every` seconds."""
    way.mark(0.0)
    return [way.offer(number * every, size) for number in range(packets)]


def runs(fates):
    return [len(list(group)) for fate, group in itertools.groupby(fates) if fate == "lost"]


# One direction, in a time of its own


@pytest.mark.parametrize("loss, burst", [(0.02, 1), (0.05, 1), (0.1, 1), (0.3, 1), (0.1, 3), (0.2, 3), (0.2, 8)])
def test_loss_and_its_bursts_have_the_means_that_were_asked_for(loss, burst):
    shares, means = [], []
    for seed in range(5):
        fates = [fate for _, fate, _ in course(Way(seed, loss=loss, burst=burst), 20_000)]
        shares.append(fates.count("lost") / len(fates))
        means.append(numpy.mean(runs(fates)))
    assert abs(numpy.mean(shares) - loss) < 0.06 * loss + 0.002, shares
    # Losses each by themselves come two in a row as well, by chance.
    expected = burst if burst > 1 else 1 / (1 - loss)
    assert abs(numpy.mean(means) - expected) < 0.06 * expected, means


def test_a_seed_gives_one_course_and_another_gives_another():
    def fates(seed):
        return course(Way(seed, loss=0.2, burst=3, jitter=30, duplicate=0.1), 2_000)

    assert fates(1) == fates(1) != fates(2)


def test_jitter_keeps_the_order_or_breaks_it_as_it_was_asked_to_and_has_its_mean():
    for reorder in (False, True):
        out = [due[0] for due, _, _ in course(Way(3, delay=40, jitter=30, reorder=reorder), 20_000)]
        late = numpy.array(out) - numpy.arange(20_000) * 0.02 - 0.04
        assert (numpy.diff(out) < 0).any() == reorder
        assert late.min() > -1e-9 and late.max() < 0.0601 and abs(late.mean() - 0.03) < 0.003, (reorder, late.mean())


def test_a_storm_of_jitter_ends():
    out = [(due[0] - number * 0.02) * 1000 for number, (due, _, _) in enumerate(course(Way(5, storm=[10, 10, 250]), 1_500))]
    assert max(out[:500]) < 1e-6 and 350 < max(out[500:1000]) < 501 and max(out[1026:]) < 1e-6


def test_a_rate_with_its_queue_lets_through_what_it_can_and_drops_the_rest():
    # 100 packets/s of 228 bytes with headers are 182.4 kbit/s; the line has 128.
    way = Way(1, rate=128_000, queue=300)
    went = course(way, 2_000, every=0.01, size=200)
    assert abs(sum(fate == "through" for _, fate, _ in went) * 228 * 8 / 20 / 128_000 - 1) < 0.02
    waits = [waited * 1000 for _, fate, waited in went[200:] if fate == "through"]
    assert 280 < numpy.median(waits) <= max(waits) <= 300
    out = [due[0] for due, _, _ in went if due]
    assert numpy.allclose(numpy.diff(out)[200:], 228 * 8 / 128_000)
    # Under its rate nobody waits.
    assert max(waited for _, _, waited in course(Way(1, rate=200_000), 2_000, every=0.01, size=200)) == 0


def test_a_rate_that_changes_is_followed_to_the_bit():
    way = Way(1, rates=[[0, 1_000_000], [10, 200_000], [40, 1_000_000]], queue=300)
    out = [due[0] for due, _, _ in course(way, 50_000, every=0.001, size=972) if due]
    for since, until, rate in ((1, 10, 1_000_000), (11, 40, 200_000), (41, 50, 1_000_000)):
        passed = sum(since <= at < until for at in out) * 8_000 / (until - since)
        assert abs(passed / rate - 1) < 0.02, (since, passed)
    assert [way.rate(at) for at in (0, 9.9, 10, 39, 41)] == [1_000_000, 1_000_000, 200_000, 200_000, 1_000_000]


def test_losses_end_when_they_should():
    fates = [fate for _, fate, _ in course(Way(1, loss=0.3, until=10), 1_000)]
    assert 110 < fates[:500].count("lost") < 190 and fates[500:].count("lost") == 0


def test_an_outage_takes_everything_and_nothing_else_and_doubling_doubles():
    fates = [fate for _, fate, _ in course(Way(1, outage=[4, 8]), 1_000)]
    assert fates == ["through"] * 200 + ["cut"] * 400 + ["through"] * 400
    doubled = sum(len(due) == 2 for due, _, _ in course(Way(1, duplicate=0.05), 20_000))
    assert 900 < doubled < 1_100


@pytest.mark.parametrize("said", [{"los": 0.1}, {"loss": 1.5}, {"burst": 0}, {"delay": -1}, {"rate": -5}, {"rates": [[0, 0]]}])
def test_a_shape_that_makes_no_sense_is_refused(said):
    with pytest.raises(ValueError):
        Way(1, **said)


# The relay over sockets


@contextlib.contextmanager
def ends(**words):
    """A relay, a client's socket that is connected to it, and the socket of a server behind it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for one in (server, client):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            one.bind(("127.0.0.1", 0))
            one.settimeout(5)
        with RelayProcess(target=server.getsockname(), **words) as relay:
            client.connect(("127.0.0.1", relay.port))
            yield relay, client, server


def carried(sender, source, packets, every, size=100, quiet=0.4):
    """Sends so many, paced by the clock and not by sleeps, so that a late one does not make all others late. Returns the numbers that come until
    `quiet` seconds have brought nothing, and the ms that they were on the way."""

    def send():
        start = time.monotonic()
        for number in range(packets):
            time.sleep(max(0, start + number * every - time.monotonic()))
            sender.send(struct.pack("!Id", number, time.monotonic()).ljust(size, b"\0"))

    sending = threading.Thread(target=send)
    sending.start()
    numbers, delays = [], []
    while select.select([source], [], [], quiet)[0]:
        number, sent = struct.unpack_from("!Id", source.recv(2048))
        numbers.append(number)
        delays.append((time.monotonic() - sent) * 1000)
    sending.join()
    return numbers, delays


def test_both_directions_are_relayed_each_with_its_own_shape():
    with ends(up={"delay": 60}, down={"delay": 10}) as (relay, client, server):
        numbers, delays = carried(client, server, 100, 0.005)
        assert numbers == list(range(100))
        # The relay is never early; how late this process reads is the machine's.
        assert 59.9 < min(delays) < 66 and 59.9 < relay.counts()["up"]["delay"][0] < 66, (min(delays), relay.counts()["up"])
        client.send(b"hello")
        _, address = server.recvfrom(100)
        server.connect(address)
        numbers, delays = carried(server, client, 50, 0.005)
        assert numbers == list(range(50)) and 9.9 < min(delays) < 16
        counts = relay.counts()
        assert counts["up"]["through"] == 101 and counts["down"]["through"] == 50 and counts["clients"] == 1
        assert counts["up"]["offered"] == 100 * 128 + 33


def test_loss_over_sockets_is_the_seed_s_course_packet_by_packet():
    with ends(up={"loss": 0.1, "burst": 3}, seed=7) as (relay, client, server):
        numbers, _ = carried(client, server, 1_000, 0.001)
        way = Way("7 up", loss=0.1, burst=3)
        assert numbers == [number for number in range(1_000) if way.offer(0, 100)[1] == "through"]
        counts = relay.counts()["up"]
        assert counts["lost"] == 1_000 - len(numbers) and counts["through"] == len(numbers)


def test_reordering_and_doubling_over_sockets():
    with ends(up={"jitter": 20, "reorder": True, "duplicate": 0.2}) as (relay, client, server):
        numbers, _ = carried(client, server, 500, 0.002)
        assert set(numbers) == set(range(500)) and numbers != sorted(numbers)
        assert 60 < len(numbers) - 500 == relay.counts()["up"]["doubled"] < 140


def test_a_thin_line_over_sockets_counts_offered_through_dropped_and_the_queue():
    with ends(up={"rate": 256_000, "queue": 300}) as (relay, client, server):
        relay.mark()
        # 512 kbit/s with headers for 2 s.
        numbers, _ = carried(client, server, 1_000, 0.002)
        counts = relay.counts()["up"]
    assert counts["offered"] == 128_000 and counts["passed"] == len(numbers) * 128
    # Two seconds' worth and what stood in the queue.
    assert 0.9 < counts["passed"] * 8 / (256_000 * 2.3) < 1.05 and counts["dropped"] == 1_000 - len(numbers)
    assert 150 < counts["queue"][0] <= 300 and 290 < counts["queue"][1] <= 300
    assert sum(row["offered"] for row in counts["seconds"]) == counts["offered"]


def test_a_new_mapping_is_a_new_port_and_the_old_one_is_dead():
    with ends() as (relay, client, server):
        client.send(b"one")
        _, old = server.recvfrom(100)
        relay.rebind()
        server.sendto(b"by the old way", old)
        client.send(b"two")
        _, new = server.recvfrom(100)
        server.sendto(b"by the new way", new)
        assert old[1] != new[1] and client.recv(100) == b"by the new way"


def test_each_address_of_a_client_has_a_way_of_its_own():
    with ends() as (relay, client, server), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(5)
        other.connect(("127.0.0.1", relay.port))
        for one, word in ((client, b"one"), (other, b"other")):
            one.send(word)
            said, address = server.recvfrom(100)
            server.sendto(b"to " + said, address)
        assert client.recv(100) == b"to one" and other.recv(100) == b"to other" and relay.counts()["clients"] == 2


def test_what_blocks_blocks_and_lets_go():
    with ends() as (relay, client, server):
        relay.change(up={"blocked": True})
        client.send(b"nothing")
        assert not select.select([server], [], [], 0.2)[0]
        relay.change(up={})
        client.send(b"something")
        assert server.recv(100) == b"something" and relay.counts()["up"]["cut"] == 1


def test_tcp_is_passed_on_where_udp_is_blocked_and_an_outage_holds_it():
    with socket.create_server(("127.0.0.1", 0)) as server, RelayProcess(target=server.getsockname(), up={"blocked": True}, tcp=True) as relay:
        with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
            behind, _ = server.accept()
            with behind:
                behind.settimeout(5)
                relay.change(up={"blocked": True, "outage": [0, 0.6]})
                relay.mark()
                began = time.monotonic()
                client.sendall(b"x" * 300_000)
                client.shutdown(socket.SHUT_WR)
                got = b"".join(iter(lambda: behind.recv(65_536), b""))
                assert len(got) == 300_000 and time.monotonic() - began > 0.55
                behind.sendall(b"answer")
                assert client.recv(100) == b"answer"


def test_the_jitter_of_sound_is_told_as_a_receiver_would_measure_it():
    with ends(up={"jitter": 45, "reorder": True}) as (relay, client, server):
        expected, transit = [], None
        for number in range(400):
            client.send(struct.pack("!BBHII", 0x80, 111, number, 480 * number, 5) + struct.pack("!Id", number, time.monotonic()))
            while select.select([server], [], [], 0.01)[0]:
                timestamp = struct.unpack_from("!I", server.recv(100), 4)[0]
                moment = time.monotonic() - timestamp / 48_000
                expected.append(0 if transit is None else (expected[-1] + (abs(moment - transit) - expected[-1]) / 16))
                transit = moment
        (sound,) = relay.counts()["up"]["streams"]
        assert sound["type"] == 111 and abs(sound["jitter"] / 1000 / numpy.mean(expected[1:]) - 1) < 0.2, (sound, numpy.mean(expected))


# What judges


def babble(seconds=14, seed=1):
    """As speech is to the judge: noise in syllables and pauses, at 16 kHz."""
    draw = numpy.random.default_rng(seed)
    noise = numpy.convolve(draw.normal(0, 1, seconds * sound.RATE), numpy.ones(6) / 6, "same")
    loud = numpy.repeat(draw.choice([0.003, 0.1, 0.2, 0.3], seconds * 8, p=[0.2, 0.2, 0.3, 0.3]), sound.RATE // 8)
    return noise * numpy.convolve(loud, numpy.ones(400) / 400, "same")


def at(samples, start=1_000_000.0):
    return sound.Sound(samples, start + numpy.arange(len(samples) // sound.FRAME) * 10.0)


def ms(count):
    return count * sound.RATE // 1000


@pytest.fixture
def plain(monkeypatch):
    """Without STOI, whose package only `make lines` installs."""
    monkeypatch.setattr(sound, "understood", lambda said, heard: {"stoi": None, "estoi": None})


def test_a_delay_that_grows_and_a_hole_are_measured(plain):
    said = babble()
    late, later = numpy.zeros(ms(120)), numpy.zeros(ms(80))
    heard = numpy.concatenate([late, said[: ms(7_000)], later, said[ms(7_000):]])
    heard[ms(4_120): ms(4_420)] = 0
    told = sound.judge(at(said), at(heard), 1_000_000 + 500, 1_000_000 + 14_000)
    assert abs(told["grows"] - 80) < 3 and 118 < told["ear"] < 202 and abs(told["ear95"] - 200) < 3, told
    spoken = sound.speaking(said[ms(500): ms(12_000)])
    missing = sound.speaking(said)[400:430].sum()
    assert abs(told["holes"] - 100 * (missing + 4) / spoken.sum()) < 2.0, (told["holes"], missing)
    assert told["gap"] >= 200 and told["disturbed"] == 0
    clean = sound.judge(at(said), at(numpy.concatenate([late, said])), 1_000_500, 1_014_000)
    assert clean["holes"] == 0 and abs(clean["ear"] - 120) < 1 and abs(clean["grows"]) < 1


def test_nothing_heard_is_a_hole_and_what_was_not_said_is_not_understood(plain):
    said = babble()
    for heard in (numpy.zeros(len(said)), babble(seed=2)):
        told = sound.judge(at(said), at(heard), 1_000_500, 1_014_000)
        assert told["stoi"] == 0 and told["holes"] == 100 and told["ear"] is None, told


def test_a_lag_that_nothing_near_it_bears_out_is_left_out_and_a_jump_that_lasts_is_kept():
    places = numpy.arange(20) * sound.HOP
    found = numpy.where(numpy.arange(20) < 10, 1_600, 4_800)
    found[5], found[14] = 30_000, 1_600
    kept, lags = sound.supported(places, found)
    assert len(kept) == 18 and places[5] not in kept and places[14] not in kept and set(lags) == {1_600, 4_800}


def test_a_loop_is_found_where_it_was_heard(plain):
    said, heard = babble(), numpy.roll(babble(), -ms(5_230))
    told = sound.judge(sound.Sound(said, None), at(heard), 1_000_000, 1_014_000)
    assert told["holes"] < 1 and told["segments"] > 60 and told["ear"] is None


def test_what_comes_back_after_trouble_is_timed(plain):
    said = babble(20)
    heard = numpy.concatenate([numpy.zeros(ms(100)), said])
    heard[ms(6_000): ms(10_400)] = 0
    told = sound.judge(at(said), at(heard), 1_000_000, 1_020_000, trouble=(1_006_000, 1_010_000))
    # Unless the speaker pauses, what was silenced until 0.4 s after the trouble is back then.
    assert 0.3 < told["sound_back"] < 0.8 and told["delay_back"] == 0 and told["holes"] > 15 and told["silent"] > 3_000, told
    blind = sound.judge(at(said), at(heard), 1_000_000, 1_020_000, trouble=(1_006_000, 1_010_000), blind=(1_005_900, 1_010_500))
    assert blind["holes"] < 1 and blind["gap"] < 100 and blind["silent"] == told["silent"], blind
    heard[ms(6_000):] = 0
    gone = sound.judge(at(said), at(heard), 1_000_000, 1_020_000, trouble=(1_006_000, 1_010_000))
    assert gone["sound_back"] is None and gone["holes"] > 60, gone


def test_blocks_that_are_handed_over_late_do_not_make_the_sound_late():
    stamps = [[5_000 + 10 * (n + 1) + (30 if n % 7 == 3 else 0), 1000 * (10 * n + (4 if n % 2 else 0)), 480, 48_000] for n in range(300)]
    made = sound.recorded(numpy.zeros(300 * 480, "<i2").tobytes(), stamps)
    lead = made.times - numpy.arange(300) * 10.0
    # The promptest block of a clock that is 5,006 ms behind ours says where it stands.
    assert len(made.samples) == 300 * 160 and numpy.allclose(lead, 5_006) and sound.clock_steps(made) == 0
    # A clock that stands still for 60 ms is a disturbed one.
    for stamp in stamps[150:]:
        stamp[0], stamp[1] = stamp[0] + 60, stamp[1] + 60_000
    assert sound.clock_steps(sound.recorded(numpy.zeros(300 * 480, "<i2").tobytes(), stamps)) >= 45


def test_pictures_are_counted_once_and_freezes_have_their_cards():
    painted = [40.0 * number for number in range(6_000)]
    # Each comes twice, 50 ms late; between 4 and 7 s none, with a card from 6 s on.
    seen = [[40.0 * n + 50, n % picture.NUMBERS, 360] for n in range(5_000) for _ in range(2) if not 4_000 <= 40 * n < 7_000]
    seen += [[at, -1, 360] for at in range(6_000, 7_000, 40)]
    told = picture.judge(painted, sorted(seen), 1_000, 180_000, trouble=(4_000, 7_000))
    assert abs(told["pictures"] - 25 * 176 / 179) < 0.05 and told["eye"] == 50 and told["freezes"] == 1, told
    assert 3.0 < told["frozen"] < 3.1 and 1.9 < told["uncovered"] < 2.05 and abs(told["picture_back"] - 0.05) < 0.01, told


def test_a_clip_has_a_number_on_each_picture():
    backdrop = clip.room(320, 180)
    for number in (0, 1, 170, 249):
        plane = clip.picture(number, 320, 180, backdrop)
        step = (int(320 * clip.WIDTH / clip.COLUMNS), int(180 * clip.HEIGHT / clip.ROWS))
        bits = [
            int(plane[int(180 * clip.TOP) + step[1] * row + step[1] // 2, int(320 * clip.LEFT) + step[0] * column + step[0] // 2] > 128)
            for row in range(clip.ROWS) for column in range(clip.COLUMNS)
        ]
        assert bits == clip.cells(number) and sum(bit << place for place, bit in enumerate(bits[2:-1])) == number


def result(way="down", **changed):
    side = {"seconds": [{"second": second, "offered": 16_000, "waits": 20.0} for second in range(20)]}
    heard = {"stoi": 0.96, "ear": 100.0, "gap": 0.0} | changed.pop("sound", {})
    seen = {"freezes": 0, "frozen": 0.2, "uncovered": 0.2, "seconds": 20.0} | changed.pop("picture", {})
    return {"way": way, "connected": True, "sound": heard, "picture": seen, "tiers": ["medium"] * 20, "counts": {"up": side, "down": side}} | changed


@pytest.mark.parametrize(
    "bounds, shape, changed, missed",
    [
        (Bounds(stoi=0.95), {}, {}, []),
        (Bounds(stoi=0.97), {}, {}, ["STOI"]),
        (Bounds(stoi=0.97), {}, {"way": "direct"}, []),
        (Bounds(), {}, {"connected": False}, ["not connected"]),
        (Bounds(freezes=1), {}, {"picture": {"freezes": 2}}, ["freezes"]),
        (Bounds(frozen=2), {}, {"picture": {"uncovered": 2.4}}, ["without a card"]),
        (Bounds(tier=(10, "medium")), {}, {"tiers": ["low"] * 9 + ["medium"] * 11}, []),
        (Bounds(tier=(5, "medium")), {}, {"tiers": ["medium"] * 19 + ["low"]}, ["tier low"]),
        (Bounds(tier=(5, "sound")), {}, {"tiers": [None] * 20}, ["tier None"]),
        # 128 kbit/s are offered.
        (Bounds(offered=1.1, queue=100), {"rate": 120_000}, {}, []),
        (Bounds(offered=1.1, queue=10), {"rate": 100_000}, {}, ["offered", "queue"]),
        (Bounds(gap=200), {}, {"sound": {"gap": 210.0}}, ["without speech"]),
        (Bounds(sound_back=1, picture_back=2), {}, {"sound": {"sound_back": 0.4}, "picture": {"picture_back": None}}, ["never s until the picture"]),
        (Bounds(sound_back=1), {}, {"sound": {"sound_back": None}}, ["never s until sound"]),
        (Bounds(lost=0.005), {}, {"told": [{"lossDown": 0.002}, None, {"lossDown": 0.02}]}, ["told to be lost"]),
        (
            Bounds(tier_down=2, tier_up=5), {"rates": [[0, 1e6], [4, 2e5], [12, 1e6]]},
            {"tiers": ["medium"] * 5 + ["low"] * 9 + ["medium"] * 6}, [],
        ),
        (
            Bounds(tier_down=2, tier_up=5), {"rates": [[0, 1e6], [4, 2e5], [12, 1e6]]},
            {"tiers": ["medium"] * 8 + ["low"] * 12}, ["tier down after 5", "tier up after None"],
        ),
    ],
)
def test_figures_are_met_or_missed(bounds, shape, changed, missed):
    verdict = Verdict(result(**changed), Line("line", "", shape, bounds))
    assert len(verdict.missed) == len(missed) and all(part in words for part, words in zip(missed, verdict.missed)), verdict.missed


def test_what_is_below_the_direct_link_is_missed():
    line = Line("line", "", {}, Bounds(below_direct=0.02, added=80))
    direct = result(way="direct", sound={"stoi": 0.99, "ear": 10.0})
    assert len(Verdict(result(), line, direct).missed) == 2
    assert not Verdict(result(sound={"stoi": 0.975, "ear": 85.0}), line, direct).missed


# One meeting


def test_what_an_endpoint_behind_a_bad_line_misses_is_what_the_line_lost():
    came = HeadlessCell(None, LINES["loss10"], "endpoint-down", seconds=8).run()
    side, report = came["counts"]["down"], came["report"]
    # Opus by itself, and, once the server knows what is lost, in RED.
    sound = [stream for stream in side["streams"] if stream["type"] in (111, 63)]
    lost, through = (sum(stream.get(fate, 0) for stream in sound) for fate in ("lost", "through"))
    assert came["connected"] and 300 < through + lost and 0.05 < lost / (through + lost) < 0.16, sound
    # Counted from the mark here, from joining to leaving there: a second or two more, and so a tenth of their packets.
    assert lost - 3 <= report["sound"]["lost"] <= lost + 45, (lost, report["sound"])
    assert report["sound"]["latencyMilliseconds"]["count"] >= 5 and report["picture"]["frames"] > 80
    assert len(came["tiers"]) == 8 and came["tiers"][-1] is not None


# What is put in beside what is told


def test_a_wrong_word_about_a_line_is_found():
    (case,) = [one for one in told.CASES if one.name == "all"]
    true = {"lossUp": 10.2, "lossDown": 9.7, "jitterUp": 29.0, "jitterDown": 31.0, "roundTrip": 401.0}

    def came(**wrong):
        return {"figures": {name: {"true": value, "server": wrong.get(name, value * 1.02), "endpoint": None} for name, value in true.items()}}

    assert not told.wrong(case, came())
    bad = {"lossUp": 11.5, "lossDown": 8.5, "jitterUp": 36.0, "jitterDown": None, "roundTrip": 380.0}
    assert [words.split(":")[0] for words in told.wrong(case, came(**bad))] == list(case.checked)


# The server does not tell all of it rightly yet: `make lines` and `make lines-told` ask for it, `make test` does not.
@pytest.mark.skipif(not os.environ.get("NHIPCAU_TOLD"), reason="`make lines-told` does it; NHIPCAU_TOLD=1 here: it takes four minutes")
@pytest.mark.parametrize("case", told.CASES, ids=lambda case: case.name)
def test_what_is_put_into_a_line_is_what_is_told_of_it(case):
    assert not told.wrong(case, told.run(case))

"""The rig of bad lines measures others, so it is measured itself: what one direction does in a time of its own, the relay over sockets, and one meeting."""

import contextlib
import itertools
import select
import socket
import struct
import threading
import time

import numpy
import pytest
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
        # The relay is never early, and late only where the machine is.
        assert 59.9 < min(delays) and numpy.median(delays) < 70, delays
        client.send(b"hello")
        _, address = server.recvfrom(100)
        server.connect(address)
        numbers, delays = carried(server, client, 50, 0.005)
        assert numbers == list(range(50)) and 9.9 < min(delays) and numpy.median(delays) < 20
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

"""A bad line of one's own: a UDP relay on loopback that stands between clients and a server and treats each direction as its shape says.

It is a process of one thread, so that neither a test nor a browser's driver delays a packet, and takes the kernel's time of arrival, so that a
packet leaves on time though the process was woken late. Each address of a client gets a socket of its own to the server, as a NAT has it.
TCP on the same number is passed on as it is, where that is wanted: without it nobody can leave a bad line for a good one."""

import gc
import heapq
import itertools
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

if __package__:
    from .impairment import HEADERS, Way
    from .passage import Passages
else:
    from impairment import HEADERS, Way
    from passage import Passages

#: Not in Python's socket module; Linux, both where it has 64-bit times.
SO_TIMESTAMPNS = 35
#: Datagrams taken from one socket before the others have their turn.
BATCH = 64
#: Clients' addresses that are remembered; a browser has a handful.
MOST_CLIENTS = 64
#: Clocks of what a relay sees inside SRTP, whose headers are plain: payload types of Chromium's and the endpoint's offers.
# Opus by itself, and in RED (RFC 2198), as browsers and the endpoint number them.
AUDIO_CLOCKS = {111: 48_000, 63: 48_000}


class Stream:
    """One SSRC in one direction: what came, what was lost of it, and the jitter of what left, RFC 3550 A.8."""

    def __init__(self, payload_type):
        self.clock = AUDIO_CLOCKS.get(payload_type)
        self.fates = Counter()
        self.bytes = 0
        self.jitter = 0.0
        self.total = self.count = 0
        self.transit = None

    def left(self, now, timestamp):
        if self.clock is None:
            return
        transit = now - timestamp / self.clock
        # An RTP timestamp that wraps is a jump of a day; it, and a pause's mark, are left out.
        if self.transit is not None and abs(transit - self.transit) < 60:
            self.jitter += (abs(transit - self.transit) - self.jitter) / 16
            self.total += self.jitter
            self.count += 1
        self.transit = transit


class Side:
    """What one direction did: sums, and a row for each second since the mark."""

    def __init__(self):
        self.fates = Counter()
        self.offered = self.through = 0
        self.waits = []
        self.delays = []
        self.streams = {}
        self.seconds = {}

    def second(self, number):
        if number not in self.seconds:
            self.seconds[number] = {"offered": 0, "through": 0, "lost": 0, "dropped": 0, "packets": 0, "waits": []}
        return self.seconds[number]

    def report(self):
        rows = [row | {"second": number, "waits": round(part(row["waits"], 0.5), 1)} for number, row in sorted(self.seconds.items())]
        streams = [
            {
                "ssrc": ssrc, "type": payload_type, "bytes": stream.bytes, **stream.fates,
                "jitter": stream.total / stream.count * 1000 if stream.count else None,
            }
            for (ssrc, payload_type), stream in self.streams.items()
        ]
        return {
            "packets": sum(self.fates.values()) - self.fates["doubled"], **{fate: self.fates[fate] for fate in ("through", "lost", "dropped", "cut", "doubled")},
            "offered": self.offered, "passed": self.through, "queue": [round(part(self.waits, share), 1) for share in (0.5, 0.95)],
            "delay": [round(part(self.delays, share), 2) for share in (0.5, 0.95)], "meanDelay": round(sum(self.delays) / max(1, len(self.delays)), 2),
            "seconds": rows, "streams": streams,
        }


def part(values, share):
    """A quantile; 0 of nothing."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class Client:
    """One address of a client, and the socket by which the server sees it."""

    def __init__(self, address):
        self.address = address
        self.upstream = None
        #: Beside the line: what it sends and gets is passed on at once and not counted.
        self.is_spared = False

    def renew(self):
        old, self.upstream = self.upstream, bound()
        return old


def both(port):
    """A UDP and a TCP socket on one number, as a server's media port has it."""
    for _ in range(50):
        datagrams = bound(port)
        try:
            return datagrams, socket.create_server(datagrams.getsockname(), backlog=16)
        except OSError:
            datagrams.close()
            if port:
                raise
    raise OSError("no port is free for UDP and TCP")


def bound(port=0):
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    opened.bind(("127.0.0.1", port))
    return opened


class Relay:
    """The loop. `ask` is what the other process says to it."""

    def __init__(self, port, target, up, down, seed, tcp):
        self.listener, connections = both(port) if tcp else (bound(port), None)
        self.port = self.listener.getsockname()[1]
        self.target = tuple(target) if target else None
        self.passages = Passages(connections, self.target)
        self.ways = {"up": Way(f"{seed} up", **up), "down": Way(f"{seed} down", **down)}
        self.sides = {"up": Side(), "down": Side()}
        self.clients = {}
        self.sockets = {}
        self.waiting = []
        self.order = itertools.count()
        self.marked = None
        self.lateness = []
        self.input = b""
        self.is_open = True

    def run(self):
        gc.disable()
        while self.is_open:
            self.send_due()
            now = time.monotonic()
            held = any(way.within(way.shape["outage"], now) for way in self.ways.values())
            timeout = max(0.0, self.waiting[0][0] - now) if self.waiting else None
            if held:
                timeout = 0.05 if timeout is None else min(timeout, 0.05)
            reading = [0, self.listener, *self.sockets, *self.passages.reading(held)]
            ready, writable, _ = select.select(reading, self.passages.writing(held), [], timeout)
            for one in ready:
                if one == 0:
                    self.read_orders()
                elif one is self.listener or one in self.sockets:
                    self.receive(one)
                else:
                    self.passages.read(one)
            for one in writable:
                self.passages.write(one)

    # Packets

    def receive(self, source):
        for _ in range(BATCH):
            try:
                data, notes, _, address = source.recvmsg(65_536, 64)
            except (BlockingIOError, ConnectionError):
                return
            now = arrival(notes)
            if source is self.listener:
                client = self.client(address)
                if client and self.target:
                    self.carry("up", now, data, client)
            else:
                self.carry("down", now, data, self.sockets[source])
            self.send_due()

    def client(self, address):
        if address not in self.clients:
            if len(self.clients) >= MOST_CLIENTS:
                return None
            client = self.clients[address] = Client(address)
            client.renew()
            self.sockets[client.upstream] = client
        return self.clients[address]

    def carry(self, direction, now, data, client):
        if client.is_spared:
            self.put(direction, data, client)
            return
        way, side = self.ways[direction], self.sides[direction]
        due, fate, waited = way.offer(now, len(data))
        size = len(data) + HEADERS
        row = side.second(int(now - self.marked)) if self.marked is not None else None
        side.fates[fate] += 1
        side.offered += size
        if fate in ("through", "lost"):
            side.waits.append(waited * 1000)
        if row is not None:
            row["packets"] += 1
            row["offered"] += size
            row["lost"] += fate in ("lost", "cut")
            row["dropped"] += fate == "dropped"
            if fate in ("through", "lost"):
                row["waits"].append(waited * 1000)
        stream = timestamp = None
        if len(data) >= 12 and 128 <= data[0] < 192 and not 192 <= data[1] < 224:
            timestamp, ssrc = struct.unpack_from("!II", data, 4)
            key = (ssrc, data[1] & 0x7F)
            stream = side.streams.get(key) or side.streams.setdefault(key, Stream(key[1]))
            stream.fates[fate] += 1
            stream.bytes += size
        side.fates["doubled"] += len(due) > 1
        for time_due in due:
            heapq.heappush(self.waiting, (time_due, next(self.order), now, direction, data, client, stream, timestamp))

    def send_due(self):
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            due, _, came, direction, data, client, stream, timestamp = heapq.heappop(self.waiting)
            if not self.put(direction, data, client):
                continue
            now = time.monotonic()
            side = self.sides[direction]
            side.through += len(data) + HEADERS
            side.delays.append((now - came) * 1000)
            self.lateness.append((now - due) * 1000)
            if self.marked is not None:
                side.second(int(now - self.marked))["through"] += len(data) + HEADERS
            if stream:
                stream.left(now, timestamp)

    def put(self, direction, data, client):
        try:
            if direction == "up":
                client.upstream.sendto(data, self.target)
            else:
                self.listener.sendto(data, client.address)
        except OSError:
            return False  # whoever was there is gone; a line does not mind
        return True

    # Orders

    def read_orders(self):
        data = os.read(0, 65_536)
        self.is_open = bool(data)
        *lines, self.input = (self.input + data).split(b"\n")
        for line in lines:
            print(json.dumps(self.ask(**json.loads(line))), flush=True)

    def ask(self, order, **words):
        return getattr(self, f"order_{order}")(**words)

    def order_change(self, up=None, down=None):
        for direction, shape in (("up", up), ("down", down)):
            if shape is not None:
                self.ways[direction].change(**shape)

    def order_target(self, host, port):
        self.target = self.passages.target = (host, port)

    def order_mark(self):
        """Counts begin anew, and so do schedules. Returns the time of both on CLOCK_REALTIME, in seconds."""
        self.sides = {"up": Side(), "down": Side()}
        self.lateness = []
        self.marked = time.monotonic()
        for way in self.ways.values():
            way.mark(self.marked)
        return time.time()

    def order_rebind(self):
        """As a router that forgot its mappings: each client is seen from a new port, and nothing comes back by the old one."""
        for client in self.clients.values():
            if client.is_spared:
                continue
            old = client.renew()
            del self.sockets[old]
            old.close()
            self.sockets[client.upstream] = client

    def order_spare(self):
        """Who has been heard until now is beside the line; who comes later is behind it."""
        for client in self.clients.values():
            client.is_spared = True

    def order_counts(self):
        late = [round(part(self.lateness, share), 2) for share in (0.5, 0.99)]
        return {"up": self.sides["up"].report(), "down": self.sides["down"].report(), "late": late, "clients": len(self.clients)}


def arrival(notes):
    """When the kernel had the datagram, on the monotonic clock. Without the kernel's word, or where the wall clock was set meanwhile, it is now."""
    now = time.monotonic()
    for level, kind, value in notes:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) >= 16:
            seconds, nanoseconds = struct.unpack_from("qq", value)
            ago = time.time() - seconds - nanoseconds / 1e9
            return now - ago if 0 <= ago < 0.5 else now
    return now


class RelayProcess:
    """The relay as a process of its own, and orders to it."""

    def __init__(self, target=None, up=None, down=None, seed=1, port=0, tcp=False):
        setup = {"port": port, "target": target, "up": up or {}, "down": down or {}, "seed": seed, "tcp": tcp}
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__), json.dumps(setup)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.port = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the relay ended with {self.process.wait(10)}")
        return json.loads(line)

    def ask(self, order, **words):
        self.process.stdin.write(json.dumps({"order": order, **words}) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def change(self, up=None, down=None):
        """Shapes that hold from now on; None leaves a direction as it is."""
        self.ask("change", up=up, down=down)

    def target(self, host, port):
        self.ask("target", host=host, port=port)

    def mark(self):
        return self.ask("mark")

    def rebind(self):
        self.ask("rebind")

    def counts(self):
        return self.ask("counts")

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    try:
        # Before other work on the machine, where that is allowed: its time is the measure.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except (OSError, AttributeError):
        pass
    relay = Relay(**json.loads(sys.argv[1]))
    print(relay.port, flush=True)
    relay.run()


if __name__ == "__main__":
    main()

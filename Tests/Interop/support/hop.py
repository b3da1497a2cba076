"""A hop between browsers and the server's media port that a test can break: nothing passes for a while, another mapping, no UDP at all, a thin way up."""

import selectors
import socket
import threading
import time


class Hop:
    """Forwards datagrams to `port` on loopback; each client address has a socket of its own towards the server, as a router's mapping."""

    def __init__(self):
        self.front, self.listener = self._fronts()
        self.port = self.front.getsockname()[1]
        #: The server's media port, once it is known.
        self.target = None
        self.lock = threading.Lock()
        self.mappings, self.clients = {}, {}
        self.is_cut = False
        #: Clients for whom alone it is; None for everybody.
        self.cut_off = None
        #: Bits a second of the way up; None for as many as come. More than 300 ms of it are dropped, as a router's queue does.
        self.rate_up = None
        #: Clients for whom that does not hold.
        self.unlimited = set()
        self.free_at = 0.0
        self.waiting = []
        #: When the last datagram passed to the server and to a client.
        self.passed = {"up": 0.0, "down": 0.0}
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ)
        self.is_closed = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        #: How many connections of TCP came; their bytes wait while nothing passes.
        self.connections = 0
        self.lines = []
        self.flows = threading.Event()
        self.flows.set()
        self.thread.start()
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def _fronts(cls):
        """A port of UDP whose number is free for TCP, too."""
        while True:
            front = cls._socket()
            try:
                return front, socket.create_server(("127.0.0.1", front.getsockname()[1]))
            except OSError:
                front.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except (OSError, TypeError):
                if self.is_closed:
                    return
                continue
            self.connections += 1
            for one in (client, server):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.lines += [client, server]
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client), daemon=True).start()

    def _pump(self, source, target):
        try:
            while data := source.recv(65536):
                self.flows.wait()
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _socket():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        return one

    def cut(self, is_cut=True, only=None):
        """As a cable that is pulled: in both directions, for all, or for some of the clients that come by UDP."""
        self.block(is_cut, only)
        self.flows.clear() if is_cut and only is None else self.flows.set()

    def block(self, is_blocked=True, only=None):
        """As a firewall that lets out TCP alone."""
        self.cut_off = only
        self.is_cut = is_blocked

    def remap(self):
        """As a router that forgets its mappings: what comes next leaves by other ports, and what the server sends to the old ones is lost."""
        with self.lock:
            for one in self.mappings.values():
                self.selector.unregister(one)
                one.close()
            self.mappings, self.clients = {}, {}

    def close(self):
        self.is_closed = True
        self.flows.set()
        self.thread.join(5)
        self.remap()
        self.listener.close()
        for one in self.lines:
            one.close()
        self.front.close()

    def _run(self):
        while not self.is_closed:
            ready = self.selector.select(0.005 if self.waiting else 0.05)
            with self.lock:
                for key, _ in ready:
                    self._read(key.fileobj)
                now = time.monotonic()
                while self.waiting and self.waiting[0][0] <= now:
                    _, one, data = self.waiting.pop(0)
                    self._up(one, data, now)

    def _read(self, source):
        for _ in range(256):
            try:
                data, address = source.recvfrom(65536)
            except OSError:
                return
            client = address if source is self.front else self.clients.get(source)
            if self.target is None or self.is_cut and (self.cut_off is None or client in self.cut_off):
                continue
            now = time.monotonic()
            if source is not self.front:
                if client:
                    self.front.sendto(data, client)
                    self.passed["down"] = now
                continue
            one = self.mappings.get(address)
            if one is None:
                one = self.mappings[address] = self._socket()
                self.clients[one] = address
                self.selector.register(one, selectors.EVENT_READ)
            if self.rate_up is None or address in self.unlimited:
                self._up(one, data, now)
                continue
            begin = max(now, self.free_at)
            if begin - now > 0.3:
                continue
            self.free_at = begin + (len(data) + 28) * 8 / self.rate_up
            self.waiting.append((self.free_at, one, data))

    def _up(self, one, data, now):
        try:
            one.sendto(data, ("127.0.0.1", self.target))
            self.passed["up"] = now
        except OSError:
            pass  # a mapping that was forgotten meanwhile

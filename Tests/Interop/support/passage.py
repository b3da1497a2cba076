"""TCP connections through the relay, on its port's number: for media that goes over TCP where UDP is blocked. Only an outage holds them up."""

import socket

#: Bytes that wait for a side that reads slowly; then the other is not read.
MOST = 1 << 20
MOST_CONNECTIONS = 64


class Passages:
    def __init__(self, listener, target):
        self.listener, self.target = listener, target
        #: Of each socket its other side, and what waits to be written to it.
        self.others, self.waiting = {}, {}
        #: Sides that said all: they are shut for writing once the rest is through.
        self.ended = set()

    def reading(self, held):
        """Sockets to read from; of connections none while an outage holds them."""
        if self.listener is None:
            return []
        if held:
            return [self.listener]
        return [self.listener, *(one for one, other in self.others.items() if other not in self.ended and len(self.waiting[other]) < MOST)]

    def writing(self, held):
        return [] if held else [one for one, data in self.waiting.items() if data]

    def read(self, one):
        if one is self.listener:
            self.accept()
            return
        if one not in self.others:
            return
        other = self.others[one]
        try:
            data = one.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            self.end(one)
            return
        if not data:
            self.ended.add(other)
        self.waiting[other] += data
        self.write(other)

    def write(self, one):
        if one not in self.others:
            return
        data = self.waiting[one]
        try:
            if data:
                del data[: one.send(data)]
            if not data and one in self.ended:
                one.shutdown(socket.SHUT_WR)
                if self.others[one] in self.ended:
                    self.end(one)
        except BlockingIOError:
            return
        except OSError:
            self.end(one)

    def accept(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        try:
            if len(self.others) >= 2 * MOST_CONNECTIONS or not self.target:
                raise ConnectionRefusedError
            server = socket.create_connection(self.target, timeout=1)
        except OSError:
            client.close()
            return
        for one in (client, server):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.waiting[one] = bytearray()
        self.others |= {client: server, server: client}

    def end(self, one):
        for side in (one, self.others[one]):
            side.close()
            self.ended.discard(side)
            del self.waiting[side], self.others[side]

"""A line between the server and its PostgreSQL that a test can break: at once, for a while, or around the one message that says COMMIT."""

import socket
import struct
import threading
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Forwards connections to a port of this machine. Reads the protocol (PostgreSQL's documentation, chapter "Frontend/Backend Protocol"), and so takes no TLS."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.lines = set()
        self.is_refusing = False
        self.flows = threading.Event()
        self.flows.set()
        #: What becomes of the next COMMITs: "unsent" ones never reach the database, of "unanswered" ones it is the answer that is lost.
        self.fates = []
        #: After the next of them nobody gets through until `refuse(False)`.
        self.refuses_after_fate = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url):
        """The same store by this line."""
        parts = urlsplit(url)
        query = "&".join(word for word in parts.query.split("&") if not word.startswith(("sslmode=", "sslrootcert=")))
        who = parts.netloc.rsplit("@", 1)[0]
        return urlunsplit(parts._replace(netloc=f"{who}@127.0.0.1:{self.port}", query=f"{query}&sslmode=disable&gssencmode=disable"))

    def refuse(self, is_refusing=True):
        """As a server that is not there, for connections that are there and new ones."""
        self.is_refusing = is_refusing
        if is_refusing:
            self.cut()

    def stall(self, is_stalled=True):
        """As a server or a line that hangs: what is sent arrives only when it goes on."""
        if is_stalled:
            self.flows.clear()
        else:
            self.flows.set()

    def cut(self, but=None):
        with self.lock:
            lines, self.lines = self.lines, {but} & self.lines
        for line in lines - {but}:
            line.end()

    def close(self):
        self.listener.close()
        self.refuse()
        self.flows.set()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_refusing:
                client.close()
                continue
            try:
                line = Line(self, client, socket.create_connection(("127.0.0.1", self.target), timeout=10))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.lines.add(line)
            line.start()

    def fate_of_commit(self, line):
        with self.lock:
            if not self.fates:
                return None
            fate = self.fates.pop(0)
            if self.refuses_after_fate:
                self.is_refusing = True
        if self.is_refusing:
            self.cut(but=line)
        self.cuts += 1
        return fate


class Line:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.loses_answers = False
        for one in (client, server):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self):
        for pump in (self._ask, self._answer):
            threading.Thread(target=pump, daemon=True).start()

    def end(self):
        for one in (self.client, self.server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _ask(self):
        """From the server of meetings to the database, message by message."""
        waiting, is_first = b"", True
        try:
            while data := self.client.recv(65536):
                waiting += data
                while True:
                    head = 0 if is_first else 1
                    if len(waiting) < head + 4:
                        break
                    size = head + struct.unpack_from("!I", waiting, head)[0]
                    if len(waiting) < size:
                        break
                    message, waiting = waiting[:size], waiting[size:]
                    is_first = False
                    self.proxy.flows.wait()
                    if message == b"Q" + struct.pack("!I", 11) + b"COMMIT\0":
                        fate = self.proxy.fate_of_commit(self)
                        if fate == "unsent":
                            return
                        self.loses_answers = fate == "unanswered"
                    self.server.sendall(message)
        except OSError:
            pass
        finally:
            # Where an answer is to be lost, the database has the time to give it.
            if not self.loses_answers:
                self.end()

    def _answer(self):
        try:
            while data := self.server.recv(65536):
                self.proxy.flows.wait()
                if self.loses_answers:
                    return
                self.client.sendall(data)
        except OSError:
            pass
        finally:
            self.end()

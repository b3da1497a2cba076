"""A PostgreSQL of the tests' own, from Debian's package: its folder, port, socket and certificate are thrown away with it. Never the machine's."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

#: Whom the server runs as where the tests are root, since it refuses to be root.
ACCOUNTS = ("postgres", "nobody")


def programs():
    """The folder of initdb and postgres of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("PostgreSQL is not installed: tools/install-packages tests")
    return found[-1].parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    def __init__(self):
        self.bin = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="nhipcau-postgres-"))
        self.account = None
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            self.account = next(name for name in ACCOUNTS if name in known)
            shutil.chown(self.folder, self.account)
        self.data = self.folder / "data"
        self.port = free_port()
        self.process = None
        self.made = 0
        self.password = "thu-nghiem"
        (self.folder / "password").write_text(self.password)
        if self.account:
            shutil.chown(self.folder / "password", self.account)
        atexit.register(self.close)
        self._run(
            "initdb", "-D", self.data, "-U", "tests", "-A", "scram-sha-256", "--pwfile", self.folder / "password", "-E", "UTF8",
            "--locale", "C.UTF-8", "--no-sync")
        self._certificate()
        # Beside the defaults: what is answered is written, TLS, and no wait for a disk that nobody keeps.
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.folder}'\nfsync = off\n"
                f"shared_buffers = 32MB\nmax_connections = 200\nssl = on\nssl_cert_file = '{self.folder}/server.crt'\n"
                f"ssl_key_file = '{self.folder}/server.key'\nlog_min_messages = error\n")
        self.start()

    def _as(self, command):
        """As the account, from a folder that it may read."""
        words = [str(word) for word in command]
        return ["runuser", "-u", self.account, "--", *words] if self.account else words

    def _run(self, program, *words):
        done = subprocess.run(self._as([self.bin / program, *words]), cwd="/", capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout[-500:]}{done.stderr[-1500:]}")

    def _certificate(self):
        """Self-made, for the name `localhost`: a client that is to verify it takes it as its root."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.folder / "server.key", "-out", self.folder / "server.crt"],
            check=True, capture_output=True, timeout=60)
        (self.folder / "server.key").chmod(0o600)
        self.folder.chmod(0o755)
        if self.account:
            shutil.chown(self.folder / "server.key", self.account)

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            self._as([self.bin / "postgres", "-D", self.data]), cwd="/", stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 60
        while True:
            try:
                return self.sql("SELECT 1")
            except RuntimeError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)

    def postmaster(self):
        """Its id: what `runuser` started, which the file of the server names."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def stop(self, how=signal.SIGINT):
        """Ends the server: SIGINT at once and in order, SIGQUIT as a crash."""
        if self.process is None or self.process.poll() is not None:
            return
        try:
            os.kill(self.postmaster(), how)
        except (FileNotFoundError, ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def pause(self, is_paused):
        """What a server that hangs looks like: every process of it stands still."""
        children = subprocess.run(["pgrep", "-P", str(self.postmaster())], capture_output=True, text=True, timeout=10).stdout.split()
        for process in [*children, self.postmaster()]:
            os.kill(int(process), signal.SIGSTOP if is_paused else signal.SIGCONT)

    def sql(self, text, database="postgres", schema=None):
        environment = os.environ | {"PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "5"}
        # Tests that make the database read-only for the server make it writable again.
        environment["PGOPTIONS"] = "-c default_transaction_read_only=off" + (f" -c search_path={schema}" if schema else "")
        done = subprocess.run(
            [self.bin / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tests", "-d", database, "-AtqX", "-v", "ON_ERROR_STOP=1", "-c", text],
            env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def url(self, database, schema=None, mode="verify-full"):
        """Of a database, which is made where it is missing; by TLS whose certificate is checked."""
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):
            self.sql(f"CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0")
        options = f"&options={quote(f'-csearch_path={schema}')}" if schema else ""
        return (
            f"postgresql://tests:{self.password}@127.0.0.1:{self.port}/{database}?sslmode={mode}"
            f"&sslrootcert={quote(str(self.folder / 'server.crt'), safe='')}{options}")

    def empty(self):
        """The address of a store of its own, a schema that nobody else has, and the schema's name."""
        self.made += 1
        schema = f"store{self.made}"
        url = self.url("stores", schema)
        self.sql(f"CREATE SCHEMA {schema}", "stores")
        return url, schema

    def cut(self, database="stores"):
        """Ends every connection to a database, as a broken line or an administrator does."""
        return self.sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()")

    def close(self):
        atexit.unregister(self.close)
        if self.process is not None:
            if self.process.poll() is None:
                try:
                    self.pause(False)
                except (FileNotFoundError, ProcessLookupError):
                    pass
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


_shared = None


def shared():
    """One for all tests of a run."""
    global _shared
    if _shared is None:
        _shared = Postgres()
    return _shared

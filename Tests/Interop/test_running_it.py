"""What an operator sees: who may read the data, where /metrics is, what the log warns of, what `ps` shows, what happens without file descriptors."""

import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import requests
from support.server import PASSWORD, Endpoint, Server, executable, free_port  # noqa: F401


def start(folder, *words, limit=None, listen=None, umask=None):
    port = free_port()
    command = [executable(), "serve", "--listen", f"{listen or '127.0.0.1'}:{port}", "--media-port", "0", "--data", folder, *words]
    log = open(folder.parent / f"log-{port}", "wb")
    before = (["prlimit", f"--nofile={limit}"] if limit else []) + list(map(str, command))
    process = subprocess.Popen(before, stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=umask if umask is not None else -1, env=os.environ | {"NHIPCAU_ADMIN_PASSWORD": PASSWORD})
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process, port, Path(log.name)
        except OSError:
            time.sleep(0.05)
    raise AssertionError(Path(log.name).read_text())


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def test_nobody_else_may_read_database_and_keys(tmp_path):
    folder = tmp_path / "data"
    process, _, _ = start(folder, "--tls", "self-signed", umask=0o000)
    try:
        modes = {one.name: oct(one.stat().st_mode & 0o777) for one in folder.rglob("*")}
        assert "nhipcau.sqlite" in modes
        assert all(mode.endswith("00") for mode in modes.values()), modes
    finally:
        stop(process)
    for one in folder.rglob("*"):
        one.chmod(0o755 if one.is_dir() else 0o644)
    folder.chmod(0o755)
    process, _, log = start(folder, "--tls", "self-signed", umask=0o022)
    try:
        modes = {one.name: oct(one.stat().st_mode & 0o777) for one in folder.rglob("*") if one.is_file()}
        assert all(mode.endswith("00") for mode in modes.values()), modes
        assert "data-folder-open" in log.read_text()
    finally:
        stop(process)


def test_metrics_on_an_address_of_their_own(tmp_path):
    own = free_port()
    process, port, log = start(tmp_path / "data", "--metrics", f"127.0.0.1:{own}")
    try:
        assert requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).status_code == 404
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
        answer = requests.get(f"http://127.0.0.1:{own}/metrics", timeout=5)
        assert answer.ok and "nhipcau_http_connections_total" in answer.text and "nhipcau_media" in answer.text
        assert requests.get(f"http://127.0.0.1:{own}/healthz", timeout=5).status_code == 404
        assert requests.post(f"http://127.0.0.1:{own}/api/v1/session", json={}, timeout=5).status_code == 404
        assert "plain-http" not in log.read_text()
    finally:
        stop(process)


def test_plain_http_on_the_network_is_warned_of_unless_it_is_meant(tmp_path):
    for words, expected in [((), 1), (("--plain-http", "meant"), 0)]:
        process, _, log = start(tmp_path / f"data{expected}", *words, listen="*")
        try:
            time.sleep(0.3)
            assert log.read_text().count("event=plain-http") == expected, log.read_text()
        finally:
            stop(process)


def test_tls_is_asked_for_a_year_and_keeps_to_sealed_suites(tmp_path):
    process, port, log = start(tmp_path / "data", "--tls", "self-signed", listen="*")
    try:
        answer = requests.get(f"https://127.0.0.1:{port}/healthz", verify=False, timeout=5)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert "event=plain-http" not in log.read_text()

        def suite(ciphers):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(ciphers)
            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as line:
                return line.cipher()[0]

        assert "GCM" in suite("ECDHE+AESGCM") and "CHACHA20" in suite("ECDHE+CHACHA20")
        for weak in ("ECDHE+AES:!AESGCM:!AESCCM:@SECLEVEL=0", "kRSA:@SECLEVEL=0", "DHE:!ECDHE:@SECLEVEL=0", "AESCCM:@SECLEVEL=0"):
            try:
                assert not suite(weak), weak
            except ssl.SSLError:
                pass
    finally:
        stop(process)


def cpu(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_file_descriptors_the_server_neither_spins_nor_stays_away(tmp_path):
    for limit in (90, 140):
        process, port, log = start(tmp_path / f"data{limit}", limit=f"{limit}:{limit}")
        lines = []
        try:
            idle = cpu(process)
            time.sleep(1)
            idle = cpu(process) - idle
            for index in range(400):
                line = socket.socket()
                line.setblocking(False)
                line.bind((f"127.0.0.{2 + index % 30}", 0))
                line.connect_ex(("127.0.0.1", port))
                lines.append(line)
            time.sleep(0.5)
            begun = cpu(process)
            time.sleep(2)
            assert cpu(process) - begun < 2 * idle + 0.5, "spins"
            assert log.read_text().count("event=few-file-descriptors") == 1
        finally:
            for line in lines:
                line.close()
        try:
            time.sleep(0.3)
            assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
        finally:
            stop(process)


def test_the_soft_limit_is_raised(tmp_path):
    process, _, log = start(tmp_path / "data", limit="256:20000")
    try:
        soft = [one.split()[3] for one in Path(f"/proc/{process.pid}/limits").read_text().splitlines() if one.startswith("Max open files")]
        assert soft == ["20000"] and "few-file-descriptors" not in log.read_text()
    finally:
        stop(process)


def shown(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def test_secrets_are_not_shown_by_ps(server, tmp_path):
    assert PASSWORD.encode() not in shown(server.process.pid)
    meeting = server.running_meeting("Bí mật")["id"]
    file = tmp_path / "token"
    file.write_text(server.token + "\n")
    ways = [
        (["--token", server.token], {}), ([f"--token={server.token}"], {}), (["--token-file", str(file)], {}), ([], {"NHIPCAU_TOKEN": server.token}),
        (["--username", "admin", "--password", PASSWORD], {}), (["--username", "admin"], {"NHIPCAU_PASSWORD": PASSWORD, "NHIPCAU_TOKEN": "wrong"}),
    ]
    running = []
    for index, (words, environment) in enumerate(ways):
        command = [executable(), "endpoint", "--server", server.origin, "--meeting", meeting, "--name", f"e{index}", "--kind", "viewer", "--report", tmp_path / f"{index}.json", *words]
        running.append(subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=server.log, stderr=server.log, env=os.environ | environment))
    try:
        end = time.monotonic() + 20
        while len(server.participants(meeting)) < len(ways) and time.monotonic() < end:
            time.sleep(0.2)
        assert len(server.participants(meeting)) >= 4, server.words()
        for (words, environment), one in zip(ways, running, strict=True):
            text = shown(one.pid)
            assert PASSWORD.encode() not in text and server.token.encode() not in text, (words, environment)
            assert meeting.encode() in text and one.poll() is None
    finally:
        for one in running:
            one.terminate()
            one.wait(10)
    assert server.token not in server.words() and PASSWORD not in server.words()


def answers(read):
    """The status of each answer and the size of all bodies, read piece by piece up to the end of the stream."""
    came, found, size = b"", [], 0
    while True:
        while b"\r\n\r\n" in came:
            head, _, rest = came.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(rest) < length:
                break
            found.append(int(head.split(b" ")[1]))
            came, size = rest[length:], size + length
        more = read()
        if not more:
            return found, size, came
        came += more


def test_who_reads_slowly_gets_everything_and_costs_nothing_with_tls_or_without(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    for words in ((), ("--tls", "self-signed")):
        process, port, _ = start(tmp_path / f"data{len(words)}", *words)
        try:
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            line.settimeout(20)
            line.connect(("127.0.0.1", port))
            if words:
                # Without close_notify the end of the stream would be an error.
                line = context.wrap_socket(line, suppress_ragged_eofs=False)
                assert line.selected_alpn_protocol() == "http/1.1"
            # A thousand requests are ahead of the first answer that is read: 9 MB.
            request = b"GET /strings.vi.json HTTP/1.1\r\nHost: x\r\n\r\n"
            last = request[:-2] + b"Connection: close\r\n\r\n"
            line.setblocking(False)
            waiting = request * 999 + last
            end = time.monotonic() + 1
            while waiting and time.monotonic() < end:
                try:
                    waiting = waiting[line.send(waiting[:8_192]) :]
                except (BlockingIOError, ssl.SSLWantWriteError):
                    time.sleep(0.01)
            before = cpu(process)
            time.sleep(2)
            assert cpu(process) - before < 0.5, "it spins on a reader that does not read"
            line.settimeout(20)

            def read():
                nonlocal waiting
                if waiting:
                    sent, waiting = waiting[:256], waiting[256:]
                    line.sendall(sent)
                return line.recv(16_384)

            found, size, rest = answers(read)
            assert found == [200] * 1_000 and rest == b"", (found[:3], len(found), rest[:100])
            assert size == 1_000 * len(requests.get(f"http{'s' if words else ''}://127.0.0.1:{port}/strings.vi.json", verify=False, timeout=5).content)
            # A body that is far too large is read to its end, so that its sender gets to read the answer.
            answer = requests.post(f"http{'s' if words else ''}://127.0.0.1:{port}/api/v1/session", data=b" " * 4_000_000, headers={"Content-Type": "application/json"}, verify=False, timeout=20)
            assert answer.status_code == 413
            line.close()
        finally:
            stop(process)

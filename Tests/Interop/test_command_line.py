"""What the executable says when it is given something wrong: one line that names the file or flag and what to do, an exit code, and nothing started."""

import os
import signal
import socket
import subprocess
import time

import pytest
import requests

from support.server import PASSWORD, executable, free_port


def run(*words, timeout=20, **environment):
    done = subprocess.run(
        [executable(), *map(str, words)], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
        env=os.environ | {"NHIPCAU_ADMIN_PASSWORD": PASSWORD} | environment,
    )
    return done.returncode, done.stdout, done.stderr


def refused(code, *parts, words):
    status, _, error = run(*words)
    lines = error.strip().splitlines()
    assert status == code, (status, error)
    assert len(lines) == 1, error
    for part in parts:
        assert part in lines[0], f"{part!r} is not in: {lines[0]}"


def serve(folder, *words):
    return ["serve", "--listen", f"127.0.0.1:{free_port()}", "--media-port", "0", "--data", folder, *words]


def test_help_and_version():
    assert run("version")[0] == 0 and run("version")[1].startswith("nhipcau ")
    assert "serve" in run("help")[1] and "--media-address" in run("help", "serve")[1] and "--count" in run("help", "endpoint")[1]


@pytest.mark.parametrize(
    "words, part",
    [
        ([], "subcommand"), (["dance"], "dance"), (["serve", "--dance"], "--dance"), (["serve", "--listen"], "--listen"),
        (["serve", "--listen", "here"], "HOST:PORT"), (["serve", "--media-port", "99999"], "--media-port"),
        (["serve", "--media-address", "nowhere"], "--media-address"), (["serve", "--tls-key", "x"], "--tls-certificate"), (["help", "dance"], "dance"),
        (["endpoint", "--dance"], "--dance"), (["version", "now"], "now"),
    ],
)
def test_words_that_are_not_understood_end_with_64(words, part):
    refused(64, part, words=words)


def test_a_configuration_file_that_is_missing(tmp_path):
    refused(66, "missing.json", "--config", words=serve(tmp_path, "--config", tmp_path / "missing.json"))


@pytest.mark.parametrize(
    "text, parts",
    [
        ("{", ["not JSON"]), ("[]", ["one JSON object"]), ('{"liste": 1}', ["liste", "unknown key", "listen"]),
        ('{"media": {"prot": 1}}', ["media.prot", "unknown key"]), ('{"media": {"port": "x"}}', ["media.port", "whole number"]),
        ('{"listen": 5}', ["listen", "text"]), ('{"mediaSessionsPerLogin": 0}', ["mediaSessionsPerLogin", "1 to 1000"]),
        ('{"gateways": {"cong": "x"}}', ["gateways.cong", "1 to 2000"]), ('{"gateways": ["cong"]}', ["gateways", "object"]),
        ('{"tls": {"mode": "strong"}}', ["tls.mode", "self-signed"]),
    ],
)
def test_a_configuration_file_that_is_wrong_is_told_by_file_key_and_remedy(tmp_path, text, parts):
    file = tmp_path / "own.json"
    file.write_text(text)
    refused(66, str(file), *parts, words=["serve", "--config", file, "--data", tmp_path / "data"])


def test_comments_and_trailing_commas_are_fine_and_flags_go_before_the_file(tmp_path):
    file = tmp_path / "own.json"
    file.write_text('// a comment\n{ "logLevel": "warning", /* another */ "media": { "port": 0, }, "listen": "127.0.0.1:1", }\n')
    port = free_port()
    process = subprocess.Popen(
        [executable(), "serve", "--config", file, "--listen", f"127.0.0.1:{port}", "--data", tmp_path / "data"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"NHIPCAU_ADMIN_PASSWORD": PASSWORD},
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_demonstration_brings_all_its_sites_with_one_login(tmp_path):
    process = subprocess.Popen(
        [executable(), "demo", "--sites", "6", "--listen", f"127.0.0.1:{free_port()}", "--data", tmp_path / "data"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"NHIPCAU_ADMIN_PASSWORD": PASSWORD},
    )
    try:
        said = next(line for line in process.stdout if "điểm cầu / sites" in line or "Error" in line)
        assert ": 6 điểm cầu" in said, said
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_ports_that_are_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused(69, str(port), "taken", words=["serve", "--listen", f"127.0.0.1:{port}", "--media-port", "0", "--data", tmp_path])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.bind(("0.0.0.0", 0))
        port = media.getsockname()[1]
        refused(69, str(port), "taken", words=["serve", "--listen", f"127.0.0.1:{free_port()}", "--media-port", port, "--data", tmp_path])


def test_a_data_folder_that_cannot_be_written(tmp_path):
    refused(73, "/proc/nowhere", "--data", words=serve("/proc/nowhere"))
    file = tmp_path / "nhipcau.sqlite"
    file.write_bytes(b"A" * 4096)
    refused(73, str(tmp_path), "not a database", words=serve(tmp_path))
    assert file.read_bytes() == b"A" * 4096


def test_an_endpoint_without_a_server_says_so():
    status, _, error = run("endpoint", "--server", f"http://127.0.0.1:{free_port()}", "--token", "x", "--meeting", "m", "--name", "n", timeout=40)
    assert status == 69 and "cannot be reached" in error


def test_a_random_password_is_told_once_and_tls_by_a_certificate_of_its_own(tmp_path):
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if key != "NHIPCAU_ADMIN_PASSWORD"}
    words = [executable(), "serve", "--listen", f"127.0.0.1:{port}", "--media-port", "0", "--data", str(tmp_path), "--tls", "self-signed"]
    log = tmp_path / "log"
    for turn in range(2):
        with open(log, "wb") as output:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        try:
            wait_for(f"https://127.0.0.1:{port}/readyz", verify=str(tmp_path / "tls/certificate.pem"))
            # It answers a moment before it says the password.
            end = time.monotonic() + (5 if turn == 0 else 0.5)
            while "password (shown once)" not in (text := log.read_text()) and time.monotonic() < end:
                time.sleep(0.05)
            assert ("password (shown once)" in text) == (turn == 0), text
            if turn == 0:
                password = text.split("shown once): ")[1].split()[0]
            answer = requests.post(
                f"https://127.0.0.1:{port}/api/v1/session", json={"username": "admin", "password": password}, timeout=10,
                verify=str(tmp_path / "tls/certificate.pem"),
            )
            assert answer.status_code == 201 and "Secure" in answer.headers["Set-Cookie"]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    assert os.stat(tmp_path / "tls/key.pem").st_mode & 0o077 == 0


def wait_for(url, seconds=15, **options):
    end = time.monotonic() + seconds
    while True:
        try:
            if requests.get(url, timeout=2, **options).ok:
                return
        except (requests.ConnectionError, OSError):
            pass
        assert time.monotonic() < end, f"{url} does not answer"
        time.sleep(0.05)

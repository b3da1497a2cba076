"""Firefox, driven over WebDriver BiDi: only the few commands that the tests need."""

import base64
import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from websockets.sync.client import connect

PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.min_background_timeout_value": 4,
    "extensions.systemAddon.update.enabled": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": False,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    # The server is on this very machine in the tests.
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def preference_line(name, value):
    return f"user_pref({json.dumps(name)}, {json.dumps(value)});"


class BiDiError(Exception):
    pass


class Firefox:
    """One headless Firefox with one page. `evaluate` is the same as that of the Chromium page in `chromium.py`."""

    def __init__(self, microphone_hertz=1000, executable=None):
        executable = executable or shutil.which("firefox-esr") or shutil.which("firefox")
        if executable is None:
            raise BiDiError("Firefox is not installed: apt-get install firefox-esr")
        preferences = PREFERENCES | {"media.navigator.audio.fake_frequency": microphone_hertz}
        self.profile = Path(tempfile.mkdtemp(prefix="nhipcau-firefox-"))
        (self.profile / "user.js").write_text("\n".join(preference_line(*one) for one in preferences.items()))
        self.process = subprocess.Popen(
            [executable, "--headless", "--no-remote", "--profile", str(self.profile), "--remote-debugging-port=0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.identifiers = itertools.count(1)
        self.open = contextlib.ExitStack()
        try:
            self.socket = self.open.enter_context(connect(f"{self._address()}/session", max_size=64 * 2**20, compression=None))
            self.command("session.new", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})
            self.context = self.command("browsingContext.getTree", {})["contexts"][0]["context"]
        except Exception:
            self.close()
            raise

    def _address(self, patience=60):
        """Firefox writes the port that it took on standard error."""
        found = {}

        def read():
            for line in self.process.stderr:
                match = re.search(r"WebDriver BiDi listening on (ws://\S+)", line)
                if match and "address" not in found:
                    found["address"] = match.group(1)

        threading.Thread(target=read, daemon=True).start()
        end = time.monotonic() + patience
        while "address" not in found:
            if self.process.poll() is not None or time.monotonic() > end:
                raise BiDiError("Firefox did not open its BiDi port")
            time.sleep(0.05)
        return found["address"]

    def command(self, method, parameters, patience=60):
        identifier = next(self.identifiers)
        self.socket.send(json.dumps({"id": identifier, "method": method, "params": parameters}))
        end = time.monotonic() + patience
        while True:
            message = json.loads(self.socket.recv(timeout=max(0.1, end - time.monotonic())))
            if message.get("id") != identifier:
                continue  # an event
            if message["type"] == "error":
                raise BiDiError(f"{method}: {message['error']}: {message['message']}")
            return message["result"]

    def goto(self, address):
        self.command("browsingContext.navigate", {"context": self.context, "url": address, "wait": "complete"})

    def evaluate(self, function, argument=None, patience=60):
        """Calls the JavaScript `function` with `argument`; both it and the result travel as JSON."""
        source = f"(async () => JSON.stringify(await ({function})({json.dumps(argument)})) ?? 'null')()"
        answer = self.command(
            "script.evaluate",
            {"expression": source, "target": {"context": self.context}, "awaitPromise": True, "userActivation": True}, patience,
        )
        if answer["type"] != "success":
            raise BiDiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait_for(self, condition, patience=30):
        """Until the JavaScript expression holds."""
        end = time.monotonic() + patience
        while not self.evaluate(f"() => Boolean({condition})"):
            if time.monotonic() > end:
                raise BiDiError(f"never came to be: {condition}")
            time.sleep(0.1)

    def screenshot(self):
        return base64.b64decode(self.command("browsingContext.captureScreenshot", {"context": self.context})["data"])

    def close(self):
        if hasattr(self, "socket"):
            try:
                self.command("browser.close", {}, patience=10)
            except Exception:  # it is ended by its id below
                pass
        self.open.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

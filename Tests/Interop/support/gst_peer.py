"""A GStreamer peer, run by the system's Python (python3-gi): joins by one POST, sends VP8 and Opus or only receives, writes what it got as JSON.

    /usr/bin/python3 gst_peer.py --url URL --token T --name N --seconds 8 [--receive-only] [--hertz 660]
"""

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SENDING = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! vp8enc deadline=1 target-bitrate=500000 "
    "keyframe-max-dist=50 ! rtpvp8pay ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer. "
    "audiotestsrc is-live=true freq={hertz} volume=0.15 ! audio/x-raw,rate=48000,channels=1 ! opusenc ! rtpopuspay ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer. "
)
RECEIVING = {
    "VP8": "rtpvp8depay ! vp8dec ! fakesink name=sink sync=false",
    "OPUS": "rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1 ! fakesink name=sink sync=false",
}
OFFERED = {
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2",
}


class Peer:
    def __init__(self, options):
        self.options = options
        self.loop = GLib.MainLoop()
        self.report = {"status": 0, "location": None, "etag": None, "video": 0, "audio": 0, "loudest": 0, "width": 0, "left": 0, "error": None}
        sending = "" if options.receive_only else SENDING.format(hertz=options.hertz)
        # A lone element is no pipeline to parse_launch, so the receiver brings a source that goes nowhere.
        rest = sending or "fakesrc num-buffers=1 ! fakesink"
        self.pipeline = Gst.parse_launch(f"webrtcbin name=peer bundle-policy=max-bundle {rest}")
        self.peer = self.pipeline.get_by_name("peer")
        if options.receive_only:
            for caps in OFFERED.values():
                self.peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
        self.peer.connect("pad-added", self.pad_added)
        self.peer.connect("notify::ice-gathering-state", self.gathering_changed)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self.fail(" ".join(str(one) for one in message.parse_error())))
        self.is_posted = False

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(200, self.offer)
        GLib.timeout_add(int(self.options.seconds * 1000), self.leave)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        json.dump(self.report, sys.stdout)

    def fail(self, words):
        self.report["error"] = words
        self.loop.quit()

    def offer(self):
        def made(promise, _):
            reply = promise.get_reply()  # owns the offer
            offer = reply.get_value("offer")
            self.peer.emit("set-local-description", offer, Gst.Promise.new())

        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(made, None))
        return False

    def gathering_changed(self, peer, _):
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.post)

    def call(self, method, url, body=None):
        headers = {"Authorization": f"Bearer {self.options.token}"}
        if body is not None:
            headers["Content-Type"] = "application/sdp"
        return urllib.request.urlopen(urllib.request.Request(url, data=body, method=method, headers=headers), timeout=10)

    def post(self):
        if self.is_posted:
            return
        self.is_posted = True
        offer = self.peer.get_property("local-description").sdp.as_text()
        try:
            answer = self.call("POST", f"{self.options.url}?name={urllib.parse.quote(self.options.name)}", offer.encode())
        except urllib.error.HTTPError as error:
            self.report["status"] = error.code
            return self.fail(error.read().decode())
        self.report |= {"status": answer.status, "location": answer.headers["Location"], "etag": answer.headers["ETag"]}
        _, sdp = GstSdp.SDPMessage.new_from_text(answer.read().decode())
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", description, Gst.Promise.new())

    def pad_added(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        encoding = pad.get_current_caps().get_structure(0).get_string("encoding-name")
        if encoding not in RECEIVING:
            return
        branch = Gst.parse_bin_from_description(RECEIVING[encoding], True)
        sink = branch.get_by_name("sink").get_static_pad("sink")
        sink.add_probe(Gst.PadProbeType.BUFFER, self.video_decoded if encoding == "VP8" else self.audio_decoded)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def video_decoded(self, pad, _):
        self.report["video"] += 1
        self.report["width"] = pad.get_current_caps().get_structure(0).get_int("width")[1]
        return Gst.PadProbeReturn.OK

    def audio_decoded(self, _, info):
        self.report["audio"] += 1
        done, mapped = info.get_buffer().map(Gst.MapFlags.READ)
        if done:
            loudest = max((abs(sample) for sample in memoryview(mapped.data).cast("h")), default=0)
            self.report["loudest"] = max(self.report["loudest"], loudest)
            info.get_buffer().unmap(mapped)
        return Gst.PadProbeReturn.OK

    def leave(self):
        if self.report["location"]:
            self.report["left"] = self.call("DELETE", urllib.parse.urljoin(self.options.url, self.report["location"])).status
        self.loop.quit()
        return False


def main():
    parser = argparse.ArgumentParser()
    for name in ("url", "token", "name"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--hertz", type=int, default=660)
    parser.add_argument("--receive-only", action="store_true")
    Gst.init(None)
    Peer(parser.parse_args()).run()


main()

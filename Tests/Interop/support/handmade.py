"""A client made by hand, to the letter of the RFCs and in control of every byte: one UDP socket, full ICE (RFC 8445), DTLS-SRTP (RFC 5764).

It does nothing on its own: no consent checks, no reports, no answers. Each test says what is sent, and from which of the machine's addresses."""

import datetime
import hashlib
import hmac
import os
import secrets
import socket
import struct
import time
import zlib

import pylibsrtp
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1, X509, PKey, dump_certificate

COOKIE = 0x2112A442
AUDIO, VIDEO, RTX = 111, 96, 97


def make_certificate():
    """A key of P-256 and its own certificate, as pyOpenSSL has them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "by hand")])
    now = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return PKey.from_cryptography_key(key), X509.from_cryptography(made)


def fingerprint_of(certificate):
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(dump_certificate(FILETYPE_ASN1, certificate)).digest())


class Client:
    """One media session. `join` does all of it; its parts can be called one by one."""

    def __init__(self, server, meeting, name="Thủ công", token=None, direction="sendrecv", video=True, address="127.0.0.1",
                 profiles=b"SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80", extensions=True, audio_format="useinbandfec=1", feedback=True):
        self.server, self.meeting, self.name, self.token = server, meeting, name, token or server.token
        self.direction, self.has_video, self.profiles, self.extensions = direction, video, profiles, extensions
        self.audio_format, self.feedback = audio_format, feedback
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.key, self.certificate = make_certificate()
        self.audio_ssrc, self.video_ssrc = 0x1111_0000 | secrets.randbits(16), 0x2222_0000 | secrets.randbits(16)
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((address, 0))
        self.remote = (address, server.media_port)
        self.location = self.etag = self.answer = self.status = None
        self.sealer = self.opener = None
        #: Source addresses of everything that came, and plain packets that were opened while something else was waited for.
        self.sources, self.waiting = set(), []
        self.numbers = {}

    # The offer

    def offer(self):
        session = [
            "v=0", f"o=- {secrets.randbits(40)} 1 IN IP4 127.0.0.1", "s=-", "t=0 0",
            "a=group:BUNDLE 0 1" if self.has_video else "a=group:BUNDLE 0", "a=msid-semantic: WMS *",
        ]
        shared = [
            "c=IN IP4 0.0.0.0", f"a={self.direction}", "a=rtcp-mux", "a=rtcp-rsize", "a=setup:active", f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}", f"a=fingerprint:sha-256 {fingerprint_of(self.certificate)}",
        ]
        lines = session + [f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO}", "a=mid:0", *shared, f"a=rtpmap:{AUDIO} opus/48000/2", f"a=fmtp:{AUDIO} {self.audio_format}"]
        if self.extensions:
            lines.append("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level")
        if self.direction != "recvonly":
            lines.append(f"a=ssrc:{self.audio_ssrc} cname:hand")
        if self.has_video:
            lines += [f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO} {RTX}", "a=mid:1", *shared, f"a=rtpmap:{VIDEO} VP8/90000"]
            lines += [f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VIDEO}"]
            if self.feedback:
                lines += [f"a=rtcp-fb:{VIDEO} {one}" for one in ("nack", "nack pli", "ccm fir", "goog-remb")]
            if self.direction != "recvonly":
                lines.append(f"a=ssrc:{self.video_ssrc} cname:hand")
        return "\r\n".join(lines) + "\r\n"

    def post(self, offer=None):
        """POSTs the offer; keeps the answer's parts where there is one."""
        answer = requests.post(
            f"{self.server.origin}/api/v1/meetings/{self.meeting}/media", params={"name": self.name}, data=offer or self.offer(), timeout=15,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"},
        )
        self.status, self.answer = answer.status_code, answer.text
        if answer.status_code == 201:
            self.location, self.etag = answer.headers["Location"], answer.headers["ETag"]
            self.read(answer.text)
        return answer

    def read(self, text):
        lines = text.replace("\r", "").split("\n")
        value = lambda name: next((line[len(name):] for line in lines if line.startswith(name)), None)  # noqa: E731
        self.remote_ufrag, self.remote_password = value("a=ice-ufrag:"), value("a=ice-pwd:")
        sections = text.split("\r\nm=")
        self.remote_sources = [int(section.split("a=ssrc:", 1)[1].split(" ", 1)[0]) for section in sections if "a=ssrc:" in section]

    def patch(self, body, kind="application/trickle-ice-sdpfrag", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.patch(
            self.server.origin + self.location, data=body, timeout=15, headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind} | headers)

    def leave(self):
        if self.location:
            return requests.delete(self.server.origin + self.location, headers={"Authorization": f"Bearer {self.token}"}, timeout=15)

    # STUN

    def check(self, transaction=None, use_candidate=True, username=None, password=None, priority=0x6E0001FF, method=0x0001):
        """A Binding request with integrity and fingerprint (RFC 8489)."""
        def attribute(kind, value):
            return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)

        body = attribute(0x0006, (username or f"{self.remote_ufrag}:{self.ufrag}").encode()) + attribute(0x0024, struct.pack("!I", priority))
        body += attribute(0x802A, b"\1\2\3\4\5\6\7\x08") + (attribute(0x0025, b"") if use_candidate else b"")
        transaction = transaction or os.urandom(12)
        head = lambda extra: struct.pack("!HHI", method, len(body) + extra, COOKIE) + transaction  # noqa: E731
        key = (password or self.remote_password).encode()
        body += attribute(0x0008, hmac.new(key, head(24) + body, hashlib.sha1).digest())
        return head(8) + body + attribute(0x8028, struct.pack("!I", zlib.crc32(head(8) + body) ^ 0x5354554E))

    def prove(self, tries=20):
        """Sends checks until one is answered."""
        for _ in range(tries):
            transaction = os.urandom(12)
            self.send_raw(self.check(transaction))
            data = self.wait_for(lambda one: one[0] < 4 and one[8:20] == transaction, 0.25)
            if data:
                assert data[:2] == b"\1\1", data.hex()
                return data
        raise AssertionError("no check was answered")

    # Datagrams

    def send_raw(self, data):
        self.socket.sendto(data, self.remote)

    def receive_raw(self, seconds):
        """The next datagram, or None."""
        self.socket.settimeout(max(0.001, seconds))
        try:
            data, source = self.socket.recvfrom(65_536)
        except (TimeoutError, BlockingIOError):
            return None
        self.sources.add(source[:2])
        return data

    def wait_for(self, is_wanted, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            data = self.receive_raw(left)
            if data and is_wanted(data):
                return data
            if data and self.opener:
                self.waiting += self.open(data)
        return None

    # DTLS

    def handshake(self, seconds=10):
        context = SSL.Context(SSL.DTLS_METHOD)
        context.use_privatekey(self.key)
        context.use_certificate(self.certificate)
        context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        context.set_tlsext_use_srtp(self.profiles)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        self.dtls = SSL.Connection(context, None)
        self.dtls.set_ciphertext_mtu(1200)
        self.dtls.set_connect_state()
        end, last = time.monotonic() + seconds, 0.0
        while time.monotonic() < end:
            try:
                self.dtls.do_handshake()
                self.flush_dtls()
                return self.make_keys()
            except SSL.WantReadError:
                self.flush_dtls()
            data = self.wait_for(lambda one: 20 <= one[0] < 64, 0.2)
            if data:
                self.dtls.bio_write(data)
            elif time.monotonic() - last > 0.4:
                last = time.monotonic()
                try:
                    self.dtls.DTLSv1_handle_timeout()
                except SSL.Error:
                    pass
                self.flush_dtls()
        raise AssertionError("DTLS did not come through")

    def flush_dtls(self):
        try:
            while True:
                data = self.dtls.bio_read(4096)
                at = 0
                while at + 13 <= len(data):  # a memory BIO forgets where datagrams end: a record each will do
                    size = 13 + struct.unpack_from("!H", data, at + 11)[0]
                    self.send_raw(data[at: at + size])
                    at += size
        except SSL.WantReadError:
            pass

    def make_keys(self):
        self.profile = self.dtls.get_selected_srtp_profile()
        is_gcm = self.profile == b"SRTP_AEAD_AES_128_GCM"
        key, salt = 16, 12 if is_gcm else 14
        material = self.dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client_key, server_key, rest = material[:key], material[key: 2 * key], material[2 * key:]
        profile = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM if is_gcm else pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80

        def make(secret, kind):
            policy = pylibsrtp.Policy(key=secret, ssrc_type=kind, srtp_profile=profile)
            policy.window_size, policy.allow_repeat_tx = 1024, True
            return pylibsrtp.Session(policy)

        self.sealer = make(client_key + rest[:salt], pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self.opener = make(server_key + rest[salt:], pylibsrtp.Policy.SSRC_ANY_INBOUND)

    def close_notify(self):
        self.dtls.shutdown()
        self.flush_dtls()

    # Media

    def join(self):
        answer = self.post()
        assert answer.status_code == 201, answer.text
        self.prove()
        self.handshake()
        return self

    def send_rtp(self, packet):
        self.send_raw(self.sealer.protect(packet))

    def send_rtcp(self, packet):
        self.send_raw(self.sealer.protect_rtcp(packet))

    def open(self, data):
        """The plain packets in a datagram: one, or none where it is no media or does not open."""
        if not 128 <= data[0] < 192:
            return []
        try:
            return [self.opener.unprotect_rtcp(data) if 192 <= data[1] < 224 else self.opener.unprotect(data)]
        except pylibsrtp.Error:
            return []

    def receive(self, seconds):
        """Plain RTP and RTCP packets that come in so many seconds."""
        packets, self.waiting = self.waiting, []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            data = self.receive_raw(left)
            if data:
                packets += self.open(data)
        return packets

    def close(self):
        self.socket.close()

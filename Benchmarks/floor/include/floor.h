/// What the network and the cipher cost alone: the floor under the server's packets. Seconds of one core for each packet; negative where it cannot be measured.
#pragma once

/// AES-128-GCM by OpenSSL's EVP over `size` bytes with 12 bytes of header.
double floor_seal(int size, int packets);
/// Packets of `size` bytes to sockets on loopback, `together` to one address as one message (UDP_SEGMENT), 64 messages in one `sendmmsg`.
double floor_send(int size, int together, int packets);
/// As `floor_send`, through io_uring: 64 messages in one system call. -1 where the kernel has none for us.
double floor_send_ring(int size, int together, int packets);
/// Seal and send to `count` listeners: each has a key and a socket of its own and sleeps until something comes; `together` packets of `size` bytes go to each
/// at every beat, `interval` seconds apart, in batches of 64 messages.
double floor_listeners(int count, int size, int together, int beats, double interval);
/// Packets of `size` bytes from one socket by `recvmmsg`, at most 64 at once.
double floor_receive(int size, int packets);

/// A crowd of plain RTP senders for foreign bridges: `count` sockets from `first_local` on, each to its port in `remote` on 127.0.0.1, one Opus packet
/// each 20 ms for `seconds`. Packets of those below `speakers` come from `speech`, of the others from `silence` (each entry: two bytes of length, big
/// endian, and the packet). With `level_id` > 0 packets say their level (RFC 6464).
/// Returns packets received back.
long floor_crowd(
    const unsigned short *remote, const unsigned short *local, int count, int speakers, const unsigned char *speech, int speech_packets,
    const unsigned char *silence, int silence_packets, int payload_type, int level_id, double seconds);

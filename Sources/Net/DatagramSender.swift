import Base
internal import CSockets
internal import Glibc

/// Datagrams that wait to leave together in one `sendmmsg`. Those that follow each other to one address leave as one message that the kernel cuts again
/// (`UDP_SEGMENT`, Linux 4.18): the packets of a frame, all of one size but the last, cost one walk through the network stack.
///
/// Unsafe, and why it holds: the blocks live as long as the object. A datagram is written at `used`, behind the last one, and `used` never passes
/// `arenaSize - largest` before one is written. Header `n` points at address, vector and control `n`; vector `n` at bytes of the arena.
package final class DatagramSender {
    package static let largest = 1_500
    package static let mostMessages = 128
    private static let arenaSize = 256 << 10
    /// Linux refuses more segments (UDP_MAX_SEGMENTS), and more bytes than an IP packet has.
    private static let (mostSegments, mostBytes) = (64, 65_000)

    private let arena = UnsafeMutablePointer<UInt8>.allocate(capacity: arenaSize)
    private let addresses = UnsafeMutablePointer<sockaddr_in6>.allocate(capacity: mostMessages)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: mostMessages)
    private let controls = UnsafeMutablePointer<nc_send_control>.allocate(capacity: mostMessages)
    private let headers = UnsafeMutablePointer<nc_mmsghdr>.allocate(capacity: mostMessages)
    private var used = 0
    private var count = 0
    /// Of the last message, while more may join it: its address, the size of its segments, and how many they are.
    private var address: TransportAddress?
    private var segment = 0
    private var segments = 0
    private let socket: UDPSocket
    private var locals: LocalAddressCache
    private let probe: SourceProbe
    /// Where datagrams for TCP connections go; nil where there are none.
    private let streams: StreamOutlet?
    /// Whether the kernel cuts messages.
    package private(set) var isSegmenting: Bool

    /// What the kernel did not take: its buffer was full, or the network is not reachable. Media does not wait for it.
    package private(set) var dropped: UInt64 = 0
    package private(set) var sent: UInt64 = 0
    package private(set) var calls: UInt64 = 0
    /// Handed to the kernel, each of one datagram or more.
    package private(set) var messages: UInt64 = 0

    /// - Parameter locals: own addresses, by the numbers that addresses carry.
    package init(socket: UDPSocket, locals: LocalAddresses, streams: StreamOutlet? = nil, segmenting: Bool = true) {
        self.socket = socket
        self.streams = streams
        self.locals = LocalAddressCache(locals)
        probe = SourceProbe(isIPv6: socket.isIPv6)
        isSegmenting = segmenting && nc_can_segment(socket.descriptor) == 1
        addresses.initialize(repeating: sockaddr_in6(), count: Self.mostMessages)
        headers.initialize(repeating: nc_mmsghdr(), count: Self.mostMessages)
        for index in 0..<Self.mostMessages {
            (vectors + index).initialize(to: iovec(iov_base: arena, iov_len: 0))
            (controls + index).initialize(to: nc_send_control())
            headers[index].msg_hdr.msg_iov = vectors + index
            headers[index].msg_hdr.msg_iovlen = 1
            headers[index].msg_hdr.msg_name = UnsafeMutableRawPointer(addresses + index)
        }
    }

    deinit {
        arena.deallocate()
        addresses.deallocate()
        vectors.deallocate()
        controls.deallocate()
        headers.deallocate()
    }

    /// `address` as it may be written to messages: without the own address where the kernel takes that one by itself, which is cheaper. Two system calls.
    package func leaving(to address: TransportAddress) -> TransportAddress {
        guard !address.isStream, let own = locals.address(address.local), probe.source(for: address) == own else { return address }
        var short = address
        short.local = 0
        return short
    }

    /// Has `write` make a datagram in place; one of no length is none. A full batch leaves first.
    package func append(to address: TransportAddress, _ write: (inout MutableSpan<UInt8>) -> Int) {
        if address.isStream { return appendToStream(address, write) }
        if used > Self.arenaSize - Self.largest || (count == Self.mostMessages && address != self.address) { flush() }
        var room = UnsafeMutableBufferPointer(start: arena + used, count: Self.largest).mutableSpan
        let length = write(&room)
        guard length > 0, length <= Self.largest else { return }
        if !join(length, address) { begin(length, address) }
        used += length
    }

    /// Made behind the datagrams that wait, whose place it leaves again at once.
    private func appendToStream(_ address: TransportAddress, _ write: (inout MutableSpan<UInt8>) -> Int) {
        if used > Self.arenaSize - Self.largest { flush() }
        var room = UnsafeMutableBufferPointer(start: arena + used, count: Self.largest).mutableSpan
        let length = write(&room)
        guard length > 0, length <= Self.largest else { return }
        streams?.send(room.span.extracting(first: length), to: address)
    }

    private func join(_ length: Int, _ address: TransportAddress) -> Bool {
        guard segments < Self.mostSegments, length <= segment, address == self.address,
            Int(vectors[count - 1].iov_len) + length <= Self.mostBytes
        else { return false }
        vectors[count - 1].iov_len += length
        segments += 1
        if segments == 2 { nc_set_segment(headers + count - 1, controls + count - 1, UInt16(segment)) }
        // A shorter one ends the message.
        if length < segment { close() }
        return true
    }

    private func begin(_ length: Int, _ address: TransportAddress) {
        if count == Self.mostMessages {
            // The datagram lies behind those that leave now, and stays where it is.
            let start = used
            flush()
            (arena).update(from: arena + start, count: length)
        }
        vectors[count] = iovec(iov_base: arena + used, iov_len: length)
        headers[count].msg_hdr.msg_namelen = address.write(to: &addresses[count], mapped: socket.isIPv6)
        let family = socket.isIPv6 ? AF_INET6 : AF_INET
        if let local = locals.address(address.local) {
            local.withMappedBytes { nc_begin_control(headers + count, controls + count, $0, family) }
        } else {
            nc_begin_control(headers + count, controls + count, nil, family)
        }
        count += 1
        guard isSegmenting else { return }
        (self.address, segment, segments) = (address, length, 1)
    }

    private func close() { (address, segment, segments) = (nil, 0, 0) }

    /// Sends what waits.
    package func flush() {
        var done = 0
        while done < count {
            let taken = nc_sendmmsg(socket.descriptor, headers + done, UInt32(count - done), Int32(MSG_DONTWAIT))
            calls += 1
            if taken > 0 {
                for index in done..<done + Int(taken) { sent += UInt64(parts(index)) }
                messages += UInt64(taken)
                done += Int(taken)
                continue
            }
            let code = errno
            if code == EINTR { continue }
            if code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS {
                // The buffer is full: what waits is lost, as on any network.
                for index in done..<count { dropped += UInt64(parts(index)) }
                break
            }
            // The first of the rest was refused; the others get their turn.
            refused(done, code)
            done += 1
        }
        (used, count) = (0, 0)
        close()
    }

    /// Datagrams in message `index`.
    private func parts(_ index: Int) -> Int {
        let size = controls[index].segment
        guard size > 0 else { return 1 }
        return (Int(vectors[index].iov_len) + Int(size) - 1) / Int(size)
    }

    /// A message that the kernel did not cut leaves in parts: EINVAL where the way's MTU is smaller than a segment, EIO where the device cannot
    /// make checksums of parts.
    private func refused(_ index: Int, _ code: Int32) {
        let size = Int(controls[index].segment)
        guard size > 0 else { return dropped += 1 }
        if code == EIO || code == EOPNOTSUPP || code == ENOPROTOOPT { isSegmenting = false }
        let (start, whole) = (vectors[index].iov_base, Int(vectors[index].iov_len))
        nc_set_segment(headers + index, controls + index, 0)
        for offset in stride(from: 0, to: whole, by: size) {
            vectors[index] = iovec(iov_base: start.map { $0 + offset }, iov_len: min(size, whole - offset))
            let isTaken = nc_sendmmsg(socket.descriptor, headers + index, 1, Int32(MSG_DONTWAIT)) == 1
            calls += 1
            if isTaken { (sent, messages) = (sent + 1, messages + 1) } else { dropped += 1 }
        }
    }
}

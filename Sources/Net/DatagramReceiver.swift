import Base
internal import CSockets

/// Room for a batch of datagrams, and the call that fills it.
///
/// Unsafe, and why it holds: the six blocks are allocated once and freed in `deinit`; each header points into the blocks at its own index for as long
/// as the object lives; nothing hands a pointer out beyond a closure.
package final class DatagramReceiver {
    package static let batch = 64
    /// More than any path delivers unfragmented; a longer datagram is cut by the kernel, and SRTP or STUN then refuses it.
    package static let largest = 2_048

    private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: batch * largest)
    private let addresses = UnsafeMutablePointer<sockaddr_in6>.allocate(capacity: batch)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    private let headers = UnsafeMutablePointer<nc_mmsghdr>.allocate(capacity: batch)

    private let controls = UnsafeMutablePointer<nc_receive_control>.allocate(capacity: batch)
    private var locals: LocalAddressCache
    private var filled = batch
    /// CLOCK_REALTIME less CLOCK_MONOTONIC, nanoseconds, as of the last batch: the wall clock may be set at any time.
    private var offset: Int64 = 0

    package init(_ locals: LocalAddresses) {
        self.locals = LocalAddressCache(locals)
        controls.initialize(repeating: nc_receive_control(), count: Self.batch)
        addresses.initialize(repeating: sockaddr_in6(), count: Self.batch)
        headers.initialize(repeating: nc_mmsghdr(), count: Self.batch)
        for index in 0..<Self.batch {
            (vectors + index).initialize(to: iovec(iov_base: bytes + index * Self.largest, iov_len: Self.largest))
            headers[index].msg_hdr.msg_iov = vectors + index
            headers[index].msg_hdr.msg_iovlen = 1
            headers[index].msg_hdr.msg_name = UnsafeMutableRawPointer(addresses + index)
        }
    }

    deinit {
        bytes.deallocate()
        addresses.deallocate()
        vectors.deallocate()
        headers.deallocate()
        controls.deallocate()
    }

    /// - Returns: how many datagrams arrived; 0 when none waits.
    package func receive(from socket: UDPSocket) -> Int {
        // The kernel writes what it used; only what it wrote to the last time is not as it was.
        for index in 0..<filled {
            headers[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in6>.size)
            nc_expect_control(headers + index, controls + index)
        }
        filled = max(0, Int(nc_recvmmsg(socket.descriptor, headers, UInt32(Self.batch), Int32(MSG_DONTWAIT))))
        if filled > 0 { offset = MediaClock.wallClockOffset() }
        return filled
    }

    /// The bytes of datagram `index` of the last batch, where they came from, and when they reached the kernel; `now` where that is not known.
    /// - Parameter earliest: no datagram of this batch came before.
    package func withDatagram(
        _ index: Int, earliest: Instant, now: Instant, _ body: (inout MutableSpan<UInt8>, TransportAddress, Instant) -> Void
    ) {
        let length = min(Int(headers[index].msg_len), Self.largest)
        var span = UnsafeMutableBufferPointer(start: bytes + index * Self.largest, count: length).mutableSpan
        var source = TransportAddress(socketAddress: addresses[index])
        let told = nc_read_control(headers + index)
        if told.is_known != 0 { source.local = locals.number(of: TransportAddress(mapped: told.local)) }
        let arrival = told.time > 0 ? max(earliest, min(now, Instant(nanoseconds: told.time - offset))) : now
        body(&span, source, arrival)
    }
}

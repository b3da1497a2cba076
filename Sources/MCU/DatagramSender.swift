import CSockets
import Foundation
import ICE

/// Datagrams that wait to leave together in one `sendmmsg`.
///
/// Unsafe, and why it holds: as in `DatagramReceiver`; the blocks live as long as the object, each header points at its own index.
final class DatagramSender {
    static let batch = 128
    static let largest = 1_500

    private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: batch * largest)
    private let addresses = UnsafeMutablePointer<sockaddr_in6>.allocate(capacity: batch)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    private let headers = UnsafeMutablePointer<nc_mmsghdr>.allocate(capacity: batch)
    private var count = 0
    private let socket: UDPSocket

    /// What the kernel did not take: its buffer was full, or the network is not reachable. Media does not wait for it.
    private(set) var dropped: UInt64 = 0
    private(set) var sent: UInt64 = 0

    init(socket: UDPSocket) {
        self.socket = socket
        addresses.initialize(repeating: sockaddr_in6(), count: Self.batch)
        headers.initialize(repeating: nc_mmsghdr(), count: Self.batch)
        for index in 0..<Self.batch {
            (vectors + index).initialize(to: iovec(iov_base: bytes + index * Self.largest, iov_len: 0))
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
    }

    /// Copies `datagram` into the batch; a full batch leaves first.
    func append(_ datagram: Span<UInt8>, to address: TransportAddress) {
        guard datagram.count <= Self.largest else {
            dropped += 1
            return
        }
        if count == Self.batch { flush() }
        datagram.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { (bytes + count * Self.largest).update(from: start, count: source.count) }
        }
        vectors[count].iov_len = datagram.count
        headers[count].msg_hdr.msg_namelen = address.write(to: &addresses[count], mapped: socket.isIPv6)
        count += 1
    }

    /// Sends what waits.
    func flush() {
        var done = 0
        while done < count {
            let taken = nc_sendmmsg(socket.descriptor, headers + done, UInt32(count - done), Int32(MSG_DONTWAIT))
            if taken > 0 {
                done += Int(taken)
                sent += UInt64(taken)
            } else if errno == EINTR {
                continue
            } else {
                // The first of the rest was refused: it is lost, as on any network, and the others get their turn unless the buffer is full.
                let isFull = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS
                let lost = isFull ? count - done : 1
                dropped += UInt64(lost)
                done += lost
            }
        }
        count = 0
    }
}

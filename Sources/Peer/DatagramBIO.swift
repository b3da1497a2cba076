import COpenSSL
import Foundation

/// The two ends of an OpenSSL association that keep the borders of datagrams, which memory BIOs do not: each write of OpenSSL is one datagram.
///
/// It also catches OpenSSL's retransmission timer. OpenSSL 3.0 reads the real clock for it and offers no other; but it tells its BIO of each change
/// (`BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT`) by the address of its own field. So the caller's clock decides: `expireTimer` puts the field into the past, and
/// `DTLSv1_handle_timeout` then does its work. From 3.2 on the address is that of a copy, so there it is not kept and the real clock decides.
///
/// Unsafe, and why it holds: OpenSSL calls back only during calls that `DTLSTransport` makes, and the transport owns both this object and the association;
/// the field lives as long as the association does.
final class DatagramBIO {
    /// Most datagrams of one flight that wait; a flight has at most a few.
    static let limit = 64
    private(set) var outgoing: [[UInt8]] = []
    /// nil where there is nothing to read.
    private var incoming: UnsafeRawBufferPointer?
    /// Whether OpenSSL waits for an answer to its flight.
    private(set) var isTimerArmed = false
    /// Whether OpenSSL has set or stopped its timer since this was last cleared.
    var isTimerChanged = false
    private var timerField: UnsafeMutablePointer<timeval>?
    static let isTimerFieldLive = OpenSSL_version_num() < 0x3020_0000

    func takeOutgoing() -> [[UInt8]] {
        defer { outgoing.removeAll() }
        return outgoing
    }

    /// Runs `body` with `datagram` as all that there is to read.
    func withIncoming(_ datagram: Span<UInt8>, _ body: () -> Void) {
        datagram.withUnsafeBufferPointer { bytes in
            incoming = UnsafeRawBufferPointer(bytes)
            body()
            incoming = nil
        }
    }

    /// Makes OpenSSL believe that the time is up.
    func expireTimer() {
        guard isTimerArmed else { return }
        timerField?.pointee = timeval(tv_sec: 1, tv_usec: 0)
    }

    /// A BIO over this object, which must outlive it.
    func makeBIO() -> OpaquePointer? {
        guard let method = Self.method.pointer, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        // Beyond the limit the datagram is lost, as the network might have lost it.
        if outgoing.count < Self.limit { outgoing.append(Array(bytes)) }
        return Int32(bytes.count)
    }

    /// - Returns: -1 where nothing waits. What does not fit is cut, as `recv` cuts it.
    private func read(into room: UnsafeMutableRawBufferPointer) -> Int32 {
        guard let datagram = incoming else { return -1 }
        incoming = nil
        let count = min(datagram.count, room.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: datagram[..<count]))
        return Int32(count)
    }

    private func control(_ command: Int32, _ argument: UnsafeMutableRawPointer?) -> Int {
        switch command {
        case BIO_CTRL_FLUSH: return 1
        case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
            guard let field = argument?.assumingMemoryBound(to: timeval.self) else { return 0 }
            timerField = Self.isTimerFieldLive ? field : nil
            isTimerArmed = field.pointee.tv_sec != 0 || field.pointee.tv_usec != 0
            isTimerChanged = true
            return 1
        default: return 0  // among them: bytes waiting (none), the MTU's overhead (we tell the MTU itself)
        }
    }

    /// The table of callbacks, one for the process, never freed.
    private struct Method: @unchecked Sendable {
        let pointer: OpaquePointer?
    }
    private static let method = Method(pointer: makeMethod())

    private static func object(of bio: OpaquePointer?) -> DatagramBIO? {
        guard let data = BIO_get_data(bio) else { return nil }
        return Unmanaged<DatagramBIO>.fromOpaque(data).takeUnretainedValue()
    }

    private static func makeMethod() -> OpaquePointer? {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "nhipcau datagrams") else { return nil }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bytes, count > 0, let object = DatagramBIO.object(of: bio) else { return -1 }
            return object.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        }
        BIO_meth_set_read(method) { bio, room, count in
            BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
            guard let room, count > 0, let object = DatagramBIO.object(of: bio) else { return -1 }
            let got = object.read(into: UnsafeMutableRawBufferPointer(start: room, count: Int(count)))
            if got < 0 { BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY) }
            return got
        }
        BIO_meth_set_ctrl(method) { bio, command, _, argument in DatagramBIO.object(of: bio)?.control(command, argument) ?? 0 }
        return method
    }
}

import Base
internal import CSockets

/// The machine's own addresses that datagrams came to, by the number under which `TransportAddress.local` names them.
///
/// The media sockets are bound to no address. What leaves must carry the address that the client wrote to: it checked that one and no other
/// (RFC 8445 §7.3.1.1). Shared by all workers, since one may hand a datagram to another.
package final class LocalAddresses: Sendable {
    /// More than any machine has; from there on the kernel chooses. Bounds what somebody on the machine itself can do with 127.0.0.0/8.
    package static let most = 1_024
    private let list = Guarded<[TransportAddress]>([])

    package init() {}

    /// - Parameter address: of this machine, without a port.
    /// - Returns: its number, from 1 on; 0 where there is no room.
    package func number(of address: TransportAddress) -> UInt16 {
        list.withLock { list in
            if let known = list.firstIndex(of: address) { return UInt16(known + 1) }
            guard list.count < Self.most else { return 0 }
            list.append(address)
            return UInt16(list.count)
        }
    }

    package var all: [TransportAddress] { list.withLock { $0 } }
}

/// One thread's view of `LocalAddresses`: a datagram costs a comparison, and no lock.
struct LocalAddressCache {
    private let shared: LocalAddresses
    private var known: [TransportAddress] = []
    private var last: (address: TransportAddress, number: UInt16)?

    init(_ shared: LocalAddresses) { self.shared = shared }

    mutating func number(of address: TransportAddress) -> UInt16 {
        if let last, last.address == address { return last.number }
        let number = known.firstIndex(of: address).map { UInt16($0 + 1) } ?? shared.number(of: address)
        if Int(number) > known.count { known = shared.all }
        last = (address, number)
        return number
    }

    /// nil for 0: whichever the kernel takes.
    mutating func address(_ number: UInt16) -> TransportAddress? {
        guard number > 0 else { return nil }
        if Int(number) > known.count { known = shared.all }
        return Int(number) <= known.count ? known[Int(number) - 1] : nil
    }
}

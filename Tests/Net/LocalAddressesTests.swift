import Base
import Testing

@testable import Net

struct LocalAddressesTests {
    private func address(_ number: Int) -> TransportAddress { TransportAddress(ipv4: 0x7f00_0000 + UInt32(number), port: 0) }

    @Test func `an address has one number for all threads, and none where there is no room`() {
        let shared = LocalAddresses()
        var (one, other) = (LocalAddressCache(shared), LocalAddressCache(shared))
        #expect(one.number(of: address(1)) == 1 && other.number(of: address(2)) == 2 && one.number(of: address(2)) == 2)
        #expect(other.address(1) == address(1) && one.address(2) == address(2))
        #expect(one.address(0) == nil && one.address(3) == nil)
        for number in 1...LocalAddresses.most { _ = one.number(of: address(number)) }
        #expect(one.number(of: address(LocalAddresses.most + 1)) == 0 && shared.all.count == LocalAddresses.most)
        #expect(other.address(UInt16(LocalAddresses.most)) == address(LocalAddresses.most))
    }
}

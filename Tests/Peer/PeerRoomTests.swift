import Testing

@testable import Peer

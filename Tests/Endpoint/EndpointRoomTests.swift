import Testing

@testable import Endpoint

import Testing

@testable import MCU

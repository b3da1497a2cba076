import Testing

@testable import Meetings

enum Demo { static func run(_ words: [String]) async throws(CommandFailure) -> Int32 { 0 } }

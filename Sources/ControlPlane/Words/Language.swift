/// The languages that people are answered in; Vietnamese where nobody says otherwise.
enum Language: String, CaseIterable, Sendable {
    case vi, en

    /// - Parameter header: `Accept-Language` (RFC 9110 §12.5.4).
    init(accepting header: String?) {
        var best: (language: Language, quality: Double)?
        for item in (header ?? "").split(separator: ",").prefix(16) {
            let parts = item.split(separator: ";").map { $0.trimmingSpaces }
            guard let tag = parts.first, let language = Language(rawValue: String(tag.lowercased().prefix { $0 != "-" })) else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if weight > best?.quality ?? 0 { best = (language, weight) }
        }
        self = best?.language ?? .vi
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(start[...last])
    }
}

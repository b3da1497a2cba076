import Foundation

/// What the channel says of an endpoint's own picture: `participants` of a snapshot and the participant of an event (`video.lines`).
struct PictureWishes: Equatable {
    /// Lines by the session's id, as the channel writes it.
    var lines: [String: Int] = [:]

    private struct Message: Decodable {
        var participant: Seat?
        var participants: [Seat]?
    }
    private struct Seat: Decodable {
        var id: String
        var video: Video?
    }
    private struct Video: Decodable { var lines: Int? }

    /// - Parameter message: JSON. What is none, or says nothing of pictures, holds no wish.
    init(message: [UInt8]) {
        // A foreign message is no fault of the endpoint's, and nothing of it is needed.
        guard let message = try? JSONDecoder().decode(Message.self, from: Data(message)) else { return }
        for seat in (message.participants ?? []) + (message.participant.map { [$0] } ?? []) {
            if let wanted = seat.video?.lines, wanted > 0 { lines[seat.id] = wanted }
        }
    }
}

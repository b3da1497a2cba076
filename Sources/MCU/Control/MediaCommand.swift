import Base
import Foundation
import ICE
import RTP
import SDP

/// What control, mixers and composers ask of a media worker.
enum MediaCommand: Sendable {
    /// One tick's sound of a meeting, for every connected session of it.
    case audio(Bridge, AudioFrame)
    /// One picture of a stream, for those of the meeting who receive it. `keys`: the streams that have a key frame in the same beat.
    case video(Bridge, PictureStream, keys: StreamSet, PacketisedFrame)
    /// A later negotiation; new credentials after an ICE restart.
    case apply(session: UUID, NegotiatedSession, ICECredentials?)
    /// This sender's picture is needed from a key frame on.
    case requestKeyFrame(session: UUID, source: Int)
    /// This sender's picture is shown in so many lines: of a simulcast the nearest layer is enough.
    case wantHeight(session: UUID, source: Int, lines: Int)
    /// Whether any view shows this sender's camera.
    case wantVideo(session: UUID, Bool)
    /// The session hears another mix.
    case listen(session: UUID)
    /// The session takes another view.
    case watch(session: UUID)
    /// This sender sends more than it may: it is told of a lower limit.
    case lowerVideo(session: UUID)
    case close(session: UUID, LeaveReason)
    /// A datagram that reached the wrong worker, and from where.
    case datagram([UInt8], from: TransportAddress)
    case stop
}

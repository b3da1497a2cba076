import Formats
import Meetings
import WebServer

/// One request on its way to its answer.
struct Call: Sendable {
    var request: HTTPRequest
    /// What the path's places hold.
    var parameters: [String: String]
    var language: Language
    /// Set on every route that is not open.
    var caller: Caller?

    func query(_ name: String) -> String? { request.query.first { $0.name == name }?.value }
}

/// A method at an address.
struct Route: Sendable {
    enum Access: Equatable, Sendable {
        case open, signedIn
        case act(Act)
    }
    typealias Handler = @Sendable (ControlPlane) -> (Call) async throws(Problem) -> HTTPResponse
    var method: String
    /// Segments in braces are places.
    var pattern: String
    var access: Access
    /// What a JSON body must be: one of these; empty where none is read.
    var bodies: [Shape]
    var handler: Handler

    init(_ method: String, _ pattern: String, _ access: Access, bodies: [Shape] = [], _ handler: @escaping Handler) {
        self.method = method
        self.pattern = pattern
        self.access = access
        self.bodies = bodies
        self.handler = handler
    }

    /// A route whose JSON body is read and checked before its handler is called.
    init<Body: Declared>(
        _ method: String, _ pattern: String, _ access: Access, _: Body.Type,
        _ handler: @escaping @Sendable (ControlPlane) -> (Call, Body) async throws(Problem) -> HTTPResponse
    ) {
        self.init(method, pattern, access, bodies: [Body.members.shape()]) { control in
            { call throws(Problem) in try await handler(control)(call, try call.body(Body.self)) }
        }
    }
}

/// Finds the route of a request.
struct Router: Sendable {
    enum Match {
        case route(Route, [String: String])
        /// The address exists for these methods.
        case otherMethods([String])
        case none
    }
    private let routes: [(segments: [Substring], route: Route)]

    init(_ routes: [Route]) { self.routes = routes.map { (Self.segments($0.pattern), $0) } }

    func find(_ method: String, _ path: String) -> Match {
        let asked = path.utf8.count <= 512 ? Self.segments(path[...]) : []
        var allowed: [String] = []
        for (segments, route) in routes {
            guard let parameters = Self.match(segments, asked) else { continue }
            if route.method == method { return .route(route, parameters) }
            allowed.append(route.method)
        }
        return allowed.isEmpty ? .none : .otherMethods(allowed)
    }

    private static func segments(_ path: some StringProtocol) -> [Substring] {
        Substring(path).split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func match(_ pattern: [Substring], _ path: [Substring]) -> [String: String]? {
        guard pattern.count == path.count else { return nil }
        var parameters: [String: String] = [:]
        for (want, have) in zip(pattern, path) {
            if want.hasPrefix("{") {
                parameters[String(want.dropFirst().dropLast())] = String(have)
            } else if want != have {
                return nil
            }
        }
        return parameters
    }
}

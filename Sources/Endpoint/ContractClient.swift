import Base
import Foundation
import FoundationNetworking

/// Where an endpoint joins a meeting.
package protocol MeetingDoor: Sendable {
    func join(offer: String, meeting: String, name: String, site: String?) async throws(CommandFailure) -> ContractClient.Join
    func leave(_ location: URL) async
    /// Opens the meeting's channel; empty where there is none.
    var token: String { get }
}

/// The calls of the contract that an endpoint makes over HTTP.
package struct ContractClient: MeetingDoor {
    package struct Join: Sendable {
        package var answer: String
        package var location: URL
        package init(answer: String, location: URL) {
            self.answer = answer
            self.location = location
        }
    }

    static let timeout: TimeInterval = 15
    static let mostBytes = 1 << 20
    let server: URL
    let session: URLSession
    package private(set) var token: String

    /// Signs in where there is no token.
    /// - Throws: `CommandFailure` with what to do about it.
    package init(_ options: EndpointOptions) async throws(CommandFailure) {
        server = options.server
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = Self.timeout
        configuration.httpMaximumConnectionsPerHost = 4
        session = URLSession(configuration: configuration)
        token = options.token ?? ""
        if options.token == nil { token = try await signIn(options.username ?? "", options.password ?? "") }
    }

    package func join(offer: String, meeting: String, name: String, site: String?) async throws(CommandFailure) -> Join {
        var query = [URLQueryItem(name: "name", value: name)]
        if let site { query.append(URLQueryItem(name: "site", value: site)) }
        let path = "api/v1/meetings/\(meeting.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(["-"])) ?? meeting)/media"
        var request = request("POST", server.appending(path: path).appending(queryItems: query))
        request.setValue("application/sdp", forHTTPHeaderField: "Content-Type")
        request.setValue("application/sdp", forHTTPHeaderField: "Accept")
        request.httpBody = Data(offer.utf8)
        let (data, response) = try await send(request)
        guard response.statusCode == 201 else { throw refusal(response, data) }
        guard let header = response.value(forHTTPHeaderField: "Location"), let location = URL(string: header, relativeTo: request.url)
        else {
            throw CommandFailure(code: ExitCode.protocol, line: "\(server): the answer has no Location. Is this a Nhịp Cầu server?")
        }
        return Join(answer: String(decoding: data, as: UTF8.self), location: location.absoluteURL)
    }

    /// Leaves; what the server says to it changes nothing.
    package func leave(_ location: URL) async {
        // The session ends by itself where this does not reach the server.
        _ = try? await send(request("DELETE", location))
    }

    private func signIn(_ username: String, _ password: String) async throws(CommandFailure) -> String {
        struct Answer: Decodable { var token: String }
        var request = request("POST", server.appending(path: "api/v1/session"))
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        // Two texts can always be written; an empty body would be refused by the server, with its words.
        request.httpBody = try? JSONEncoder().encode(["username": username, "password": password])
        let (data, response) = try await send(request)
        guard response.statusCode == 201 else { throw refusal(response, data) }
        // What is wrong with a foreign answer helps nobody: the line below says whose it may be.
        guard let answer = try? JSONDecoder().decode(Answer.self, from: data) else {
            throw CommandFailure(
                code: ExitCode.protocol, line: "\(server): the answer to signing in has no token. Is this a Nhịp Cầu server?")
        }
        return answer.token
    }

    private func request(_ method: String, _ url: URL) -> URLRequest {
        var request = URLRequest(url: url)
        request.httpMethod = method
        // The token goes to the server that it was given for, and to no other that a Location may name.
        if !token.isEmpty, url.host() == server.host(), url.port == server.port, url.scheme == server.scheme {
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        request.setValue("en", forHTTPHeaderField: "Accept-Language")
        return request
    }

    private func send(_ request: URLRequest) async throws(CommandFailure) -> (Data, HTTPURLResponse) {
        do {
            let (data, response) = try await session.data(for: request)
            guard let response = response as? HTTPURLResponse, data.count <= Self.mostBytes else { throw URLError(.badServerResponse) }
            return (data, response)
        } catch {
            throw CommandFailure(
                code: ExitCode.unavailable,
                line:
                    "\(server) cannot be reached: \(error.localizedDescription) Is it running, and --server right? A self-signed certificate must be in the system's store (update-ca-certificates)."
            )
        }
    }

    private func refusal(_ response: HTTPURLResponse, _ body: Data) -> CommandFailure {
        struct Problem: Decodable {
            var title: String?
            var detail: String?
        }
        // A body that is no problem has no words; those of the status are taken.
        let problem = try? JSONDecoder().decode(Problem.self, from: body)
        let words = problem.flatMap { $0.detail ?? $0.title } ?? HTTPURLResponse.localizedString(forStatusCode: response.statusCode)
        switch response.statusCode {
        case 401: return CommandFailure(code: ExitCode.notAllowed, line: "\(server) refuses the token or password (401): \(words)")
        case 403: return CommandFailure(code: ExitCode.notAllowed, line: "\(server) refuses (403): \(words)")
        default: return CommandFailure(code: 1, line: "\(server) refuses (\(response.statusCode)): \(words)")
        }
    }
}

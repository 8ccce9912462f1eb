import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Asks other machines over HTTP, within bounds: addresses, redirects, bytes, time.
///
/// A host's addresses are looked up once and checked, and the connection goes to the address that was checked: a name
/// that answers differently a moment later gains nothing. Each redirect is checked as if it were asked for itself.
public struct WebClient: Sendable {
    /// Bounds of one request.
    public struct Limits: Sendable, Hashable {
        /// Longest wait for the whole answer, redirects counted in, in seconds; of a stream of lines for its head and from one piece
        /// to the next.
        public var seconds: Double
        /// Longest time that a whole stream of lines may take, in seconds: a long reply comes for as long as somebody writes it.
        public var streamSeconds: Double
        /// Most bytes of an answer.
        public var bytes: Int
        public var redirects: Int

        public init(seconds: Double = 10, streamSeconds: Double = 600, bytes: Int = 2_000_000, redirects: Int = 3) {
            self.seconds = seconds
            self.streamSeconds = max(seconds, streamSeconds)
            self.bytes = bytes
            self.redirects = redirects
        }
    }

    /// What is asked.
    public struct Request: Sendable {
        public var url: String
        public var method = "GET"
        public var headers: [(name: String, value: String)] = []
        public var body: [UInt8]?

        public init(_ url: String) { self.url = url }
    }

    private let rule: AddressRule
    private let resolver: any NameResolver
    private let now: @Sendable () -> ContinuousClock.Instant
    public let limits: Limits

    public init(
        rule: AddressRule = AddressRule(), limits: Limits = Limits(), resolver: any NameResolver = SystemResolver(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.rule = rule
        self.limits = limits
        self.resolver = resolver
        self.now = now
    }

    /// The body of an answer with status 200.
    /// - Throws: `RemoteError`; `CancellationError`.
    public func body(of request: Request) async throws -> [UInt8] {
        var request = request
        let deadline = now() + .seconds(limits.seconds)
        for _ in 0...max(0, limits.redirects) {
            switch try await answer(to: request, by: deadline) {
            case .body(let bytes): return bytes
            case .redirect(let location):
                guard let base = URL(string: request.url),
                    let next = URL(string: location, relativeTo: base)?.absoluteURL
                else { throw RemoteError(.badAddress, "redirected to no address") }
                // A key is for the service that it was given for.
                if !Self.isSameService(base, next) {
                    request.headers.removeAll {
                        ["authorization", "x-subscription-token", "cookie"].contains($0.name.lowercased())
                    }
                }
                request.url = next.absoluteString
            }
        }
        throw RemoteError(.redirects, "redirected more than \(limits.redirects) times")
    }

    /// Whether a redirect stays with one service: another port is another one, and what went over TLS must not go on
    /// in the clear.
    private static func isSameService(_ url: URL, _ next: URL) -> Bool {
        guard url.host?.lowercased() == next.host?.lowercased(), url.port == next.port else { return false }
        let (scheme, other) = (url.scheme?.lowercased(), next.scheme?.lowercased())
        return scheme == other || (scheme == "http" && other == "https")
    }

    /// Lines of an answer with status 200 as they come, for streams of events. No redirects.
    public func lines(
        of request: Request, onLine: @escaping @Sendable (String) throws -> Void
    ) async throws {
        let deadline = now() + .seconds(limits.streamSeconds)
        try await exchange(request, by: now() + .seconds(limits.seconds)) { response, host in
            guard response.status.code == 200 else {
                throw RemoteError(
                    .status, "\(host): status \(response.status.code)", status: Int(response.status.code))
            }
            var rest: [UInt8] = []
            var count = 0
            for try await buffer in response.body {
                try check(deadline, limits.streamSeconds, host)
                count += buffer.readableBytes
                guard count <= limits.bytes else {
                    throw RemoteError(.tooLarge, "\(host): more than \(limits.bytes) bytes")
                }
                rest += Array(buffer.readableBytesView)
                while let end = rest.firstIndex(of: 0x0A) {
                    try onLine(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeFirst(end + 1)
                }
            }
            if !rest.isEmpty { try onLine(String(decoding: rest, as: UTF8.self)) }
        }
    }

    private enum Answer: Sendable {
        case body([UInt8])
        case redirect(String)
    }

    private func answer(to request: Request, by deadline: ContinuousClock.Instant) async throws -> Answer {
        try await exchange(request, by: deadline) { response, host in
            switch response.status.code {
            case 200:
                if let length = response.headers.first(name: "content-length").flatMap(Int.init), length > limits.bytes
                {
                    throw RemoteError(.tooLarge, "\(host): more than \(limits.bytes) bytes")
                }
                var bytes: [UInt8] = []
                for try await buffer in response.body {
                    try check(deadline, limits.seconds, host)
                    guard bytes.count + buffer.readableBytes <= limits.bytes else {
                        throw RemoteError(.tooLarge, "\(host): more than \(limits.bytes) bytes")
                    }
                    bytes += Array(buffer.readableBytesView)
                }
                return .body(bytes)
            case 301, 302, 303, 307, 308:
                guard let location = response.headers.first(name: "location") else {
                    throw RemoteError(.badAnswer, "\(host): a redirect without an address")
                }
                return .redirect(location)
            case let status:
                throw RemoteError(.status, "\(host): status \(status)", status: Int(status))
            }
        }
    }

    /// - Throws: `RemoteError` `timeout` for an answer that is still coming at its deadline.
    private func check(_ deadline: ContinuousClock.Instant, _ seconds: Double, _ host: String) throws {
        guard now() < deadline else {
            throw RemoteError(.timeout, "\(host): the answer was not whole within \(seconds) s")
        }
    }

    /// Checks where a request goes, makes it there and nowhere else, and hands the answer over.
    /// - Parameter deadline: when the answer's head must be there; no piece of its body may be longer in coming than
    ///   `limits.seconds`, or than was left at the beginning.
    private func exchange<R: Sendable>(
        _ request: Request, by deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable (HTTPClientResponse, String) async throws -> R
    ) async throws -> R {
        guard let url = URL(string: request.url), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = url.host, !host.isEmpty
        else { throw RemoteError(.badAddress, "not an address of HTTP") }
        let bare = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        let addresses = AddressRule.bytes(of: bare) != nil ? [bare] : try await resolver.addresses(of: bare)
        // One address of the house among public ones is one too many.
        guard let address = addresses.first, addresses.allSatisfy(rule.allows) else {
            throw RemoteError(.forbiddenAddress, "\(host): an address inside the house")
        }
        let left = (deadline - now()) / Duration.seconds(1)
        guard left > 0 else { throw RemoteError(.timeout, "\(host): no answer within \(limits.seconds) s") }
        // A millisecond at least: no time at all would be taken for no limit.
        let wait = TimeAmount.milliseconds(max(1, Int64(left * 1000)))
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.dnsOverride = [bare: address]
        configuration.timeout.connect = wait
        // The client's own deadline ends with the head of an answer; a body that stalls would hold its place for ever.
        configuration.timeout.read = wait
        configuration.httpVersion = .http1Only
        var ask = HTTPClientRequest(url: request.url)
        ask.method = HTTPMethod(rawValue: request.method)
        for header in request.headers { ask.headers.add(name: header.name, value: header.value) }
        if let bytes = request.body { ask.body = .bytes(bytes) }
        let (limits, prepared) = (limits, ask)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<R, any Error>
        do {
            let response = try await client.execute(prepared, timeout: wait)
            result = .success(try await body(response, host))
        } catch let error as RemoteError {
            result = .failure(error)
        } catch let error as HTTPClientError {
            let isLate = [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error)
            result = .failure(
                isLate
                    ? RemoteError(.timeout, "\(host): no answer within \(limits.seconds) s")
                    : RemoteError(.unreachable, "\(host): \(error.shortDescription)"))
        } catch is CancellationError {
            result = .failure(CancellationError())
        } catch {
            result = .failure(RemoteError(.unreachable, "\(host): cannot be reached"))
        }
        try? await client.shutdown()
        try Task.checkCancellation()
        return try result.get()
    }
}

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
        /// Longest wait for the whole answer, in seconds.
        public var seconds: Double
        /// Most bytes of an answer.
        public var bytes: Int
        public var redirects: Int

        public init(seconds: Double = 10, bytes: Int = 2_000_000, redirects: Int = 3) {
            self.seconds = seconds
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
    public let limits: Limits

    public init(
        rule: AddressRule = AddressRule(), limits: Limits = Limits(), resolver: any NameResolver = SystemResolver()
    ) {
        self.rule = rule
        self.limits = limits
        self.resolver = resolver
    }

    /// The body of an answer with status 200.
    /// - Throws: `RemoteError`; `CancellationError`.
    public func body(of request: Request) async throws -> [UInt8] {
        var request = request
        for _ in 0...max(0, limits.redirects) {
            switch try await answer(to: request) {
            case .body(let bytes): return bytes
            case .redirect(let location):
                guard let base = URL(string: request.url), let next = URL(string: location, relativeTo: base) else {
                    throw RemoteError(.badAddress, "redirected to no address")
                }
                // A key is for the host that it was given for.
                if next.host != base.host {
                    request.headers.removeAll {
                        ["authorization", "x-subscription-token", "cookie"].contains($0.name.lowercased())
                    }
                }
                request.url = next.absoluteString
            }
        }
        throw RemoteError(.redirects, "redirected more than \(limits.redirects) times")
    }

    /// Lines of an answer with status 200 as they come, for streams of events. No redirects.
    public func lines(
        of request: Request, onLine: @escaping @Sendable (String) throws -> Void
    ) async throws {
        try await exchange(request) { response, host in
            guard response.status.code == 200 else {
                throw RemoteError(
                    .status, "\(host): status \(response.status.code)", status: Int(response.status.code))
            }
            var rest: [UInt8] = []
            var count = 0
            for try await buffer in response.body {
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

    private func answer(to request: Request) async throws -> Answer {
        try await exchange(request) { response, host in
            switch response.status.code {
            case 200:
                if let length = response.headers.first(name: "content-length").flatMap(Int.init), length > limits.bytes
                {
                    throw RemoteError(.tooLarge, "\(host): more than \(limits.bytes) bytes")
                }
                var bytes: [UInt8] = []
                for try await buffer in response.body {
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

    /// Checks where a request goes, makes it there and nowhere else, and hands the answer over.
    private func exchange<R: Sendable>(
        _ request: Request, _ body: @escaping @Sendable (HTTPClientResponse, String) async throws -> R
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
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.dnsOverride = [bare: address]
        configuration.timeout.connect = .milliseconds(Int64(limits.seconds * 1000))
        configuration.httpVersion = .http1Only
        var ask = HTTPClientRequest(url: request.url)
        ask.method = HTTPMethod(rawValue: request.method)
        for header in request.headers { ask.headers.add(name: header.name, value: header.value) }
        if let bytes = request.body { ask.body = .bytes(bytes) }
        let (limits, prepared) = (limits, ask)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<R, any Error>
        do {
            let response = try await client.execute(
                prepared, timeout: .milliseconds(Int64(limits.seconds * 1000)))
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

import Foundation
import HTTPTypes
import Hashing
import Hummingbird
import Storage

/// The keys of the API as the server asks for them: read from the store every few seconds, found by hash.
///
/// A key is looked up by its SHA-256, so how long that takes says nothing of how much of a guess was right.
actor KeyRing {
    /// How long a list of keys is good for: a key that is revoked holds for so long at most.
    static let secondsKept = 5.0

    private let store: (any APIKeyStore)?
    private let isRequired: Bool
    private let now: @Sendable () -> Date
    private var held: [String: APIKey] = [:]
    private var wasEverMade = false
    private var readAt: Date?

    /// - Parameters:
    ///   - store: `nil` where keys cannot be kept.
    ///   - isRequired: nobody may use the API without a key, even while there is none.
    init(store: (any APIKeyStore)?, isRequired: Bool, now: @escaping @Sendable () -> Date) {
        self.store = store
        self.isRequired = isRequired
        self.now = now
    }

    /// Whoever holds the key that a request brings, `nil` where it brings none that holds.
    func holder(of request: Request) async throws -> APIKey? {
        guard let secret = Self.secret(of: request) else { return nil }
        try await read()
        return held[SHA256.hex(secret)]
    }

    /// Whether the API asks for keys: where it is told to, and where one was ever made. Revoking the last key must not
    /// open what was closed.
    func asksForKeys() async throws -> Bool {
        if isRequired { return true }
        try await read()
        return wasEverMade
    }

    private func read() async throws {
        guard let store, readAt.map({ abs(now().timeIntervalSince($0)) >= Self.secondsKept }) ?? true else { return }
        let keys = try await store.apiKeys()
        held = Dictionary(keys.filter { $0.revokedAt == nil }.map { ($0.hash, $0) }) { first, _ in first }
        wasEverMade = !keys.isEmpty
        readAt = now()
    }

    /// What follows `Authorization: Bearer`.
    static func secret(of request: Request) -> String? {
        guard let header = request.headers[.authorization] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let secret = parts[1].trimmingCharacters(in: .whitespaces)
        return secret.isEmpty ? nil : secret
    }
}

extension APIKey {
    /// A new key: what its bearer is told once, and what is kept of it.
    public static func make(
        name: String, role: Role, randomness: Randomness = .system, now: Date
    ) -> (secret: String, key: APIKey) {
        let secret = "sk-loam-" + Hex.string(randomness.bytes(24))
        return (
            secret,
            APIKey(
                id: randomness.id("key-"), name: name, hash: SHA256.hex(secret), hint: "…" + secret.suffix(4),
                role: role, createdAt: now)
        )
    }
}

/// Lets only holders of a key use the API, where keys are asked for, and each of them only so often.
struct KeyGate: RouterMiddleware {
    typealias Context = ServerContext

    let keys: KeyRing
    let bound: RequestBound
    let metrics: ServerMetrics
    let now: @Sendable () -> Date

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        // The pattern and not the path, which can be spelled in many ways.
        guard context.endpointPath?.hasPrefix("/v1/") == true else { return try await next(request, context) }
        guard let key = try await keys.holder(of: request) else {
            // Without keys, what clients send in their place ("none") is not looked at.
            if try await keys.asksForKeys() { throw Self.refusal(of: request) }
            return try await next(request, context)
        }
        if let wait = await bound.take(key.id, at: now()) {
            metrics.refused(by: .key)
            throw ServerError.tooMany(retryAfter: wait)
        }
        var context = context
        context.isOperator = key.role == .operator
        return try await next(request, context)
    }

    /// In OpenAI's words, so that their clients raise what they raise there.
    private static func refusal(of request: Request) -> ServerError {
        KeyRing.secret(of: request) == nil
            ? ServerError(
                .unauthorized, "You didn't provide an API key: send it as \"Authorization: Bearer KEY\".",
                code: "missing_api_key")
            : ServerError(.unauthorized, "Incorrect API key provided.", code: "invalid_api_key")
    }
}

import Foundation

/// A key of the API as it is kept: by its hash, so that nobody who reads the store can use it.
public struct APIKey: Sendable, Hashable, Codable, Identifiable {
    /// What its bearer may do.
    public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
        /// The routes under `/v1`.
        case client
        /// Those, and what the server tells about itself.
        case `operator`
    }

    public var id: String
    /// What people call it; of the keys that hold, each has another.
    public var name: String
    /// SHA-256 of the whole key as 64 hex digits.
    public var hash: String
    /// The key's last characters, to tell keys apart by.
    public var hint: String
    public var role: Role
    public var createdAt: Date
    /// `nil` while it holds.
    public var revokedAt: Date?

    public init(
        id: String, name: String, hash: String, hint: String, role: Role, createdAt: Date, revokedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.hint = hint
        self.role = role
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }

    enum CodingKeys: String, CodingKey {
        case id, name, hash, hint, role
        case createdAt = "created_at"
        case revokedAt = "revoked_at"
    }
}

/// Keeps the keys of the API.
public protocol APIKeyStore: Sendable {
    /// All keys, revoked ones too, oldest first.
    func apiKeys() async throws -> [APIKey]
    /// Adds a key.
    /// - Throws: `StorageError` `conflict` where a key of this name holds already, or one of this id or hash is there.
    func add(_ key: APIKey) async throws
    /// Ends the key of this name that holds; it stays in the list.
    /// - Throws: `StorageError` `notFound` where there is none.
    func revokeAPIKey(named name: String) async throws
}

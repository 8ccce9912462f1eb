import Foundation

/// The keys of the API in the store.
extension SQLStore {
    public func apiKeys() async throws -> [APIKey] {
        try await look { store in
            try store.session.all(
                "SELECT id, name, hash, hint, role, createdAt, revokedAt FROM apiKey ORDER BY createdAt, id"
            ) {
                // A role that this version does not know may do the least.
                APIKey(
                    id: $0.text(0), name: $0.text(1), hash: $0.text(2), hint: $0.text(3),
                    role: APIKey.Role(rawValue: $0.text(4)) ?? .client,
                    createdAt: Date(timeIntervalSince1970: $0.double(5)),
                    revokedAt: $0.doubleIfAny(6).map(Date.init(timeIntervalSince1970:)))
            }
        }
    }

    public func add(_ key: APIKey) async throws {
        try await change(.store) { store in
            let session = store.session
            let taken = try session.first(
                "SELECT 1 FROM apiKey WHERE (name = ?1 AND revokedAt IS NULL) OR id = ?2 OR hash = ?3",
                .text(key.name), .text(key.id), .text(key.hash)
            ) { _ in true }
            guard taken == nil else {
                throw StorageError(.conflict, file: name, reason: "there is a key named \(key.name) already")
            }
            try session.execute(
                """
                INSERT INTO apiKey (id, name, hash, hint, role, createdAt, revokedAt)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                """, .text(key.id), .text(key.name), .text(key.hash), .text(key.hint), .text(key.role.rawValue),
                .double(key.createdAt.timeIntervalSince1970), SQLValue(key.revokedAt?.timeIntervalSince1970))
        }
    }

    public func revokeAPIKey(named key: String) async throws {
        let now = now()
        try await change(.store) { store in
            let session = store.session
            let held = try session.first(
                "SELECT id FROM apiKey WHERE name = ?1 AND revokedAt IS NULL", .text(key)
            ) { $0.text(0) }
            guard let held else { throw StorageError(.notFound, file: name, reason: "no key named \(key) holds") }
            try session.execute(
                "UPDATE apiKey SET revokedAt = ?1 WHERE id = ?2", .double(now.timeIntervalSince1970), .text(held))
        }
    }
}

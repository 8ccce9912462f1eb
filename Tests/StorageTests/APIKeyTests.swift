import Foundation
import Storage
import Testing

@Suite("Store: keys of the API")
struct APIKeyTests {
    private func key(_ name: String, _ number: Int, role: APIKey.Role = .client) -> APIKey {
        APIKey(
            id: "k\(number)", name: name, hash: String(repeating: "\(number)", count: 64), hint: "…\(number)",
            role: role, createdAt: Date(timeIntervalSince1970: 1_700_000_000 + Double(number)))
    }

    @Test("kept by hash, listed, revoked once; a name holds one key at a time", arguments: StoreKind.present)
    func life(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        #expect(try await store.apiKeys().isEmpty)
        try await store.add(key("page", 1))
        try await store.add(key("office", 2, role: .operator))
        #expect(try await bench.open().apiKeys() == [key("page", 1), key("office", 2, role: .operator)])
        // The name, the id and the hash of another.
        for taken in [key("page", 3), key("x", 1)] {
            let error = await #expect(throws: StorageError.self) { try await store.add(taken) }
            #expect(error?.code == .conflict)
        }
        try await store.revokeAPIKey(named: "page")
        var first = key("page", 1)
        first.revokedAt = bench.now
        #expect(try await store.apiKeys().first == first)
        let error = await #expect(throws: StorageError.self) { try await store.revokeAPIKey(named: "page") }
        #expect(error?.code == .notFound)
        // The name is free again; the old key stays in the list.
        try await store.add(key("page", 4))
        #expect(try await store.apiKeys().map(\.name) == ["page", "office", "page"])
    }

    @Test("keys go along with a copy", arguments: StoreKind.present)
    func copy(_ kind: StoreKind) async throws {
        let from = try await StoreBench(kind).open()
        try await from.add(key("page", 1))
        try await from.add(key("office", 2, role: .operator))
        try await from.revokeAPIKey(named: "page")
        let target = try await StoreBench(.sqlite).open()
        try await from.copy(into: target)
        #expect(try await target.apiKeys() == from.apiKeys())
    }
}

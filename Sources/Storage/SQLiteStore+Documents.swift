import Conversations
import Foundation
import GRDB

/// One file of the operator's own, cut into passages for the index.
public struct IndexedDocument: Sendable, Hashable {
    /// Where it is from: the path below the folder that was indexed, or an address. Unique in the index.
    public var url: String
    public var title: String
    /// Passages in order.
    public var passages: [String]
    /// Tells whether the file changed since it was indexed.
    public var fingerprint: String

    public init(url: String, title: String, passages: [String], fingerprint: String) {
        self.url = url
        self.title = title
        self.passages = passages
        self.fingerprint = fingerprint
    }
}

/// The operator's own documents: a full-text index (SQLite FTS5, BM25) of their passages.
extension SQLiteStore {
    /// Fingerprints of the documents that are there, by their addresses.
    public func documentFingerprints() async throws -> [String: String] {
        try await read { db in
            var found: [String: String] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT url, fingerprint FROM document") {
                found[row["url"]] = row["fingerprint"]
            }
            return found
        }
    }

    /// Adds a document, or replaces the one of the same address.
    public func index(_ document: IndexedDocument) async throws {
        let file = file
        try await write { db in
            if let refusal = EncodedConversation.refusal(ofTexts: [document.url]) {
                throw StorageError(.conflict, file: file, reason: refusal)
            }
            try Self.remove(document.url, db)
            try db.execute(
                sql: "INSERT INTO document (url, title, fingerprint) VALUES (?, ?, ?)",
                arguments: [document.url, document.title, document.fingerprint])
            let id = db.lastInsertedRowID
            for (position, text) in document.passages.enumerated() {
                try db.cachedStatement(
                    sql: "INSERT INTO passage (documentID, position, title, content) VALUES (?, ?, ?, ?)"
                ).execute(arguments: [id, position, document.title, text])
            }
        }
    }

    /// Takes a document out of the index, if it is there.
    public func removeDocument(url: String) async throws {
        try await write { db in try Self.remove(url, db) }
    }

    /// Documents and passages in the index.
    public func documentCounts() async throws -> (documents: Int, passages: Int) {
        try await read { db in
            (
                try Int.fetchOne(db, sql: "SELECT count(*) FROM document") ?? 0,
                try Int.fetchOne(db, sql: "SELECT count(*) FROM passage") ?? 0
            )
        }
    }

    /// Passages that hold words of a query, best first by BM25 (a word of the title counts twice). Any text may be asked:
    /// only its letters and digits are looked at.
    public func passages(matching query: String, limit: Int) async throws -> [SearchDocument] {
        let words = Set(
            query.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init).prefix(32))
        guard !words.isEmpty, limit > 0 else { return [] }
        // Quoted, so that nothing a person types is an operator of the query language.
        let match = words.sorted().map { "\"\($0)\"" }.joined(separator: " OR ")
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT document.url, document.title, passage.content FROM passage
                    JOIN document ON document.id = passage.documentID
                    WHERE passage MATCH ? ORDER BY bm25(passage, 0, 0, 2, 1), passage.rowid LIMIT ?
                    """, arguments: [match, limit]
            ).map { SearchDocument(title: $0["title"], content: $0["content"], url: $0["url"]) }
        }
    }

    private static func remove(_ url: String, _ db: Database) throws {
        guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM document WHERE url = ?", arguments: [url]) else {
            return
        }
        try db.execute(sql: "DELETE FROM passage WHERE documentID = ?", arguments: [id])
        try db.execute(sql: "DELETE FROM document WHERE id = ?", arguments: [id])
    }
}

/// Searches the operator's own documents: the full-text index first, then the encoder, which knows other words for the
/// same thing.
public struct LocalSearch: SearchProvider {
    public let name = "local"
    private let store: SQLiteStore
    private let encoder: (any TextEncoder)?
    private let candidates: Int

    /// - Parameters:
    ///   - encoder: ranks what the index found; without it BM25's order stays.
    ///   - candidates: passages that the encoder looks at.
    public init(store: SQLiteStore, encoder: (any TextEncoder)?, candidates: Int = 50) {
        self.store = store
        self.encoder = encoder
        self.candidates = max(1, candidates)
    }

    public func documents(for query: String, count: Int) async throws -> [SearchDocument] {
        let found = try await store.passages(matching: query, limit: encoder == nil ? count : candidates)
        guard let encoder, found.count > 1 else { return Array(found.prefix(max(0, count))) }
        let vectors = try await encoder.encode([query] + found.map { $0.title + ". " + $0.content })
        guard let wanted = vectors.first, vectors.count == found.count + 1 else { return Array(found.prefix(count)) }
        let scores = vectors.dropFirst().map { vector in zip(wanted, vector).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
        let order = found.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        return order.prefix(max(0, count)).map { found[$0] }
    }
}

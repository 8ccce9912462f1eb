import Conversations
import Foundation

/// A search as the bot uses it: asks a provider within bounds, cuts what it found into passages and keeps the best of
/// them, each with its source.
public struct PassageSearch: Sendable {
    /// Bounds of one search.
    public struct Limits: Sendable, Hashable {
        /// Most documents of which anything is read.
        public var documents: Int
        /// Most bytes of UTF-8 that are read of a document.
        public var documentBytes: Int
        /// Words of a passage.
        public var passageWords: Int
        /// Most passages of one document, and of all together, that the encoder looks at.
        public var passagesPerDocument: Int
        public var passages: Int
        /// Passages that the bot is given.
        public var kept: Int
        /// Longest wait, in seconds.
        public var seconds: Double

        public init(
            documents: Int = 5, documentBytes: Int = 100_000, passageWords: Int = 100, passagesPerDocument: Int = 20,
            passages: Int = 60, kept: Int = 3, seconds: Double = 8
        ) {
            self.documents = documents
            self.documentBytes = documentBytes
            self.passageWords = max(1, passageWords)
            self.passagesPerDocument = passagesPerDocument
            self.passages = passages
            self.kept = kept
            self.seconds = seconds
        }
    }

    public let provider: any SearchProvider
    public let limits: Limits
    private let encoder: (any TextEncoder)?

    /// - Parameter encoder: ranks passages; without one the provider's order stays, from the beginning of each document.
    public init(provider: any SearchProvider, encoder: (any TextEncoder)?, limits: Limits = Limits()) {
        self.provider = provider
        self.encoder = encoder
        self.limits = limits
    }

    /// The best passages for a query.
    /// - Throws: what the provider throws, `DialogueError` when it takes too long.
    public func findings(for query: String, count: Int) async throws -> SearchFindings {
        let wanted = min(max(1, count), limits.documents)
        let found = try await Self.within(seconds: limits.seconds) {
            try await provider.documents(for: query, count: wanted)
        }
        let passages = found.prefix(wanted).flatMap { self.passages(of: $0) }.prefix(limits.passages)
        guard let encoder, passages.count > 1 else {
            return SearchFindings(provider: provider.name, documents: Array(passages.prefix(limits.kept)))
        }
        let vectors = try await encoder.encode([query] + passages.map { $0.title + ". " + $0.content })
        guard vectors.count == passages.count + 1 else {
            throw DialogueError("the encoder gave \(vectors.count) vectors, not one per passage")
        }
        let scores = vectors.dropFirst().map { vector in
            zip(vectors[0], vector).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        }
        let order = passages.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        return SearchFindings(
            provider: provider.name, documents: order.prefix(limits.kept).map { passages[$0] })
    }

    /// A document in passages of so many words, cut at white space. A document without text gives none.
    func passages(of document: SearchDocument) -> [SearchDocument] {
        let text = String(decoding: document.content.utf8.prefix(limits.documentBytes), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace)
        return stride(from: 0, to: words.count, by: limits.passageWords).prefix(limits.passagesPerDocument).map {
            let part = words[$0..<min($0 + limits.passageWords, words.count)]
            return SearchDocument(
                title: document.title, content: part.joined(separator: " "), url: document.url)
        }
    }

    private static func within<R: Sendable>(
        seconds: Double, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw DialogueError("the search took longer than \(seconds) s")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

/// A provider with documents of its own: for tests, and for trying the bot out without a network.
public struct FixtureSearch: SearchProvider {
    public let name = "fixture"
    private let documents: [SearchDocument]

    public init(_ documents: [SearchDocument]) { self.documents = documents }

    /// Documents that share a word with the query, those with most of them first.
    public func documents(for query: String, count: Int) async throws -> [SearchDocument] {
        let words = FactWords(query).content
        let scored = documents.enumerated().map { place, document in
            (place, FactWords(document.title + " " + document.content).content.intersection(words).count)
        }
        return scored.filter { $0.1 > 0 }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(max(0, count)).map {
            documents[$0.0]
        }
    }
}

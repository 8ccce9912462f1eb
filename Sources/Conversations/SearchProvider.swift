/// Finds documents: a search server, an engine's API, the operator's own files, or a fixture.
public protocol SearchProvider: Sendable {
    /// A short name, kept with what was found.
    var name: String { get }
    /// At most `count` documents, best first; none is no error.
    /// - Throws: when it could not search, after its own bounded retries.
    func documents(for query: String, count: Int) async throws -> [SearchDocument]
}

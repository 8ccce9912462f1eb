/// How much is written to a store at once, for which it keeps pages in memory.
public enum WriteLoad: Sendable, Hashable {
    /// A message or a vote at a time, as a server writes.
    case turns
    /// Batches of thousands, as an import writes.
    case bulk

    /// Pages that SQLite's writing connection keeps, in bytes. A batch that does not fit is written twice; what a server
    /// keeps beyond the pages of a few turns is the operating system's to keep.
    var pageCacheBytes: Int {
        switch self {
        case .turns: 8 << 20
        case .bulk: 64 << 20
        }
    }
}

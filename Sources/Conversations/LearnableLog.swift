import Foundation

/// What a Loam log lets one learn from: conversations with consent `improve` or `release` that no later line of the file takes
/// back. Whoever trains straight from a log reads it through this.
///
/// The file is read twice, since a line may come long before the one that withdraws it. Used by one task at a time.
public final class LearnableLog {
    public enum Event: Sendable, Hashable {
        case conversation(Conversation)
        /// A conversation that nothing may be learnt from, once for each.
        case withheld
        /// A record that was left out.
        case skipped(SkipReason)
    }

    private let reader: any LogReader
    /// Hashes of the conversations whose consent is taken back somewhere in the file; seeded per process by the language.
    private var withdrawn: Set<Int> = []
    /// Hashes of those that come again and may then no longer be released; the later line counts.
    private var narrowed: Set<Int> = []

    /// - Throws: `LogError` when the file cannot be read or holds nothing.
    public init(_ file: URL) throws(LogError) {
        let first = try LogFormat.loam.reader(of: file)
        var released: Set<Int> = []
        while let event = try first.next() {
            guard case .conversation(let conversation) = event else { continue }
            let hash = conversation.id.hashValue
            switch conversation.consent {
            case .none: withdrawn.insert(hash)
            case .improve where released.contains(hash): narrowed.insert(hash)
            case .improve: break
            case .release: released.insert(hash)
            }
        }
        reader = try LogFormat.loam.reader(of: file)
    }

    /// The next record, `nil` at the end.
    public func next() throws(LogError) -> Event? {
        while let event = try reader.next() {
            switch event {
            case .skipped(let reason): return .skipped(reason)
            case .conversation(let conversation):
                if conversation.consent == .none { return .withheld }
                let hash = conversation.id.hashValue
                // Handed out twice it would be learnt twice.
                if conversation.consent == .release, narrowed.contains(hash) { continue }
                if !withdrawn.contains(hash) { return .conversation(conversation) }
            }
        }
        return nil
    }

    /// Whether a file is a Loam log, by its first line; other files that are learnt from have other fields there.
    public static func isLog(_ file: URL) throws(LogError) -> Bool {
        var lines = try LineReader(file)
        guard case .bytes(let bytes)? = try lines.next()?.content, let value = try? JSONValue(parsing: bytes),
            case .object(let fields) = value
        else { return false }
        // A line that takes consent back need not have messages.
        return fields["message_history"] != nil || (fields["chat_id"] != nil && fields["consent"] != nil)
    }
}

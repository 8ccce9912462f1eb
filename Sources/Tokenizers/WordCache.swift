import Synchronization

/// The tokens of words seen before.
///
/// Not for two threads at once.
struct WordCache {
    /// Words kept; when full the cache starts anew, so hostile text costs speed and never memory.
    private static let capacity = 1 << 16
    /// Longer words are rare and not worth the room.
    private static let longestWord = 64

    private var words = ByteTable(minimumCapacity: 4096)
    /// Tokens of word `i` are `tokens[starts[i]..<starts[i + 1]]`.
    private var starts: [Int] = [0]
    private var tokens: [Int32] = []
    private var scratch: [Int32] = []

    /// Appends the tokens of one word to `output`.
    /// - Parameter find: works them out for a word not seen before.
    @inline(__always)
    mutating func append(
        _ word: UnsafeBufferPointer<UInt8>, to output: inout [Int],
        _ find: (_ word: UnsafeBufferPointer<UInt8>, _ tokens: inout [Int32]) -> Void
    ) {
        if word.count <= Self.longestWord {
            if words.count >= Self.capacity {
                words.removeAll()
                starts = [0]
                tokens.removeAll(keepingCapacity: true)
            }
            let index = words.insert(word)
            if index + 1 == starts.count {
                find(word, &tokens)
                starts.append(tokens.count)
            }
            for place in starts[index]..<starts[index + 1] { output.append(Int(tokens[place])) }
        } else {
            scratch.removeAll(keepingCapacity: true)
            find(word, &scratch)
            for token in scratch { output.append(Int(token)) }
        }
    }
}

/// What one encoding call works with: words seen before and room for every step, so that a call allocates next to nothing.
///
/// Not for two threads at once; `WorkspacePool` lends each to one call at a time.
final class Workspace: @unchecked Sendable {
    var cache = WordCache()
    var merger = WordMerger()
    var lattice = UnigramLattice()
    var normalized = NormalizedText()
    var spare: [UInt8] = []
    var words = WordPieces()
}

/// Workspaces that are not in use. Each call takes one and brings it back, so calls never wait for one another.
final class WorkspacePool: Sendable {
    private let idle = Mutex<[Workspace]>([])

    func lend<R>(_ body: (Workspace) -> R) -> R {
        let workspace = idle.withLock { $0.popLast() } ?? Workspace()
        defer { idle.withLock { $0.append(workspace) } }
        return body(workspace)
    }
}

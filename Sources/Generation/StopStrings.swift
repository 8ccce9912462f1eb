/// Cuts a stream of pieces off before the first of some texts, wherever its characters fall among the pieces.
///
/// What might be the beginning of a stop string is held back until it is decided, so nothing of one is ever shown.
/// Compared byte by byte: texts that only look alike are not alike.
public struct StopStrings: Sendable {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    /// Whether a stop string has come; what is fed after it is swallowed.
    public private(set) var isStopped = false

    /// - Parameter stops: empty ones are passed over.
    public init(_ stops: [String]) {
        self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// The text that the next piece makes certain.
    public mutating func feed(_ piece: String) -> String {
        guard !isStopped else { return "" }
        guard !stops.isEmpty else { return piece }
        held += piece.utf8
        for start in held.indices {
            // At each place a whole stop string, or the beginning of one at the end.
            let rest = held[start...]
            if stops.contains(where: { rest.starts(with: $0) }) {
                isStopped = true
                return release(upTo: start)
            }
            if stops.contains(where: { $0.starts(with: rest) }) { return release(upTo: start) }
        }
        return release(upTo: held.count)
    }

    /// What is still held at the end of the stream; nothing after a stop.
    public mutating func finish() -> String {
        guard !isStopped else { return "" }
        // A longer one that never came may have kept a shorter one inside it from being seen.
        let end = held.indices.first { start in stops.contains { held[start...].starts(with: $0) } }
        isStopped = end != nil
        return release(upTo: end ?? held.count)
    }

    /// Stop strings are whole texts, so what stands before the beginning of one is whole characters too.
    private mutating func release(upTo end: Int) -> String {
        defer { held.removeFirst(end) }
        return String(decoding: held[..<end], as: UTF8.self)
    }
}

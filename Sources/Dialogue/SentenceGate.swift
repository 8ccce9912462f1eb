import Synchronization

/// Lets a reply that has to be looked at out sentence by sentence while it is drawn: a slow model's reply would otherwise show
/// nothing until it is whole. What is out has passed the same look as a whole reply, with all that stands before it, and is never
/// taken back.
///
/// A reply that is drawn within `patience` is looked at once, as a whole. As soon as a sentence does not pass, nothing more
/// comes out before the whole reply is judged.
final class SentenceGate: ReplyGate {
    private struct State {
        var raw = ""
        /// Lengths, in Unicode scalars, of the settled text after each piece.
        var ends: [Int] = []
        /// Lengths, in Unicode scalars, of what was given to be looked at, and of what was let out.
        var asked = 0
        var passed = 0
    }

    private let earlier: [[Unicode.Scalar]]
    private let isLate: @Sendable () -> Bool
    private let send: @Sendable (String) -> Void
    private let state = Mutex(State())
    // Only the longest beginning is worth a look.
    private let beginnings = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - earlier: keys of the earlier replies (`ReplyText.key`): what may still turn out to repeat one waits.
    ///   - isLate: whether the person has waited long enough for a first sentence.
    init(
        earlier: [[Unicode.Scalar]], isLate: @escaping @Sendable () -> Bool, send: @escaping @Sendable (String) -> Void
    ) {
        self.earlier = earlier
        self.isLate = isLate
        self.send = send
    }

    func feed(_ piece: String) {
        let beginning = state.withLock { state -> String? in
            state.raw += piece
            let settled = ReplyText(state.raw).settled
            let length = settled.unicodeScalars.count
            if length > state.ends.last ?? 0 { state.ends.append(length) }
            guard isLate(), let end = Self.lastEnd(in: settled), end > state.asked else { return nil }
            let beginning = Self.slice(settled, 0, end)
            let key = ReplyText.key(of: beginning)
            guard !earlier.contains(where: { $0.starts(with: key) }) else { return nil }
            state.asked = end
            return beginning
        }
        if let beginning { beginnings.continuation.yield(beginning) }
    }

    /// Looks at sentences as they come, until `end` or until one does not pass.
    func run(_ passes: @Sendable (String) async -> Bool) async {
        for await beginning in beginnings.stream {
            guard await passes(beginning) else { return }
            let length = beginning.unicodeScalars.count
            let new = state.withLock { state in
                defer { state.passed = length }
                return Self.slice(beginning, state.passed, length)
            }
            send(new)
        }
    }

    /// The reply is whole: there will be no more sentences.
    func end() { beginnings.continuation.finish() }

    /// What was let out so far.
    var shown: String { state.withLock { Self.slice(ReplyText($0.raw).text, 0, $0.passed) } }

    func finish(_ text: String) {
        let rest = state.withLock { state -> [String] in
            // In the pieces that it came in, as far as it is the model's.
            let length = text.unicodeScalars.count
            let cuts = [state.passed] + state.ends.filter { $0 > state.passed && $0 < length } + [length]
            return zip(cuts, cuts.dropFirst()).filter { $0 < $1 }.map { Self.slice(text, $0, $1) }
        }
        for piece in rest { send(piece) }
    }

    private static func slice(_ text: String, _ start: Int, _ end: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(end).dropFirst(start)))
    }

    /// Where the last whole sentence ends, in Unicode scalars: behind a mark that ends sentences and what closes after it, where white
    /// space follows. An abbreviation's dot counts too; that costs a look, no more.
    static func lastEnd(in text: String) -> Int? {
        let scalars = Array(text.unicodeScalars)
        var place = scalars.count - 1
        while place > 0 {
            defer { place -= 1 }
            guard scalars[place].properties.isWhitespace else { continue }
            var before = place - 1
            if scalars[place] == "\n", !scalars[before].properties.isWhitespace { return place }
            while before > 0, closers.contains(scalars[before]) { before -= 1 }
            if enders.contains(scalars[before]) { return place }
        }
        return nil
    }

    private static let enders: Set<Unicode.Scalar> = [".", "!", "?", "…", "。", "！", "？"]
    private static let closers: Set<Unicode.Scalar> = ["\"", "'", "”", "’", "»", ")", "]"]
}

import Synchronization

/// What stands between a model that draws a reply and the person who reads it. All that comes out, joined, is the beginning of the
/// reply's final text.
protocol ReplyGate: Sendable {
    /// Takes the next piece of the raw text.
    func feed(_ piece: String)
    /// Lets out what waits, up to the end of the reply.
    /// - Parameter text: the reply's final text.
    func finish(_ text: String)
}

/// Lets a reply's pieces out while it is drawn, but nothing that may have to be taken back.
///
/// What comes out, joined, is the beginning of the reply's final text. A piece waits while it may be the start of a
/// role marker, and while all of the reply so far may still turn out to repeat an earlier reply. Where the whole reply
/// must be checked first, everything waits for `finish`.
final class PieceGate: ReplyGate {
    private struct State {
        var raw = ""
        /// Length, in Unicode scalars, of what was let out or put aside.
        var passed = 0
        var waiting: [String] = []
    }

    private let earlier: [[Unicode.Scalar]]
    private let isHeld: Bool
    private let send: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - earlier: keys of the earlier replies (`ReplyText.key`).
    ///   - isHeld: whether nothing may come out before `finish`.
    init(earlier: [[Unicode.Scalar]], isHeld: Bool, send: @escaping @Sendable (String) -> Void) {
        self.earlier = earlier
        self.isHeld = isHeld
        self.send = send
    }

    func feed(_ piece: String) {
        let ready = state.withLock { state -> String? in
            state.raw += piece
            let settled = ReplyText(state.raw).settled
            let key = ReplyText.key(of: settled)
            guard !earlier.contains(where: { $0.starts(with: key) }) else { return nil }
            let new = String(String.UnicodeScalarView(settled.unicodeScalars.dropFirst(state.passed)))
            guard !new.isEmpty else { return nil }
            state.passed = settled.unicodeScalars.count
            if isHeld { state.waiting.append(new) }
            return isHeld ? nil : new
        }
        if let ready { send(ready) }
    }

    func finish(_ text: String) {
        let ready = state.withLock { state -> [String] in
            defer { state.waiting = [] }
            let rest = String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(state.passed)))
            state.passed = max(state.passed, text.unicodeScalars.count)
            return state.waiting + (rest.isEmpty ? [] : [rest])
        }
        for piece in ready { send(piece) }
    }
}

/// The gates of a turn, one for each call for a reply: only the reply that is said is let out.
struct ReplyGates {
    /// How long a reply that has to be looked at may take before its sentences come out one by one; `nil` waits for the whole.
    let patience: Duration?
    let isHeld: Bool
    /// Keys of the bot's earlier replies.
    let earlier: [[Unicode.Scalar]]
    let now: @Sendable () -> ContinuousClock.Instant
    /// `nil` where nobody reads along.
    let onPiece: (@Sendable (String) -> Void)?

    private var gates: [(any ReplyGate)?] = []

    init(
        patience: Duration?, isHeld: Bool, earlier: [[Unicode.Scalar]],
        now: @escaping @Sendable () -> ContinuousClock.Instant, onPiece: (@Sendable (String) -> Void)?
    ) {
        self.patience = patience
        self.isHeld = isHeld
        self.earlier = earlier
        self.now = now
        self.onPiece = onPiece
    }

    /// Gates for the replies among these calls.
    /// - Returns: where the pieces of each call go, by its place, and the gate whose sentences are to be looked at meanwhile. Of
    ///   several replies none is shown before it is known which is said.
    mutating func open(for calls: [TurnCall]) -> (feeds: [Int: any ReplyGate], sentences: SentenceGate?) {
        let places = calls.indices.filter { place in
            if case .write(let asked) = calls[place] { asked.module.isReply } else { false }
        }
        guard let onPiece else {
            gates += places.map { _ in nil }
            return ([:], nil)
        }
        if isHeld, places.count == 1, let patience {
            let deadline = now() + patience
            let gate = SentenceGate(earlier: earlier, isLate: { [now] in now() >= deadline }, send: onPiece)
            gates.append(gate)
            return ([places[0]: gate], gate)
        }
        var feeds: [Int: any ReplyGate] = [:]
        for place in places {
            feeds[place] = PieceGate(earlier: earlier, isHeld: isHeld, send: onPiece)
            gates.append(feeds[place])
        }
        return (feeds, nil)
    }

    /// Lets out the rest of the reply that is said; a canned one has no gate.
    func finish(_ result: TurnResult) {
        guard let number = result.replyCall, gates.indices.contains(number) else { return }
        gates[number]?.finish(result.text)
    }
}

import Conversations

extension World {
    /// What a prompt is for. A history belongs to one split for ever, whatever the seed.
    public enum Split: String, Sendable, Hashable, CaseIterable {
        case train, validation, test
    }

    /// Histories that end in a human turn, all different: prompts to reply to. Train and validation prompts speak of
    /// seen things only; of test prompts about one in three is about held-out entities and names.
    ///
    /// - Parameters:
    ///   - flawScale: how flawed the earlier bot turns are; 1 as in the corpus.
    ///   - heldOut: only talk of people who speak of held-out things (a short one may have come to none yet), or none
    ///     of it; `nil` for the split's own mix.
    /// - Returns: at most `count` prompts; fewer only where the world has no more different ones.
    public func prompts(
        split: Split, count: Int, seed: UInt64, flawScale: Double = 1, heldOut: Bool? = nil
    ) -> [[Turn]] {
        let reader = TalkReader(self)
        let judge = WorldJudge(self, reader: reader)
        let usual = WorldBot(self, reader: reader, flawScale: flawScale, vocabulary: .seen)
        let tested = WorldBot(self, reader: reader, flawScale: flawScale, vocabulary: .facts)
        var found: [[Turn]] = []
        var seen: Set<UInt64> = []
        for index in 0..<(40 * max(count, 1) + 1000) where found.count < count {
            var random = SplitMix64(seed: seed, stream: index)
            let isHeldOut = split == .test && (heldOut ?? random.chance(1 / 3))
            let persona = Persona(
                self, vocabulary: isHeldOut ? .heldOut : .seen, isAdversarial: random.chance(0.3), &random)
            let script = PersonScript(
                self, persona, turns: 2 + random.index(4), random: SplitMix64(seed: random.next()))
            let talk = PretrainingCorpus.play(script, isHeldOut ? tested : usual, reader, judge, &random)
            let human = talk.turns.indices.filter { talk.turns[$0].sender == .human }
            guard let last = random.pick(human) else { continue }
            let history = Array(talk.turns[...last])
            let hash = Self.hash(of: history)
            guard Self.split(of: hash) == split, seen.insert(hash).inserted else { continue }
            found.append(history)
        }
        return found
    }

    /// True for a history that speaks of a held-out entity or name.
    public func isHeldOut(_ history: [Turn]) -> Bool {
        let marks = (heldOutEntities + heldOutNames).map { " \(SentenceText.key(of: $0))" }
        return history.contains { turn in
            let text = " " + SentenceText.key(of: turn.text)
            return marks.contains { text.contains($0) }
        }
    }

    /// FNV-1a over the senders and words of the history.
    private static func hash(of history: [Turn]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for turn in history {
            for byte in (turn.sender.rawValue + SentenceText.key(of: turn.text) + "\n").utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return hash
    }

    private static func split(of hash: UInt64) -> Split {
        switch (hash >> 17) % 10 {
        case 8: .validation
        case 9: .test
        default: .train
        }
    }
}

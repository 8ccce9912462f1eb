import Conversations

/// Finds names with an encoder: which words of a text name a person, a place, an organisation.
///
/// Texts without anything that could be a name (no capital that is no everyday word, no name of the lists, nothing that announces
/// one) are not encoded: a cheap filter that spares the encoder most small talk.
public struct NameTagger: Sendable {
    let head: NameHead
    private let encoder: any WordEncoder

    /// - Throws: `DeidentificationError` when the head is for states of another length.
    public init(head: NameHead, encoder: any WordEncoder) throws(DeidentificationError) {
        guard head.dimension == encoder.stateDimension else {
            throw DeidentificationError(
                .resource,
                "the name head is for states of \(head.dimension) numbers, the encoder gives \(encoder.stateDimension)")
        }
        self.head = head
        self.encoder = encoder
    }

    /// Probabilities by token for each text; empty where nothing could be a name.
    func tags(_ texts: [ScannedText], lexicon: Lexicon) async throws -> [NameTags] {
        let context = RecognitionContext(lexicon: lexicon)
        let chosen = texts.indices.filter { Self.mayHoldName(texts[$0], context) }
        guard !chosen.isEmpty else { return texts.map { _ in NameTags(probabilities: []) } }
        let words = chosen.map { index in
            texts[index].tokens.map { String(decoding: texts[index].bytes[$0.start..<$0.end], as: UTF8.self) }
        }
        let states = try await encoder.states(ofWords: words, layers: head.layers)
        var result = [NameTags](repeating: NameTags(probabilities: []), count: texts.count)
        for (place, index) in chosen.enumerated() {
            result[index] = NameTags(probabilities: head.probabilities(texts[index], states: states[place]))
        }
        return result
    }

    /// Longest text that is encoded, in tokens; longer ones are left to the lists.
    static let longest = 4_000

    static func mayHoldName(_ text: ScannedText, _ context: RecognitionContext) -> Bool {
        let reader = NameReader(text: text, context: context)
        guard text.tokens.count <= longest else { return false }
        let announced: WordClass = [.kin, .residence, .work, .title]
        // Of the two words before: `friend x`, `live in x`.
        var previous: WordClass = []
        var beforeThat: WordClass = []
        for (i, token) in text.tokens.enumerated() where token.kind == .word {
            let classes = token.classes
            // What the lists know to be no name, and capitals say nothing of.
            if classes.isDisjoint(with: [.common, .neverName, .keepVerb, .particle]) {
                if token.isCapitalised || !classes.isDisjoint(with: [.first, .last]) { return true }
                if !previous.union(beforeThat).isDisjoint(with: announced) || reader.isAnnounced(i) { return true }
            } else if token.isCapitalised, i > 0, !text.isShouted, !classes.isDisjoint(with: [.first, .last, .place]) {
                return true
            }
            (beforeThat, previous) = (previous, classes)
        }
        return false
    }
}

/// What the head says of each token of a text.
struct NameTags: Sendable {
    /// By token, then by `NameHead.Kind`.
    var probabilities: [[Float]]

    func probability(_ kind: NameHead.Kind, _ token: Int) -> Double {
        probabilities.indices.contains(token) ? Double(probabilities[token][kind.rawValue]) : 0
    }
    /// Probability that a token is part of a name of whatever kind.
    func anyName(_ token: Int) -> Double {
        probability(.person, token) + probability(.location, token) + probability(.organization, token)
    }
}

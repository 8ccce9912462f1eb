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
        var result = [NameTags](repeating: NameTags(probabilities: []), count: texts.count)
        for part in Self.portions(chosen, of: texts) {
            let words = part.map { index in
                texts[index].tokens.map { String(decoding: texts[index].bytes[$0.start..<$0.end], as: UTF8.self) }
            }
            let states = try await encoder.states(ofWords: words, layers: head.layers)
            for (place, index) in part.enumerated() {
                result[index] = NameTags(probabilities: head.probabilities(texts[index], states: states[place]))
            }
        }
        return result
    }

    /// Longest text that is encoded, in tokens; longer ones are left to the lists.
    static let longest = 4_000

    /// Words whose states are held at a time: of two layers of 384 numbers, 12 MB. Their probabilities are small.
    private static let wordsAtOnce = 4_000

    /// The chosen texts in portions of so many words, those of like length together, so that little padding is encoded.
    private static func portions(_ chosen: [Int], of texts: [ScannedText]) -> [[Int]] {
        var portions: [[Int]] = []
        var room = 0
        for index in chosen.sorted(by: { (texts[$1].tokens.count, $0) < (texts[$0].tokens.count, $1) }) {
            let count = texts[index].tokens.count
            if portions.isEmpty || count > room {
                portions.append([])
                room = wordsAtOnce
            }
            portions[portions.count - 1].append(index)
            room -= count
        }
        return portions
    }

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

import Foundation

/// The people of SafetyMix: labels on texts, half of them by helpers and the rest by one kind of troll or a mix of all.
///
/// Ju and others, "Learning from data in the mixed adversarial non-adversarial case" (arXiv 2208.03295). The rules are those
/// of ParlAI's `safety_mix` task: which pool and classes a kind draws from, how it labels, how many texts a person gets,
/// which texts a troll turns (by MD5), and the fold of a text (by SHA-256). The draws themselves are ours: theirs hang on
/// CPython's generator. Its one defect is kept, since it is what was published: a lazy troll labels at random, always.
public struct SafetyMix: Sendable {
    /// Kinds of people, by the names of the task.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Labels by the truth; standard texts.
        case helper
        /// Turns four labels in five; standard texts.
        case troll
        /// Turns four labels in five; adversarial texts.
        case masterTroll = "master_troll"
        /// Labels at random; texts of both sources.
        case lazyTroll = "lazy_troll"
        /// Calls everything safe; texts of both sources.
        case safeTroll = "safe_troll"
        /// Calls everything unsafe; texts of both sources.
        case unsafeTroll = "unsafe_troll"
        /// Calls unsafe texts safe, and labels no others; adversarial texts.
        case gaslightTroll = "gaslight_troll"

        /// Every kind but the helpers.
        public static let trolls = allCases.filter { $0 != .helper }
    }

    /// Where a text comes from.
    public enum Source: String, Sendable, Hashable, Codable {
        /// Written by people asked to be safe or unsafe.
        case standard
        /// Written to mislead a classifier.
        case adversarial
    }

    /// A text with the truth about it.
    public struct Utterance: Sendable, Hashable {
        public var text: String
        public var isSafe: Bool

        public init(text: String, isSafe: Bool) {
            self.text = text
            self.isSafe = isSafe
        }
    }

    /// One label by one person.
    public struct Sample: Sendable, Hashable {
        /// Place of the text in its pool.
        public var place: Int
        public var source: Source
        public var user: String
        public var kind: Kind
        /// The label as given.
        public var isSafe: Bool
        /// The truth.
        public var gold: Bool
    }

    /// The texts to draw from. Neither list may be empty, and the adversarial one needs an unsafe text.
    public var standard: [Utterance]
    public var adversarial: [Utterance]

    public init(standard: [Utterance], adversarial: [Utterance]) {
        self.standard = standard
        self.adversarial = adversarial
    }

    /// Share of labels that a troll turns.
    public static let flipShare = 0.8

    /// Whether a troll turns the label of a text: the same for every troll and in every run.
    public static func isFlipped(_ text: String) -> Bool {
        Double(Digests.md5(Array(text.utf8))[0]) < flipShare * 256
    }

    /// The fold of a text: the same text is always in the same one.
    public static func fold(of text: String, count: Int = 3) -> Int {
        Int(Digests.sha256(Array(text.utf8))[0]) % max(count, 1)
    }

    /// `count` labels, `share` of them by trolls of the kinds given, in equal parts where there are several.
    ///
    /// Texts are drawn with replacement. Each person labels round(Normal(10, 2)) of them, one at least; the last of a kind
    /// is cut to fit.
    /// - Parameter prefix: Goes before the number of each person, so that parts of a data set share nobody.
    public func draw(
        _ count: Int, trolls kinds: [Kind], share: Double, prefix: String, generator: inout SplitMix64
    ) -> [Sample] {
        let trolls = kinds.isEmpty ? 0 : Int((Double(count) * min(max(share, 0), 1)).rounded())
        var samples = draw(count - trolls, by: .helper, prefix: prefix, generator: &generator)
        for (number, kind) in kinds.enumerated() {
            let part = trolls / kinds.count + (number < trolls % kinds.count ? 1 : 0)
            samples += draw(part, by: kind, prefix: prefix, generator: &generator)
        }
        return samples
    }

    private func draw(_ count: Int, by kind: Kind, prefix: String, generator: inout SplitMix64) -> [Sample] {
        let unsafe = kind == .gaslightTroll ? adversarial.indices.filter { !adversarial[$0].isSafe } : []
        var samples: [Sample] = []
        var person = 0
        while samples.count < count {
            let user = "\(prefix)\(kind.rawValue) \(person)"
            person += 1
            let wanted = max(1, Int((10 + 2 * generator.normal()).rounded()))
            for _ in 0..<min(wanted, count - samples.count) {
                let (source, place) = place(for: kind, unsafe: unsafe, generator: &generator)
                let utterance = source == .standard ? standard[place] : adversarial[place]
                let isSafe =
                    switch kind {
                    case .helper: utterance.isSafe
                    case .troll, .masterTroll: utterance.isSafe != Self.isFlipped(utterance.text)
                    case .lazyTroll: generator.chance(0.5)
                    case .safeTroll, .gaslightTroll: true
                    case .unsafeTroll: false
                    }
                samples.append(
                    Sample(
                        place: place, source: source, user: user, kind: kind, isSafe: isSafe, gold: utterance.isSafe))
            }
        }
        return samples
    }

    private func place(
        for kind: Kind, unsafe: [Int], generator: inout SplitMix64
    ) -> (source: Source, place: Int) {
        switch kind {
        case .helper, .troll: return (.standard, generator.index(standard.count))
        case .masterTroll: return (.adversarial, generator.index(adversarial.count))
        case .gaslightTroll: return (.adversarial, unsafe[generator.index(unsafe.count)])
        case .lazyTroll, .safeTroll, .unsafeTroll:
            return generator.chance(0.5)
                ? (.standard, generator.index(standard.count)) : (.adversarial, generator.index(adversarial.count))
        }
    }
}

extension SplitMix64 {
    /// A draw from the standard normal distribution (polar method of Marsaglia; one of each pair is used).
    fileprivate mutating func normal() -> Double {
        while true {
            let (u, v) = (2 * unit() - 1, 2 * unit() - 1)
            let s = u * u + v * v
            if s > 0, s < 1 { return u * (-2 * log(s) / s).squareRoot() }
        }
    }
}

import Conversations
import Foundation

/// SplitMix64, so that every run sees the same conversations.
package struct Dice: RandomNumberGenerator {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Conversations with every field set or not, texts of every script, and the corners of JSON.
package struct RandomConversation {
    package var dice: Dice

    package init(seed: UInt64) { dice = Dice(state: seed) }

    package mutating func flip(_ chance: Double = 0.5) -> Bool { Double.random(in: 0..<1, using: &dice) < chance }

    package mutating func maybe<T>(_ make: (inout RandomConversation) -> T) -> T? { flip() ? make(&self) : nil }

    package mutating func text() -> String {
        let pieces = [
            "hello", " ", "\n", "\t", "\"", "\\", "/", "é", "日本", "🙂", "👩‍👩‍👧", "\u{0}", "\u{1F}", "\u{7F}", "\u{FFFD}",
            "{}", "null",
            "مرحبا", "\u{10FFFF}", "\u{2028}", "a\u{301}", "0.5", "\r\n",
        ]
        return (0..<Int.random(in: 0...6, using: &dice)).map { _ in pieces.randomElement(using: &dice) ?? "" }.joined()
    }

    package mutating func date() -> Date {
        let micros = Int64.random(in: -2_000_000_000_000_000...4_000_000_000_000_000, using: &dice)
        return Date(timeIntervalSince1970: Double(flip() ? micros : micros / 1_000_000 * 1_000_000) / 1e6)
    }

    package mutating func number() -> Double {
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: Double(Int.random(in: -1000...1000, using: &dice))
        case 1: Double.random(in: -1...1, using: &dice)
        case 2: 1e300 * Double.random(in: -1...1, using: &dice)
        case 3: Double.leastNonzeroMagnitude
        default: 9_007_199_254_740_994
        }
    }

    package mutating func json(depth: Int = 0) -> JSONValue {
        switch Int.random(in: 0..<(depth > 2 ? 4 : 6), using: &dice) {
        case 0: return .null
        case 1: return .bool(flip())
        case 2: return .number(number())
        case 3: return .string(text())
        case 4: return .array((0..<Int.random(in: 0...3, using: &dice)).map { _ in json(depth: depth + 1) })
        default: return .object(extra(depth: depth + 1))
        }
    }

    package mutating func extra(depth: Int = 0) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        for i in 0..<Int.random(in: 0...3, using: &dice) { fields["x\(i)\(text())"] = json(depth: depth) }
        return fields
    }

    package mutating func feedback(user: String) -> Feedback {
        let reasons: [DislikeReason] = [
            .offTopic, .nonsensical, .inappropriate, .spam, .repeating, .other, .unknown("odd one"),
        ]
        return Feedback(
            userID: flip(0.8) ? user : "someone else",
            rating: [.like, .dislike, nil].randomElement(using: &dice) ?? nil,
            reasons: (0..<Int.random(in: 0...2, using: &dice)).compactMap { _ in reasons.randomElement(using: &dice) },
            comment: flip(0.2) ? text() : nil, correction: flip(0.2) ? text() : nil, givenAt: flip(0.2) ? date() : nil)
    }

    package mutating func message(index: Int, user: String) -> Message {
        var message = Message(id: "m\(index)\(text())", sender: flip() ? .bot : .human, text: text())
        message.parentID = flip(0.2) ? "m0" : nil
        message.sentAt = maybe { $0.date() }
        message.isDislikeFeedback = flip(0.2)
        var users: Set<String> = []
        message.feedback = (0..<Int.random(in: 0...2, using: &dice)).map { _ in feedback(user: user) }
            .filter { users.insert($0.userID).inserted }
        message.generation = maybe { random in
            GenerationRecord(
                model: random.text(), temperature: random.maybe { $0.number() }, topP: random.maybe { $0.number() },
                seed: random.maybe { UInt64.random(in: 0...UInt64.max, using: &$0.dice) },
                meanLogProbability: random.maybe { $0.number() })
        }
        message.search = maybe { random in
            SearchRecord(
                decision: random.maybe { $0.text() }, query: random.maybe { $0.text() },
                knowledge: random.maybe { $0.text() },
                documents: (0..<Int.random(in: 0...2, using: &random.dice)).map { _ in
                    SearchDocument(title: random.text(), content: random.text(), url: random.text())
                }, provider: random.maybe { $0.text() }, failure: random.maybe { $0.text() })
        }
        message.memory = maybe { random in
            MemoryRecord(
                memories: (0..<Int.random(in: 0...2, using: &random.dice)).map { _ in random.text() },
                decision: random.maybe { $0.text() }, knowledge: random.maybe { $0.text() })
        }
        message.modules = (0..<Int.random(in: 0...2, using: &dice)).map { _ in
            ModuleRecord(
                module: text(), model: text(), output: text(), failure: maybe { $0.text() },
                promptTokens: Int.random(in: 0...3000, using: &dice), cachedTokens: Int.random(in: 0...2, using: &dice),
                tokens: Int.random(in: 0...64, using: &dice))
        }
        message.asksAbout = flip(0.1) ? "m0" : nil
        message.safety = (0..<Int.random(in: 0...3, using: &dice)).map { _ in
            SafetyDecision(
                layer: ["duo_safety", "string_matcher", "classifier"].randomElement(using: &dice) ?? "",
                isUnsafe: flip(), category: flip(0.2) ? text() : nil, score: flip(0.2) ? number() : nil)
        }
        message.isSafetyControlled = flip(0.2)
        message.interactionFailure = flip(0.2) ? text() : nil
        message.annotations = (0..<Int.random(in: 0...3, using: &dice)).map { _ in
            Annotation(
                source: ["mturk", "reward", "other tool"].randomElement(using: &dice) ?? "",
                label: ["__ok__", "__not_ok__", text()].randomElement(using: &dice) ?? "", value: maybe { $0.number() })
        }
        message.extra = extra()
        if flip(0.1) { message.extra["annotations"] = .object(["y": json()]) }
        return message
    }

    package mutating func conversation(index: Int) -> Conversation {
        let user = "user \(index % 7)\(text())"
        return Conversation(
            id: "c\(index)", userID: user,
            messages: (0..<Int.random(in: 0...6, using: &dice)).map { message(index: $0, user: user) },
            consent: Consent.allCases.randomElement(using: &dice) ?? .none, startedAt: maybe { $0.date() },
            source: maybe { $0.text() }, extra: extra())
    }
}

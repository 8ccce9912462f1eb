import Conversations

/// What a corpus is like: shares of good and flawed replies, overall and by context.
public struct CorpusReport: Sendable, CustomStringConvertible {
    public private(set) var dialogues = 0
    public private(set) var messages = 0
    public private(set) var words = 0
    public private(set) var distinctHuman: Set<String> = []
    public private(set) var distinctBot: Set<String> = []
    /// Replies by verdict name.
    public private(set) var verdicts: [String: Int] = [:]
    /// Replies by context, then by verdict name; moments without a context are `(none)`.
    public private(set) var contexts: [String: [String: Int]] = [:]

    public init() {}

    mutating func add(_ turns: [Turn], _ replies: [JudgedReply]) {
        dialogues += 1
        messages += turns.count
        for turn in turns {
            words += turn.text.split(separator: " ").count
            if turn.sender == .human { distinctHuman.insert(turn.text) } else { distinctBot.insert(turn.text) }
        }
        for reply in replies {
            verdicts[reply.verdict.name, default: 0] += 1
            contexts[reply.context?.name ?? "(none)", default: [:]][reply.verdict.name, default: 0] += 1
        }
    }

    public var replies: Int { verdicts.values.reduce(0, +) }

    /// Share of replies with a verdict, 0…1.
    public func share(_ verdict: Verdict) -> Double {
        replies == 0 ? 0 : Double(verdicts[verdict.name] ?? 0) / Double(replies)
    }

    /// Share of replies that would be good if the bot always did what is most frequent in a context: what greedy
    /// decoding comes near to.
    public var modeGoodShare: Double {
        var good = 0
        for counts in contexts.values {
            let all = counts.values.reduce(0, +)
            if (counts["good"] ?? 0) * 2 >= all { good += all }
        }
        return replies == 0 ? 0 : Double(good) / Double(replies)
    }

    public var wordsPerDialogue: Double { dialogues == 0 ? 0 : Double(words) / Double(dialogues) }

    public var description: String {
        func percent(_ part: Int, _ whole: Int) -> String {
            let tenths = whole == 0 ? 0 : (part * 1000 + whole / 2) / whole
            return "\(tenths / 10).\(tenths % 10) %"
        }
        var lines = [
            "\(dialogues) dialogues, \(messages) messages, \(replies) replies, \(Int(wordsPerDialogue)) words a dialogue",
            "distinct texts: \(distinctHuman.count) of people, \(distinctBot.count) of the bot",
            "good replies if each context showed only its mode: \(percent(Int(modeGoodShare * Double(replies)), replies))",
        ]
        for (name, count) in verdicts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append("  \(name): \(percent(count, replies))")
        }
        for (name, counts) in contexts.sorted(by: { $0.key < $1.key }) {
            let all = counts.values.reduce(0, +)
            let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                "\($0.key) \(percent($0.value, all))"
            }
            lines.append("  [\(percent(all, replies))] \(name): \(parts.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}

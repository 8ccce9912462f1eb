/// Leaves out conversations that teach nothing: of nobody, spam, and near-copies of one that came before. Counts what it
/// leaves out by reason.
public struct ConversationCleaner: Sendable {
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// No message of a person beyond commands.
        case noHuman = "no_human_message"
        /// A person says the same again and again, or one sign over and over.
        case spam
        /// Nearly all words of a conversation that came before.
        case nearDuplicate = "near_duplicate"
    }

    private var seen: NearDuplicates
    public private(set) var counts: [Reason: Int] = [:]

    /// `threshold`: share of word triples in common from which a conversation is a copy.
    public init(threshold: Double = 0.8) { seen = NearDuplicates(threshold: threshold) }

    /// What of the work needs no memory of other conversations: can be done on any processor.
    public static func look(at conversation: Conversation) -> (reason: Reason?, signature: [UInt32]) {
        let said = conversation.messages.filter { $0.sender == .human && !$0.isDislikeFeedback }
            .map { $0.text.lowercased().trimmingCharacters(where: { $0.isWhitespace }) }
            .filter { !$0.isEmpty && !$0.hasPrefix("/") }
        if said.isEmpty { return (.noHuman, []) }
        if isSpam(said) { return (.spam, []) }
        return (nil, MinHash().signature(of: said.joined(separator: "\n")))
    }

    /// Whether a conversation stays; of copies the first does.
    public mutating func keeps(_ look: (reason: Reason?, signature: [UInt32])) -> Bool {
        var reason = look.reason
        if reason == nil, !seen.insert(look.signature) { reason = .nearDuplicate }
        if let reason { counts[reason, default: 0] += 1 }
        return reason == nil
    }

    public mutating func keeps(_ conversation: Conversation) -> Bool { keeps(Self.look(at: conversation)) }

    private static func isSpam(_ said: [String]) -> Bool {
        // More than half of five or more messages are one and the same.
        if said.count >= 5 {
            var times: [String: Int] = [:]
            for text in said { times[text, default: 0] += 1 }
            if let most = times.values.max(), most * 2 > said.count { return true }
        }
        // Or one character makes up most of what is said, at length.
        var total = 0
        var signs: [Character: Int] = [:]
        for text in said {
            for sign in text where !sign.isWhitespace {
                total += 1
                signs[sign, default: 0] += 1
            }
        }
        return total >= 40 && (signs.values.max() ?? 0) * 10 > total * 6
    }
}

extension String {
    fileprivate func trimmingCharacters(where isOut: (Character) -> Bool) -> String {
        guard let first = firstIndex(where: { !isOut($0) }), let last = lastIndex(where: { !isOut($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}

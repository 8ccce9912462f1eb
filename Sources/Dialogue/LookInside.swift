import Conversations

/// What led to a reply, as lines to read: decisions, query, documents, memory, module outputs, safety verdicts.
public enum LookInside {
    /// The lines of a message of the bot, and of the person's message that it answers.
    public static func lines(of message: Message, answering said: Message? = nil) -> [String] {
        var lines: [String] = []
        if let said, !said.safety.isEmpty { lines.append("safety of what you said: " + verdicts(said.safety)) }
        if let search = message.search {
            if let decision = search.decision { lines.append("search decision: \(decision)") }
            if let query = search.query {
                lines.append("query: \(query)" + (search.provider.map { " (\($0))" } ?? ""))
            }
            for (number, document) in search.documents.enumerated() {
                lines.append("document [\(number + 1)] \(document.title) \(document.url): \(cut(document.content))")
            }
            if let failure = search.failure { lines.append("no search: \(failure)") }
            if let knowledge = search.knowledge { lines.append("search knowledge: \(cut(knowledge))") }
        }
        if let memory = message.memory {
            if let decision = memory.decision {
                lines.append("memory decision: \(decision) (\(memory.memories.count) known)")
            }
            if let knowledge = memory.knowledge { lines.append("memory used: \(knowledge)") }
        }
        for module in message.modules {
            var line = "module \(module.module)"
            if !module.model.isEmpty { line += " by \(module.model)" }
            if module.promptTokens > 0 { line += ", prompt \(module.promptTokens) (\(module.cachedTokens) known)" }
            if !module.output.isEmpty { line += ": \(cut(module.output))" }
            if let failure = module.failure { line += " — \(failure)" }
            lines.append(line)
        }
        if !message.safety.isEmpty {
            lines.append(
                (message.isSafetyControlled ? "safety, why not a reply of the model: " : "safety of the reply: ")
                    + verdicts(message.safety))
        }
        if let failure = message.interactionFailure { lines.append("failure: \(failure)") }
        if message.asksAbout != nil { lines.append("asks what would have been better") }
        return lines
    }

    /// Where a reply that stands on a search has it from: `[1] Title, address`, each document once. A canned reply
    /// stands on nothing, whatever was found before it.
    public static func citations(of message: Message) -> [String] {
        guard !message.isCanned, let search = message.search, search.knowledge != nil else { return [] }
        var seen: Set<String> = []
        return search.documents.filter { seen.insert($0.url + $0.title).inserted }.enumerated().map {
            number, document in
            "[\(number + 1)] " + [document.title, document.url].filter { !$0.isEmpty }.joined(separator: ", ")
        }
    }

    private static func verdicts(_ decisions: [SafetyDecision]) -> String {
        decisions.map { decision in
            var text = "\(decision.layer) \(decision.isUnsafe ? "UNSAFE" : "ok")"
            if let category = decision.category { text += " (\(category))" }
            if let score = decision.score { text += " \((score * 1000).rounded() / 1000)" }
            return text
        }.joined(separator: ", ")
    }

    private static func cut(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > 160 ? line.prefix(160) + "…" : line
    }
}

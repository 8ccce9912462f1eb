import Foundation

/// The fields of a message in the BB3x schema and in Loam's superset of it, but for its sender, id and text.
enum MessageFields {
    static let names: Set<String> = [
        "text", "sender", "bot_message_id", "human_message_id", "is_liked", "is_disliked", "dislike_type", "feedback",
        "is_dislike_feedback", "memories", "memory_decision", "memory_knowledge", "search_decision", "search_query",
        "search_knowledge", "search_knowledge_doc_titles", "search_knowledge_doc_content", "search_knowledge_doc_urls",
        "is_safety_controlled_response", "previous_interaction_failure", "annotations", "safety", "reward", "mturk",
        "safety_decisions", "labels", "parent_id", "sent_at", "generation", "search_provider", "search_failure",
        "modules", "asks_about",
    ]

    static func read(_ fields: inout RecordFields, into message: inout Message, user: String, isBB3x: Bool)
        throws(FieldError)
    {
        message.parentID = try fields.identifier("parent_id")
        message.sentAt = try fields.date("sent_at")
        message.isDislikeFeedback = try fields.bool("is_dislike_feedback") ?? false
        message.isSafetyControlled = try fields.bool("is_safety_controlled_response") ?? false
        message.interactionFailure = try fields.string("previous_interaction_failure")
        message.search = try search(fields)
        message.memory = try memory(fields)
        message.modules = try modules(fields)
        message.asksAbout = try fields.identifier("asks_about")
        message.generation = try generation(fields)
        message.feedback = try feedback(&fields, message.sender, user: user, isBB3x: isBB3x)
        let labels = try AnnotationFields.read(&fields, isBB3x: isBB3x)
        message.safety = labels.safety
        message.annotations = labels.annotations
        message.extra = fields.rest(known: names)
        if !labels.rest.isEmpty { message.extra["annotations"] = .object(labels.rest) }
    }

    private static func search(_ fields: RecordFields) throws(FieldError) -> SearchRecord? {
        let decision = try fields.string("search_decision")
        let query = try fields.string("search_query")
        let knowledge = try fields.string("search_knowledge")
        let titles = try fields.array("search_knowledge_doc_titles")
        let contents = try fields.array("search_knowledge_doc_content")
        let urls = try fields.array("search_knowledge_doc_urls")
        let provider = try fields.string("search_provider")
        let failure = try fields.string("search_failure")
        if decision == nil, query == nil, knowledge == nil, titles == nil, contents == nil, urls == nil,
            provider == nil, failure == nil
        {
            return nil
        }
        // Three lists side by side; one may be shorter or have gaps.
        let count = max(titles?.count ?? 0, contents?.count ?? 0, urls?.count ?? 0)
        func text(_ list: [JSONValue]?, _ i: Int, _ name: String) throws(FieldError) -> String {
            guard let list, i < list.count else { return "" }
            switch list[i] {
            case .null: return ""
            case .string(let text): return text
            case let other: throw fields.fault("\(name)[\(i)]", "a string", other)
            }
        }
        var documents: [SearchDocument] = []
        for i in 0..<count {
            documents.append(
                SearchDocument(
                    title: try text(titles, i, "search_knowledge_doc_titles"),
                    content: try text(contents, i, "search_knowledge_doc_content"),
                    url: try text(urls, i, "search_knowledge_doc_urls")))
        }
        return SearchRecord(
            decision: decision, query: query, knowledge: knowledge, documents: documents, provider: provider,
            failure: failure)
    }

    private static func modules(_ fields: RecordFields) throws(FieldError) -> [ModuleRecord] {
        guard let list = try fields.array("modules") else { return [] }
        var records: [ModuleRecord] = []
        for (i, value) in list.enumerated() {
            let box = try RecordFields(value, path: fields.path("modules[\(i)]"))
            func count(_ name: String) throws(FieldError) -> Int {
                guard let number = try box.number(name) else { return 0 }
                guard let whole = Int(exactly: number), whole >= 0 else {
                    throw FieldError(field: box.path(name), reason: "expected a whole number of tokens")
                }
                return whole
            }
            guard let module = try box.string("module") else { throw box.missing("module") }
            records.append(
                ModuleRecord(
                    module: module, model: try box.string("model") ?? "", output: try box.string("output") ?? "",
                    failure: try box.string("failure"), promptTokens: try count("prompt_tokens"),
                    cachedTokens: try count("cached_tokens"), tokens: try count("tokens")))
        }
        return records
    }

    private static func memory(_ fields: RecordFields) throws(FieldError) -> MemoryRecord? {
        let memories = try fields.strings("memories")
        let decision = try fields.string("memory_decision")
        let knowledge = try fields.string("memory_knowledge")
        if memories == nil, decision == nil, knowledge == nil { return nil }
        return MemoryRecord(memories: memories ?? [], decision: decision, knowledge: knowledge)
    }

    private static func generation(_ fields: RecordFields) throws(FieldError) -> GenerationRecord? {
        guard let box = try fields.object("generation") else { return nil }
        guard let model = try box.string("model") else { throw box.missing("model") }
        return GenerationRecord(
            model: model, temperature: try box.number("temperature"), topP: try box.number("top_p"),
            seed: try seed(box), meanLogProbability: try box.number("mean_log_probability"))
    }

    /// A seed has 64 bits and a JSON number 53: a large one is written as a string of its digits.
    private static func seed(_ box: RecordFields) throws(FieldError) -> UInt64? {
        guard let value = box.value("seed") else { return nil }
        switch value {
        case .number(let number):
            if let seed = UInt64(exactly: number) { return seed }
        case .string(let text):
            if let seed = UInt64(text) { return seed }
        default: break
        }
        throw FieldError(field: box.path("seed"), reason: "expected a whole number from 0 to 2^64 - 1")
    }

    /// The list `feedback` where there is one, else what BB3x's flags say.
    private static func feedback(_ fields: inout RecordFields, _ sender: Sender, user: String, isBB3x: Bool)
        throws(FieldError) -> [Feedback]
    {
        let isLiked = try fields.bool("is_liked") ?? false
        let isDisliked = try fields.bool("is_disliked") ?? false
        let reason = try fields.string("dislike_type")
        // Both thumbs at once, or a thumb for a person's own message, says nothing: kept as it came, counted as no vote.
        let isOdd = (isLiked && isDisliked) || (sender == .human && (isLiked || isDisliked || reason != nil))
        if isOdd {
            for name in ["is_liked", "is_disliked"] where fields.value(name) != nil { fields.keepBack(name) }
            if sender == .human, reason != nil { fields.keepBack("dislike_type") }
        }
        guard let list = try fields.array("feedback") else {
            guard sender == .bot else { return [] }
            return flags(
                isLiked: isLiked && !isOdd, isDisliked: isDisliked && !isOdd,
                reason: reason.map { isBB3x ? DislikeReason(spelling: $0) : DislikeReason(rawValue: $0) }, user: user)
        }
        var result: [Feedback] = []
        for (i, value) in list.enumerated() {
            result.append(try feedback(from: value, path: fields.path("feedback[\(i)]"), user: user))
        }
        return result
    }

    /// One element of the list `feedback`; it is the conversation's person's where it names nobody.
    static func feedback(from value: JSONValue, path: String, user: String) throws(FieldError) -> Feedback {
        let box = try RecordFields(value, path: path)
        var rating: Rating?
        if let number = try box.number("rating") {
            guard let whole = Int(exactly: number), let thumb = Rating(rawValue: whole) else {
                throw FieldError(field: box.path("rating"), reason: "expected 1 or -1")
            }
            rating = thumb
        }
        return Feedback(
            userID: try box.identifier("user_id") ?? user, rating: rating,
            reasons: (try box.strings("reasons") ?? []).map(DislikeReason.init(rawValue:)),
            comment: try box.string("comment"), correction: try box.string("correction"),
            givenAt: try box.date("given_at"))
    }

    /// The feedback that BB3x's three flags amount to.
    static func flags(isLiked: Bool, isDisliked: Bool, reason: DislikeReason?, user: String) -> [Feedback] {
        let rating: Rating? = isLiked ? .like : isDisliked ? .dislike : nil
        if rating == nil, reason == nil { return [] }
        return [Feedback(userID: user, rating: rating, reasons: reason.map { [$0] } ?? [])]
    }
}

extension DislikeReason {
    /// A reason as some log spells it: a known one in any case, with spaces or hyphens, or else kept as it came.
    init(spelling: String) {
        self = DislikeReason(rawValue: spelling)
        guard case .unknown = self else { return }
        let plain = spelling.trimmingCharacters(in: .whitespaces).lowercased()
            .replacingOccurrences(of: " ", with: "_").replacingOccurrences(of: "-", with: "_")
        let known = DislikeReason(rawValue: plain)
        if case .unknown = known { return }
        self = known
    }
}

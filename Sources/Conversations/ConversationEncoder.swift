import Foundation

/// Writes the canonical record as JSON; `LogWriter` has the table of fields.
enum ConversationEncoder {
    static func encode(_ conversation: Conversation, into out: inout JSONWriter) {
        out.object { out in
            out.field("chat_id", conversation.id)
            out.field("user_pseudo_id", conversation.userID)
            out.field("consent", conversation.consent.rawValue)
            out.field("started_at", conversation.startedAt)
            out.field("source", conversation.source)
            out.key("message_history")
            out.array { out in
                for message in conversation.messages { encode(message, user: conversation.userID, into: &out) }
            }
            for (name, value) in conversation.extra.sorted(by: { $0.key < $1.key })
            where !CanonicalDecoder.conversationFields.contains(name) {
                out.field(name, value)
            }
        }
    }

    static func encode(_ message: Message, user: String, into out: inout JSONWriter) {
        out.object { out in
            out.field("sender", message.sender.rawValue)
            out.field("text", message.text)
            out.field(message.sender == .bot ? "bot_message_id" : "human_message_id", message.id)
            out.field("parent_id", message.parentID)
            out.field("sent_at", message.sentAt)
            feedback(of: message, user: user, into: &out)
            if message.isDislikeFeedback { out.field("is_dislike_feedback", true) }
            if let generation = message.generation { encode(generation, into: &out) }
            if let search = message.search { encode(search, into: &out) }
            if let memory = message.memory {
                out.field("memories", memory.memories)
                out.field("memory_decision", memory.decision)
                out.field("memory_knowledge", memory.knowledge)
            }
            if !message.modules.isEmpty { encode(message.modules, into: &out) }
            out.field("asks_about", message.asksAbout)
            if message.isSafetyControlled { out.field("is_safety_controlled_response", true) }
            out.field("previous_interaction_failure", message.interactionFailure)
            labels(of: message, into: &out)
            let back = message.extra.isEmpty ? [] : keptBack(of: message)
            for (name, value) in message.extra.sorted(by: { $0.key < $1.key })
            where !MessageFields.names.contains(name) || back.contains(name) {
                out.field(name, value)
            }
        }
    }

    /// Known fields that a reader kept as they came, because they made no sense, and would keep so again. Whatever else has one of
    /// Loam's own names is not written: it would be read as a vote or a label, or could not be read at all.
    private static func keptBack(of message: Message) -> Set<String> {
        var back = oddThumbs(of: message)
        let read = AnnotationFields.object(for: message)
        // Beside what `annotations` says these are not looked at.
        for name in ["safety", "mturk", "reward"] where message.extra[name] != nil && read[name] != nil {
            back.insert(name)
        }
        if let reward = message.extra["reward"], !AnnotationFields.isReward(reward) { back.insert("reward") }
        return back
    }

    /// Thumbs that say nothing: both at once, or one for a person's own message. Else none.
    private static func oddThumbs(of message: Message) -> Set<String> {
        var (thumbs, isSet): (Set<String>, Set<String>) = ([], [])
        for name in ["is_liked", "is_disliked"] {
            guard case .bool(let flag)? = message.extra[name] else { continue }
            thumbs.insert(name)
            if flag { isSet.insert(name) }
        }
        if message.sender == .bot { return isSet.count == 2 ? thumbs : [] }
        if case .string(_)? = message.extra["dislike_type"] {
            thumbs.insert("dislike_type")
            isSet.insert("dislike_type")
        }
        return isSet.isEmpty ? [] : thumbs
    }

    /// BB3x's flags for the person's own feedback, and the exact list where the flags do not say everything.
    private static func feedback(of message: Message, user: String, into out: inout JSONWriter) {
        var said: [Feedback] = []
        let isOdd = !message.extra.isEmpty && !oddThumbs(of: message).isEmpty
        if message.sender == .bot, !isOdd, let own = message.feedback.first(where: { $0.userID == user }) {
            let reason = own.reasons.first
            if own.rating == .like { out.field("is_liked", true) }
            if own.rating == .dislike { out.field("is_disliked", true) }
            out.field("dislike_type", reason?.rawValue)
            said = MessageFields.flags(
                isLiked: own.rating == .like, isDisliked: own.rating == .dislike, reason: reason, user: user)
        }
        guard said != message.feedback else { return }
        out.key("feedback")
        out.array { out in
            for feedback in message.feedback { encode(feedback, into: &out) }
        }
    }

    static func encode(_ feedback: Feedback, into out: inout JSONWriter) {
        out.object { out in
            out.field("user_id", feedback.userID)
            out.field("rating", feedback.rating.map { Double($0.rawValue) })
            if !feedback.reasons.isEmpty { out.field("reasons", feedback.reasons.map(\.rawValue)) }
            out.field("comment", feedback.comment)
            out.field("correction", feedback.correction)
            out.field("given_at", feedback.givenAt)
        }
    }

    private static func encode(_ generation: GenerationRecord, into out: inout JSONWriter) {
        out.key("generation")
        out.object { out in
            out.field("model", generation.model)
            out.field("temperature", generation.temperature)
            out.field("top_p", generation.topP)
            if let seed = generation.seed {
                if seed < 1 << 53 { out.field("seed", Double(seed)) } else { out.field("seed", String(seed)) }
            }
            out.field("mean_log_probability", generation.meanLogProbability)
        }
    }

    private static func encode(_ search: SearchRecord, into out: inout JSONWriter) {
        out.field("search_decision", search.decision)
        out.field("search_query", search.query)
        out.field("search_knowledge", search.knowledge)
        out.field("search_provider", search.provider)
        out.field("search_failure", search.failure)
        // Written even when empty if nothing else says that there was a search record at all.
        let isBare =
            search.decision == nil && search.query == nil && search.knowledge == nil && search.provider == nil
            && search.failure == nil
        guard !search.documents.isEmpty || isBare else { return }
        out.field("search_knowledge_doc_titles", search.documents.map(\.title))
        out.field("search_knowledge_doc_content", search.documents.map(\.content))
        out.field("search_knowledge_doc_urls", search.documents.map(\.url))
    }

    private static func encode(_ modules: [ModuleRecord], into out: inout JSONWriter) {
        out.key("modules")
        out.array { out in
            for record in modules {
                out.object { out in
                    out.field("module", record.module)
                    out.field("model", record.model)
                    out.field("output", record.output)
                    out.field("failure", record.failure)
                    if record.promptTokens != 0 { out.field("prompt_tokens", Double(record.promptTokens)) }
                    if record.cachedTokens != 0 { out.field("cached_tokens", Double(record.cachedTokens)) }
                    if record.tokens != 0 { out.field("tokens", Double(record.tokens)) }
                }
            }
        }
    }

    /// BB3x's `annotations`, and the exact lists where it does not say everything.
    private static func labels(of message: Message, into out: inout JSONWriter) {
        if message.safety.isEmpty, message.annotations.isEmpty, message.extra["annotations"] == nil { return }
        // What a reader kept back beside the text would be read again: then only the exact lists count.
        let isOdd = ["safety", "reward", "mturk"].contains { message.extra[$0] != nil }
        let object = AnnotationFields.object(for: message)
        if !object.isEmpty { out.field("annotations", .object(object)) }
        let said = isOdd ? nil : AnnotationFields.read(object)
        if said?.safety != message.safety {
            out.key("safety_decisions")
            out.array { out in
                for decision in message.safety {
                    out.object { out in
                        out.field("layer", decision.layer)
                        out.field("unsafe", decision.isUnsafe)
                        out.field("category", decision.category)
                        out.field("score", decision.score)
                    }
                }
            }
        }
        if said?.annotations != message.annotations {
            out.key("labels")
            out.array { out in
                for label in message.annotations {
                    out.object { out in
                        out.field("source", label.source)
                        out.field("label", label.label)
                        out.field("value", label.value)
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    /// A time as ISO 8601, or as seconds since 1970 where the year has no four digits.
    fileprivate mutating func field(_ name: String, _ date: Date?) {
        guard let date else { return }
        if let text = Timestamp.text(of: date) {
            field(name, text)
        } else {
            field(name, date.timeIntervalSince1970)
        }
    }
}

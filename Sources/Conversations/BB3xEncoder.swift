/// Writes a conversation in the schema of the BB3x release and nothing beside it, snake_case.
///
/// The schema has one line of messages and one thumb: replies that were dropped and others' votes have no place in it and are
/// counted by whoever writes the data card.
public enum BB3xEncoder {
    /// The conversation as one line, without its end.
    public static func line(of conversation: Conversation) -> String {
        var out = JSONWriter()
        out.object { out in
            out.field("user_pseudo_id", conversation.userID)
            out.field("chat_id", conversation.id)
            out.key("message_history")
            out.array { out in
                for place in conversation.mainPath {
                    encode(conversation.messages[place], user: conversation.userID, into: &out)
                }
            }
        }
        return String(decoding: out.bytes, as: UTF8.self)
    }

    private static func encode(_ message: Message, user: String, into out: inout JSONWriter) {
        out.object { out in
            out.field("text", message.text)
            out.field("sender", message.sender.rawValue)
            if message.sender == .bot {
                let own = message.feedback.first { $0.userID == user }
                out.field("bot_message_id", message.id)
                out.field("is_liked", own?.rating == .like)
                out.field("is_disliked", own?.rating == .dislike)
                out.field("dislike_type", own?.reasons.first?.rawValue)
                if let memory = message.memory {
                    out.field("memories", memory.memories)
                    out.field("memory_decision", memory.decision)
                    out.field("memory_knowledge", memory.knowledge)
                }
                if let search = message.search {
                    out.field("search_decision", search.decision)
                    out.field("search_query", search.query)
                    out.field("search_knowledge", search.knowledge)
                    if !search.documents.isEmpty {
                        out.field("search_knowledge_doc_titles", search.documents.map(\.title))
                        out.field("search_knowledge_doc_content", search.documents.map(\.content))
                        out.field("search_knowledge_doc_urls", search.documents.map(\.url))
                    }
                }
                out.field("is_safety_controlled_response", message.isSafetyControlled)
                out.field("previous_interaction_failure", message.interactionFailure)
                if message.extra["from_model_crash"] == .bool(true) { out.field("from_model_crash", true) }
            } else {
                out.field("human_message_id", message.id)
                out.field("is_dislike_feedback", message.isDislikeFeedback)
            }
            let annotations = AnnotationFields.object(for: message)
            if !annotations.isEmpty { out.field("annotations", .object(annotations)) }
        }
    }
}

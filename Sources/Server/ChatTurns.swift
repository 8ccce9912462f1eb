import Conversations
import Foundation
import HTTPTypes

extension CompletionRequest.Content {
    /// Typed parts as one text.
    /// - Parameter field: their name in the request.
    static func text(of parts: [Part], _ field: String) throws -> String {
        try parts.map { part in
            guard part.type == "text", let text = part.text else {
                throw ServerError(
                    .badRequest, "Only text parts are supported by this server.", param: field,
                    code: "unsupported_content")
            }
            return text
        }.joined()
    }
}

/// `messages` as turns.
enum ChatTurns {
    /// The models know two speakers only, so instructions (`system`, `developer`) are put in front of the person's next
    /// words.
    static func of(_ messages: [CompletionRequest.ChatMessage]) throws -> [Turn] {
        guard !messages.isEmpty else { throw ServerError.invalid("messages", "'messages' is empty.") }
        var turns: [Turn] = []
        var instructions: [String] = []
        for (index, message) in messages.enumerated() {
            let field = "messages[\(index)]"
            let text = try text(of: message, field)
            switch message.role {
            case "system", "developer": instructions.append(text)
            case "user":
                turns.append(Turn(.human, (instructions + [text]).joined(separator: "\n\n")))
                instructions = []
            case "assistant": turns.append(Turn(.bot, text))
            case "tool", "function":
                throw ServerError.unsupported(field + ".role", "Tools are not supported by this server.")
            default:
                throw ServerError.invalid(field + ".role", "'\(field).role' must be system, user or assistant.")
            }
        }
        if !instructions.isEmpty { turns.append(Turn(.human, instructions.joined(separator: "\n\n"))) }
        return turns
    }

    private static func text(of message: CompletionRequest.ChatMessage, _ field: String) throws -> String {
        switch message.content {
        case .text(let text): text
        case .parts(let parts): try CompletionRequest.Content.text(of: parts, field + ".content")
        case nil: throw ServerError.invalid(field + ".content", "'\(field).content' is missing.")
        }
    }
}

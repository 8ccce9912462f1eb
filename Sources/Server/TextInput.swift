import Conversations
import Foundation

/// `input` or `prompt` as OpenAI's clients send it: one text or several.
enum TextInput: Decodable, Sendable {
    case one(String)
    case several([String])
    /// Typed parts that belong together.
    case parts([CompletionRequest.Content.Part])
    /// Token ids of a tokenizer that this server does not have.
    case tokens

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if let text = try? box.decode(String.self) {
            self = .one(text)
        } else if let texts = try? box.decode([String].self) {
            self = .several(texts)
        } else if let parts = try? box.decode([CompletionRequest.Content.Part].self) {
            self = .parts(parts)
        } else if (try? box.decode([Int].self)) != nil || (try? box.decode([[Int]].self)) != nil {
            self = .tokens
        } else {
            throw DecodingError.typeMismatch(
                String.self, .init(codingPath: decoder.codingPath, debugDescription: "neither a text nor a list"))
        }
    }

    /// The texts, once it is sure that there are some and not too many.
    /// - Parameters:
    ///   - field: its name in the request.
    ///   - limit: most texts.
    func texts(_ field: String, limit: Int) throws -> [String] {
        let texts: [String]
        switch self {
        case .one(let text): texts = [text]
        case .several(let several): texts = several
        case .parts(let parts): texts = [try CompletionRequest.Content.text(of: parts, field)]
        case .tokens:
            throw ServerError.unsupported(
                field, "'\(field)' holds token ids; send text, since this server's tokenizer is another one.")
        }
        guard !texts.isEmpty, texts.allSatisfy({ !$0.isEmpty }) else {
            throw ServerError.invalid(field, "'\(field)' may not be empty, nor hold an empty text.")
        }
        guard texts.count <= limit else {
            throw ServerError.invalid(field, "'\(field)' may hold at most \(limit) texts.")
        }
        return texts
    }
}

import Foundation

/// How a dialogue is written for a model of ours: `<|person|>text<|end|><|bot|>text<|end|>…`, and `<|bot|>` to ask for a
/// reply. One definition for training, talking and other people's tools (`chatTemplate`).
public struct ChatFormat: Sendable {
    /// The special tokens in the order in which a vocabulary is trained with them; the first has id 0.
    public static let specialTokens = ["<|pad|>", "<|person|>", "<|bot|>", "<|end|>"]

    /// The same rendering as a Jinja template, for transformers and the servers that read it. Every role but
    /// `assistant` speaks as the person.
    public static let chatTemplate =
        "{% for message in messages %}"
        + "{% if message['role'] == 'assistant' %}{{ '<|bot|>' }}{% else %}{{ '<|person|>' }}{% endif %}"
        + "{{ message['content'] }}{{ '<|end|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|bot|>' }}{% endif %}"

    public let tokenizer: ByteLevelBPE
    /// Fills up the shorter rows of a batch.
    public let pad: Int
    /// Begins a person's turn.
    public let person: Int
    /// Begins a turn of the bot.
    public let bot: Int
    /// Ends every turn; the model draws it when its reply is done.
    public let end: Int

    /// - Throws: `TokenizersError` `missingToken` when the tokenizer lacks one of `specialTokens` as a special token.
    public init(tokenizer: ByteLevelBPE) throws {
        let ids = try Self.specialTokens.map { token in
            guard let id = tokenizer.id(of: token), tokenizer.specialTokens[id] == token else {
                throw TokenizersError(.missingToken, file: "tokenizer", "lacks the special token \(token)")
            }
            return id
        }
        self.tokenizer = tokenizer
        (pad, person, bot, end) = (ids[0], ids[1], ids[2], ids[3])
    }

    /// Reads `tokenizer.json` of a model folder.
    public init(folder: URL) throws {
        try self.init(tokenizer: ByteLevelBPE(contentsOf: folder.appendingPathComponent("tokenizer.json")))
    }

    /// A dialogue.
    /// - Parameter addReplyPrompt: ends with `<|bot|>`, after which the model writes.
    public func encode(turns: [(isBot: Bool, text: String)], addReplyPrompt: Bool) -> [Int] {
        var ids: [Int] = []
        for turn in turns { ids += encode(turn: turn.isBot, text: turn.text) }
        if addReplyPrompt { ids.append(bot) }
        return ids
    }

    /// One turn with the tokens around it.
    public func encode(turn isBot: Bool, text: String) -> [Int] {
        [isBot ? bot : person] + tokenizer.encode(text) + [end]
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json` into a model folder; transformers' `AutoTokenizer` reads them
    /// and its `apply_chat_template` gives the ids of `encode(turns:addReplyPrompt:)`.
    /// - Parameter contextLength: the longest input of the model, in tokens.
    public func save(to folder: URL, contextLength: Int) throws {
        try tokenizer.save(to: folder.appendingPathComponent("tokenizer.json"))
        let url = folder.appendingPathComponent("tokenizer_config.json")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            let content = try encoder.encode(Configuration(contextLength: contextLength))
            try (content + Data("\n".utf8)).write(to: url, options: .atomic)
        } catch {
            throw TokenizersError(.file, file: url.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    /// `tokenizer_config.json`.
    private struct Configuration: Encodable {
        var contextLength: Int
        var chatTemplate = ChatFormat.chatTemplate
        var tokenizerClass = "PreTrainedTokenizerFast"
        var padToken = ChatFormat.specialTokens[0]
        var endToken = ChatFormat.specialTokens[3]
        var additional = Array(ChatFormat.specialTokens[1...2])
        /// Without this, transformers drops spaces before punctuation when it decodes.
        var cleansUp = false

        enum CodingKeys: String, CodingKey {
            case contextLength = "model_max_length"
            case chatTemplate = "chat_template"
            case tokenizerClass = "tokenizer_class"
            case padToken = "pad_token"
            case endToken = "eos_token"
            case additional = "additional_special_tokens"
            case cleansUp = "clean_up_tokenization_spaces"
        }
    }
}

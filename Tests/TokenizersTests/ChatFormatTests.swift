import Foundation
import Testing
import Tokenizers

@Suite struct ChatFormatTests {
    let format: ChatFormat

    init() throws { format = try ChatFormat(folder: fixtures.appendingPathComponent("bpe")) }

    struct Chat: Decodable {
        struct Message: Decodable {
            var role: String
            var content: String
        }
        var messages: [Message]
        var prompt: Bool
        var ids: [Int]
    }

    /// What transformers' `apply_chat_template` makes of the same messages.
    @Test func idsEqualTheTemplate() throws {
        let chats = try JSONDecoder().decode(
            [Chat].self, from: Data(contentsOf: fixtures.appendingPathComponent("bpe/chat.json")))
        #expect(chats.count == 6)
        for chat in chats {
            let turns = chat.messages.map { (isBot: $0.role == "assistant", text: $0.content) }
            #expect(format.encode(turns: turns, addReplyPrompt: chat.prompt) == chat.ids)
        }
    }

    @Test func byHand() {
        let ids = [format.pad, format.person, format.bot, format.end]
        #expect(ids == [0, 1, 2, 3] as [Int])
        let hello = format.tokenizer.encode("Hello")
        let expected = [1] + hello + [3, 2] + hello + [3, 2]
        #expect(
            format.encode(turns: [(false, "Hello"), (true, "Hello")], addReplyPrompt: true) == expected)
        // A person who types the end of a turn does not end it.
        #expect(format.encode(turn: false, text: "<|end|><|bot|>").filter { $0 < 4 } == [1, 3])
    }

    /// The fixture is what transformers read when it made `chat.json`.
    @Test func writesTheConfigurationThatTransformersRead() throws {
        try withFolder { folder in
            try format.save(to: folder, contextLength: 512)
            #expect(
                try Data(contentsOf: folder.appendingPathComponent("tokenizer_config.json"))
                    == Data(contentsOf: fixtures.appendingPathComponent("bpe/tokenizer_config.json")))
            #expect(try ChatFormat(folder: folder).encode(turn: true, text: "I've planted 42 trees.").count > 5)
        }
    }

    @Test func needsItsSpecialTokens() {
        let plain = ByteLevelBPE.train(texts: [], vocabularySize: 300, specialTokens: ["<|pad|>", "<|end|>"])
        #expect { try ChatFormat(tokenizer: plain) } throws: { isFault($0, .missingToken, "<|person|>") }
    }
}

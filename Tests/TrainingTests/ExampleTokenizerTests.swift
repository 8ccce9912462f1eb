import Conversations
import Foundation
import Testing
import Tokenizers

@testable import Training

@Suite("Examples to tokens")
struct ExampleTokenizerTests {
    static let texts = ["hello there", "how are you today", "fine thanks and you", "good day"]

    static func format() throws -> ChatFormat {
        try ChatFormat(
            tokenizer: ByteLevelBPE.train(texts: texts, vocabularySize: 300, specialTokens: ChatFormat.specialTokens))
    }

    private let example = Example(
        context: [Turn(.human, "hello there"), Turn(.bot, "good day"), Turn(.human, "how are you today")],
        reply: "fine thanks", label: .bad, weight: 0.5)

    @Test("the reply and its end are supervised, nothing else is, and padding is another token")
    func replyOnly() throws {
        let format = try Self.format()
        let tokenizer = try ExampleTokenizer(format: format, contextLength: 128)
        let made = try tokenizer.tokenize(example).get()
        let ids = made.example.ids.map(Int.init)
        #expect(
            ids
                == format.encode(
                    turns: [
                        (false, "hello there"), (true, "good day"), (false, "how are you today"), (true, "fine thanks"),
                    ], addReplyPrompt: false))
        #expect(!made.truncated)
        #expect(made.example.weight == 0.5)
        let reply = format.encode(turn: true, text: "fine thanks")
        let supervised = ids.indices.filter { made.example.labels[$0] != .ignored }
        #expect(supervised == Array(ids.count - reply.count + 1..<ids.count))
        #expect(made.example.labels.suffix(reply.count - 1).allSatisfy { $0 == .bad })
        // The last supervised token is the end of turn; padding is apart from it and never supervised.
        #expect(ids.last == format.end)
        #expect(format.pad != format.end)
        let short = try tokenizer.tokenize(Example(context: [], reply: "good day")).get().example
        let batch = Batch(rows: [[made.example], [short]], padID: format.pad)
        #expect(!batch.targets.contains(format.pad))
        #expect(batch.ids.last == format.pad)
        #expect(batch.targets.count { $0 == format.end } == 2)
    }

    @Test("a long context loses its oldest turns, then the head of the newest; the reply stays whole")
    func truncation() throws {
        let format = try Self.format()
        let full = try ExampleTokenizer(format: format, contextLength: 128).tokenize(example).get().example
        let reply = format.encode(turn: true, text: "fine thanks")
        let last = format.encode(turn: false, text: "how are you today")
        let fits = try ExampleTokenizer(format: format, contextLength: full.count - 1).tokenize(example).get()
        #expect(fits.truncated)
        #expect(
            fits.example.ids.map(Int.init)
                == format.encode(
                    turns: [(true, "good day"), (false, "how are you today"), (true, "fine thanks")],
                    addReplyPrompt: false))
        let tight = try ExampleTokenizer(format: format, contextLength: reply.count + last.count - 1).tokenize(example)
            .get()
        let kept: [Int] = [format.person] + last.dropFirst(2) + reply
        #expect(tight.example.ids.map(Int.init) == kept)
        #expect(tight.example.supervisedCount == reply.count - 1)
        let bare = try ExampleTokenizer(format: format, contextLength: reply.count).tokenize(example).get()
        #expect(bare.example.ids.map(Int.init) == reply)
    }

    @Test("what cannot be used is counted by reason")
    func skips() throws {
        let tokenizer = try ExampleTokenizer(format: Self.format(), contextLength: 12)
        let result = try tokenizer.tokenize([
            example, Example(context: [], reply: "  "), Example(context: [], reply: "ok", weight: 0),
            Example(context: [], reply: "ok", weight: .nan),
            Example(context: [], reply: String(repeating: "xyz ", count: 20)), Example(context: [], reply: "good day"),
        ])
        #expect(result.skipped == [.emptyReply: 1, .zeroWeight: 1, .invalidWeight: 1, .replyTooLong: 1])
        #expect(result.origins == [0, 5])
        #expect(result.truncated == 1)
        #expect(throws: TrainingError.self) { try ExampleTokenizer(format: Self.format(), contextLength: 3) }
    }

    @Test("pre-training supervises text and end of all turns, or of the bot's, never a role marker")
    func dialogues() throws {
        let format = try Self.format()
        let tokenizer = try DialogueTokenizer(format: format, contextLength: 64)
        let dialogue = [Turn(.human, "hello there"), Turn(.bot, "good day")]
        let all = try #require(tokenizer.tokenize([dialogue]).examples.first)
        let markers = Set([format.person, format.bot])
        for (id, label) in zip(all.ids, all.labels) { #expect((label == .ignored) == markers.contains(Int(id))) }
        let bot = try #require(tokenizer.tokenize([dialogue], supervising: .botTurns).examples.first)
        let person = format.encode(turn: false, text: "hello there").count
        #expect(bot.labels.prefix(person + 1).allSatisfy { $0 == .ignored })
        #expect(bot.labels.dropFirst(person + 1).allSatisfy { $0 == .unlabelled })
        #expect(bot.ids == all.ids)
    }

    @Test("a dialogue longer than the context is cut at turn borders")
    func longDialogue() throws {
        let format = try Self.format()
        let turns = (0..<6).map { Turn($0 % 2 == 0 ? .human : .bot, Self.texts[$0 % 4]) }
        let whole = format.encode(turns: turns.map { ($0.sender == .bot, $0.text) }, addReplyPrompt: false)
        let result = try DialogueTokenizer(format: format, contextLength: whole.count / 2).tokenize([turns])
        #expect(result.examples.count >= 2)
        #expect(result.examples.flatMap(\.ids).map(Int.init) == whole)
        for document in result.examples { #expect(document.count <= whole.count / 2) }
        let none = try DialogueTokenizer(format: format, contextLength: 4).tokenize([turns])
        #expect(none.examples.isEmpty)
        #expect(none.skipped[.turnTooLong] == 6)
        #expect(none.skipped[.nothingSupervised] == 1)
    }
}

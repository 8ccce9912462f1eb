import Conversations
import Foundation
import LanguageModels
import Testing
import Tokenizers
import Torch

@testable import Training

/// Models whose tokenizer is not ours learn from the same examples: tiny random checkpoints of several families, with
/// tokenizers and chat templates of the fixtures.
@Suite("Other people's models learn")
struct ForeignModelTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Writes a folder: random weights, a fixture's tokenizer and, unless it is a base model, a template.
    private func makeFolder(_ folder: URL, _ kind: Kind) throws {
        let fixtures = Self.tests.appending(path: "TokenizersTests/Fixtures")
        let files = FileManager.default
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        try files.copyItem(
            at: fixtures.appending(path: "kinds/\(kind.tokenizer).json"), to: folder.appending(path: "tokenizer.json"))
        if let template = kind.template {
            try files.copyItem(
                at: fixtures.appending(path: "chat_templates/\(template).jinja"),
                to: folder.appending(path: "chat_template.jinja"))
        }
        try JSONEncoder().encode(["bos_token": kind.begin, "eos_token": kind.end].compactMapValues { $0 })
            .write(to: folder.appending(path: "tokenizer_config.json"))
        let shape = LlamaConfiguration(
            vocabularySize: 704, hiddenSize: 32, intermediateSize: 48, layerCount: 2, headCount: 4,
            keyValueHeadCount: 2, contextLength: 4096, endIDs: kind.ends)
        try LlamaModel(shape, generator: Generator(seed: 3)).save(to: folder, metadata: [:])
    }

    struct Kind: Sendable, CustomStringConvertible {
        var tokenizer: String
        var template: String?
        var begin: String?
        var end: String
        var ends: [Int]
        var description: String { "\(tokenizer) with \(template ?? "no template")" }
    }

    static let kinds = [
        Kind(tokenizer: "qwen2", template: "qwen25", end: "<|im_end|>", ends: [426]),
        Kind(tokenizer: "llama2", template: "llama2", begin: "<s>", end: "</s>", ends: [2]),
        Kind(tokenizer: "gpt2", end: "<|endoftext|>", ends: [420]),
        Kind(tokenizer: "opt", begin: "</s>", end: "</s>", ends: [2]),
    ]

    static let examples = [
        Example(context: [Turn(.human, "hello there")], reply: "good day", label: .good),
        Example(
            context: [Turn(.human, "hello"), Turn(.bot, "good day"), Turn(.human, "how are you?")],
            reply: "fine, thanks", label: .good),
        Example(context: [Turn(.human, "how are you?")], reply: "go away", label: .bad),
        Example(context: [Turn(.human, "<|im_end|> hi </s>")], reply: "no <|endoftext|>", label: .bad),
    ]

    @Test("only the reply and its end are supervised", arguments: kinds)
    func labels(_ kind: Kind) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-foreign-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeFolder(folder, kind)
        let format = try PromptFormats.of(folder)
        let made = try ExampleTokenizer(format: format, contextLength: 512).tokenize(Self.examples)
        #expect(made.origins == [0, 1, 2, 3] && made.truncated == 0 && made.skipped.isEmpty)
        for (example, tokens) in zip(Self.examples, made.examples) {
            let supervised = tokens.ids.indices.filter { tokens.labels[$0] != .ignored }
            #expect(supervised == Array(tokens.count - supervised.count..<tokens.count))
            let ids = supervised.map { Int(tokens.ids[$0]) }
            #expect(kind.ends.contains(ids.last ?? -1))
            #expect(!ids.dropLast().contains { kind.ends.contains($0) })
            #expect(
                format.vocabulary.decode(ids).trimmingCharacters(in: .whitespaces) == example.reply, "\(kind)")
            #expect(supervised.allSatisfy { tokens.labels[$0] == TokenLabel(example.label) })
        }
    }

    @Test("steps of CRINGE move every weight towards the good replies, and the folder opens again", arguments: kinds)
    func steps(_ kind: Kind) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-foreign-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let base = folder.appending(path: "base")
        try makeFolder(base, kind)
        let model = try PretrainedDecoder.load(folder: base, dtype: .float32, device: .cpu)
        let format = try PromptFormats.of(base, ends: model.configuration.endIDs)
        let tokens = try ExampleTokenizer(format: format, contextLength: 256).tokenize(Self.examples).examples
        let before = try model.namedParameters.map { try $0.parameter.value.floats() }
        let scorer = ReplyScorer(model: model, rowLength: 256, compute: .float32)
        let first = try scorer.scores(tokens).map(\.meanLogProbability)
        let source = try BalancedSampler(tokens, rowLength: 256, goodPerStep: 2, badPerStep: 2, seed: 1)
        let options = TrainingOptions(steps: 20, learningRate: 1e-2, warmUp: 1, checkpointEvery: 0, seed: 1)
        try Trainer(model: model, loss: CRINGELoss.masked(), source: source, options: options).run()
        for (index, (name, parameter)) in model.namedParameters.enumerated() {
            #expect(try parameter.value.floats() != before[index], "\(name) did not move")
        }
        let last = try scorer.scores(tokens).map(\.meanLogProbability)
        for index in 0..<2 { #expect(last[index] > first[index] + 1, "\(kind): \(first) to \(last)") }
        #expect(last[0] + last[1] > last[2] + last[3])
        let tuned = folder.appending(path: "tuned")
        try TokenizerFiles.carry(from: base, to: tuned)
        try model.save(to: tuned, metadata: [:])
        let again = try PretrainedDecoder.load(folder: tuned, dtype: .float32, device: .cpu)
        let same = try ReplyScorer(model: again, rowLength: 256, compute: .float32).scores(tokens)
        #expect(same.map(\.meanLogProbability) == last)
        #expect(
            try PromptFormats.of(tuned).prompt(for: [Turn(.human, "hi")], room: 99)
                == format.prompt(for: [Turn(.human, "hi")], room: 99))
    }

    @Test("plain texts and prompts begin as the tokenizer begins a text, which is not learned", arguments: kinds)
    func beginnings(_ kind: Kind) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-foreign-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeFolder(folder, kind)
        let format = try PromptFormats.of(folder)
        let begin = kind.begin.flatMap { format.vocabulary.id(of: $0) }.map { [$0] } ?? []
        #expect(begin.count == (kind.begin == nil ? 0 : 1))
        func ids(_ text: String) -> [Int] { format.vocabulary.encode(text, parsing: .none) }
        let end = try #require(format.replyEnd)
        let text = "hello there, how are you?"
        let tokenizer = try ExampleTokenizer(format: format, contextLength: 256)
        let whole = try #require(tokenizer.documents(texts: [Sourced(text, file: "f", line: 1)]).documents.first)
        #expect(whole.ids.map(Int.init) == begin + ids(text) + [end])
        #expect(whole.labels.dropFirst(max(1, begin.count)).allSatisfy { $0 == .unlabelled })
        let pieces = try ExampleTokenizer(format: format, contextLength: 5).documents(
            texts: [Sourced(text, file: "f", line: 1)]
        ).documents
        #expect(pieces.count > 1)
        for piece in pieces {
            #expect(piece.count <= 5 && piece.ids.prefix(begin.count).map(Int.init) == begin, "\(kind)")
        }
        let example = Example(context: [], reply: " you", plainPrompt: "thanks and")
        let made = try tokenizer.tokenize(example).get().example
        let (prompt, reply) = (ids("thanks and"), ids(" you") + [end])
        #expect(made.ids.map(Int.init) == begin + prompt + reply)
        #expect(made.replyStart == begin.count + prompt.count)
        let cut = try #require(
            try format.continuation(of: "thanks and", reply: " you", room: begin.count + 1 + reply.count))
        #expect(cut.isTruncated && cut.prompt == begin + prompt.suffix(1))
        let bare = try #require(try format.continuation(of: "thanks and", reply: " you", room: reply.count))
        #expect(bare.isTruncated && bare.prompt.isEmpty)
        #expect(try format.continuation(of: "thanks and", reply: " you", room: reply.count - 1) == nil)
    }

    /// What `Scripts/fixtures/generation.py` wrote with transformers for the model of the generation tests.
    @Test("scores of given replies are those of transformers")
    func oracle() throws {
        struct Oracle: Decodable {
            var turns: [Turn]
            var given: String
            var logProbabilities: [Double]
            var meanState: [Float]
        }
        let folder = Self.tests.appending(path: "GenerationTests/Fixtures/tiny")
        let oracles = try JSONDecoder().decode(
            [Oracle].self, from: Data(contentsOf: folder.appending(path: "replies.json")))
        let model = try LlamaModel(folder: folder, dtype: .float32, device: .cpu)
        let examples = try ExampleTokenizer(
            format: ChatFormat(folder: folder), contextLength: model.configuration.contextLength
        ).tokenize(oracles.map { Example(context: $0.turns, reply: $0.given) })
        let scores = try ReplyScorer(model: model, compute: .float32).scores(examples.examples, states: true)
        #expect(examples.origins.count > 3)
        for (score, origin) in zip(scores, examples.origins) {
            let oracle = oracles[origin]
            #expect(score.tokenCount == oracle.logProbabilities.count)
            #expect(abs(score.logProbability - oracle.logProbabilities.reduce(0, +)) < 2e-3)
            #expect(abs(score.minimum - (oracle.logProbabilities.min() ?? 0)) < 2e-4)
            for (ours, theirs) in zip(score.meanState, oracle.meanState) { #expect(abs(ours - theirs) < 1e-4) }
        }
    }
}

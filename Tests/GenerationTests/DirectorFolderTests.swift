import Conversations
import Foundation
import Generation
import LanguageModels
import Testing
import Tokenizers
import Torch

@Suite("A model folder with DIRECTOR's head")
struct DirectorFolderTests {
    @Test("the head beside the model steers what it writes, at its own γ unless another is asked for")
    func steering() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "director-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(at: TinyModel.folder, to: folder)
        let model = try PretrainedDecoder.load(folder: folder)
        let configuration = model.configuration
        let turns = [Turn(.human, "hello")]
        var sampling = Sampling(temperature: 0, topP: 1, maximumTokens: 6)
        sampling.minimumTokens = 6
        let plain = try await ReplyGenerator(folder: folder).reply(to: turns, sampling: sampling)
        // A head that wants one token, whatever the states: it wins at a large γ, and the model at a small one.
        let format = try PromptFormats.of(folder)
        let wanted = try #require(
            (0..<configuration.vocabularySize).first { id in
                let piece = format.vocabulary.decode([id])
                return format.vocabulary.specialTokens[id] == nil && !piece.isEmpty && piece.allSatisfy(\.isASCII)
                    && !plain.text.contains(piece)
            })
        func save(_ guidance: Double) throws {
            var bias = [Float](repeating: -20, count: configuration.vocabularySize)
            bias[wanted] = 20
            try DirectorHead(
                weight: Tensor.zeros([configuration.vocabularySize, configuration.hiddenSize]), bias: Tensor(bias),
                guidance: guidance
            ).save(to: folder)
        }
        func text(_ options: ReplyGenerator.Options = .init()) async throws -> String {
            try await ReplyGenerator(folder: folder, options: options).reply(to: turns, sampling: sampling).text
        }
        try save(10)
        let steered = try await text()
        #expect(steered == String(repeating: format.vocabulary.decode([wanted]), count: 6))
        #expect(try await text(.init(guidance: 0)) == plain.text)
        try save(1e-6)
        #expect(try await text() == plain.text)
        #expect(try await text(.init(guidance: 10)) == steered)
        // A request's own γ counts before the folder's.
        sampling.guidance = 10
        #expect(try await text() == steered)
    }

    @Test("a head of another shape, and a broken configuration, are named")
    func misfits() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "director-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(at: TinyModel.folder, to: folder)
        try DirectorHead(weight: Tensor.zeros([3, 2]), bias: Tensor.zeros([3])).save(to: folder)
        #expect(throws: LanguageModelError.self) { try ReplyGenerator(folder: folder) }
        try Data("{}".utf8).write(to: folder.appending(path: "director.json"))
        #expect(throws: (any Error).self) { try ReplyGenerator(folder: folder) }
    }
}

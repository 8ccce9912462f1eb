import Conversations
import Dialogue
import Foundation
import Generation
import LanguageModels
import Tokenizers
import Training

/// How well a model does a module's task on conversations that it did not learn from.
public struct ModuleScore: Sendable, Hashable, Codable {
    /// The module's name: `mdm`, `sgm`, …
    public var module: String
    public var tasks: Int
    /// Perplexity of the answers that it should give, per token.
    public var perplexity: Double
    /// What it wrote greedily against what it should have: share of right decisions, F1 of words for texts (1 where both say
    /// nothing). `nil` for replies, which have no one right answer.
    public var agreement: Double?
}

/// The same tasks for every model: before and after learning.
struct ModuleExam {
    let style: any PromptStyle
    /// At most so many for each module.
    var perModule = 60
    private let tasks: [DialogueModule: [ModuleTask]]

    init(_ tasks: [Sourced<ModuleTask>], style: any PromptStyle, perModule: Int = 60) {
        self.style = style
        self.perModule = perModule
        self.tasks = Dictionary(grouping: tasks.map(\.item)) { $0.module }.mapValues { Array($0.prefix(perModule)) }
    }

    /// One score for each module that has tasks which the style can ask.
    func scores(of bench: ModelBench) async throws -> [ModuleScore] {
        let generator = try ReplyGenerator(
            model: bench.decoder, format: bench.format, modelID: bench.folder.lastPathComponent)
        let writer = LocalWriter(generator: generator)
        var result: [ModuleScore] = []
        for (module, tasks) in tasks.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let lessons = tasks.compactMap { task in style.lesson(task).map { (task, Example($0)) } }
            let documents = try bench.examples.tokenize(lessons.map(\.1)).examples
            guard !documents.isEmpty else { continue }
            let entropy = try ReplyScorer(model: bench.decoder, rowLength: bench.rowLength).crossEntropy(documents)
            result.append(
                ModuleScore(
                    module: module.rawValue, tasks: lessons.count, perplexity: exp(entropy),
                    agreement: module.isReply ? nil : try await agreement(lessons.map(\.0), writer)))
        }
        return result
    }

    /// Mean over the tasks.
    private func agreement(_ tasks: [ModuleTask], _ writer: LocalWriter) async throws -> Double {
        let style = style
        let values = try await withThrowingTaskGroup(of: Double.self) { group in
            for task in tasks {
                guard let prompt = style.prompt(for: task.input) else { continue }
                var sampling =
                    style.decoding(of: task.module).sampling ?? Sampling(temperature: 0, topP: 1, maximumTokens: 40)
                sampling.temperature = 0
                sampling.beamCount = 1
                sampling.minimumTokens = 1
                let call = ModuleCall(module: task.module, prompt: prompt, sampling: sampling)
                group.addTask {
                    let output = try await writer.output(for: call, onPiece: nil).reply.text
                    return ModuleTeacher.agreement(of: output, with: task, style: style)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}

extension Example {
    /// A task as something to learn.
    init(_ lesson: (prompt: ModulePrompt, output: String)) {
        switch lesson.prompt {
        case .turns(let turns): self.init(context: turns, reply: lesson.output, label: .good)
        case .text(let text):
            // The prompt ends with a label or a control token; the answer begins as a word of its own.
            self.init(context: [], reply: " " + lesson.output, label: .good, plainPrompt: text)
        }
    }
}

import Foundation
import LanguageModels
import Testing
import Torch

@testable import Training

@Suite("Repetition unlikelihood", .serialized)
struct RepetitionTests {
    @Test("n-grams of the context and of the answer itself are marked")
    func marks() throws {
        let answer = [1, 2, 3, 1, 2, 9]
        #expect(
            RepetitionUnlikelihoodLoss.repeated(answer, 2, since: nil) == [false, false, false, true, true, false])
        let known = RepetitionUnlikelihoodLoss.grams([7, 2, 3, 7], 2)
        #expect(
            RepetitionUnlikelihoodLoss.repeated(answer, 2, since: known) == [false, true, true, false, false, false])
        #expect(RepetitionUnlikelihoodLoss.repeated([1], 2, since: nil) == [false])
        let loss = try RepetitionUnlikelihoodLoss(CrossEntropyLoss(), n: 2, contextWeight: 0.25, ownWeight: 0.75)
        let documents = try loss.documents(prompt: [7, 2, 3], answer: answer)
        #expect(documents.map(\.weight) == [0.25, 0.75])
        #expect(
            documents[0].labels == [.ignored, .ignored, .ignored, .ignored, .bad, .bad, .ignored, .ignored, .ignored])
        #expect(documents[1].ids == [7, 2, 3, 1, 2, 3, 1, 2, 9])
    }

    @Test("greedy continuations in a padded batch are those of each prompt alone")
    func continuation() throws {
        let model = try TinyModel.make(vocabulary: 32)
        let prompts = [[5, 6, 7, 8], [9], [10, 11]]
        let greedy = GreedyContinuation(model: model, length: 6, compute: .float32)
        let together = try greedy.continuations(prompts)
        for (prompt, answer) in zip(prompts, together) {
            #expect(try greedy.continuations([prompt]) == [answer])
            #expect(answer.count == 6)
            // Without a cache: the most probable token behind everything so far.
            var ids = prompt
            for token in answer {
                let next = try withoutGradients {
                    let hidden = try model.hidden(
                        Tensor(ids, shape: [1, ids.count]),
                        positions: Tensor(Array(ids.indices), shape: [1, ids.count]),
                        mask: .causal, cache: nil, compute: .float32)
                    return try model.logits(hidden.narrow(dim: 1, start: ids.count - 1, length: 1)).argmax(dim: -1)
                        .ints()[0]
                }
                #expect(next == token)
                ids.append(token)
            }
        }
    }

    @Test("a model that repeats itself finds its repetitions less likely, and every weight moves")
    func learns() throws {
        // Taught to say one token for ever.
        let stuck = try (0..<4).map { index in
            try TokenizedExample(
                ids: [Int32(5 + index)] + [Int32](repeating: 20, count: 12),
                labels: [.ignored] + [TokenLabel](repeating: .good, count: 12))
        }
        let model = try TinyModel.make(vocabulary: 32)
        let source = try PackedSource(stuck, rowLength: 16, rowsPerStep: 4, seed: 1)
        try Trainer(
            model: model, loss: CrossEntropyLoss(), source: source, options: TrainerTests.options(30, rate: 1e-2)
        )
        .run()
        let loss = try RepetitionUnlikelihoodLoss(CrossEntropyLoss(), n: 2, share: 1, length: 12)
        let prompts = [[5], [6], [7], [8]]
        let answers = try GreedyContinuation(model: model, length: 12, compute: .float32).continuations(prompts)
        let repeats = try zip(prompts, answers).flatMap { try loss.documents(prompt: $0, answer: $1) }
        #expect(repeats.count == 4)
        let scorer = ReplyScorer(model: model, compute: .float32)
        let before = try scorer.crossEntropy(repeats)
        let start = try TrainerTests.weights(model)
        var lines: [StepMetrics] = []
        try Trainer(model: model, loss: loss, source: source, options: TrainerTests.options(8, rate: 3e-3)).run(
            onStep: { lines.append($0) })
        // A token of probability p costs −log(1 − p): the surer the model is of a repetition, the more.
        #expect(try #require(lines.first).ct > #require(lines.last).ct)
        #expect(try scorer.crossEntropy(repeats) > before)
        for (name, values) in try TrainerTests.weights(model) { #expect(values != start[name], "\(name) did not move") }
    }

    @Test("without a repetition, and in the other share of the steps, the loss is the usual one")
    func usual() throws {
        let documents = try TrainerTests.documents(8)
        func step(_ loss: any TrainingLoss) throws -> StepMetrics {
            try Trainer(
                model: TinyModel.make(vocabulary: TrainerTests.vocabulary), loss: loss,
                source: PackedSource(documents, rowLength: 16, rowsPerStep: 4, seed: 1),
                options: TrainerTests.options(1)
            ).trainStep()
        }
        let plain = try step(CrossEntropyLoss())
        for loss in [
            try RepetitionUnlikelihoodLoss(CrossEntropyLoss(), share: 0),
            try RepetitionUnlikelihoodLoss(CrossEntropyLoss(), n: 60, share: 1),
        ] {
            let other = try step(loss)
            #expect(other.loss == plain.loss && other.ct == 0)
        }
    }
}

import Conversations
import Deidentification
import Foundation
import Generation
import Safety
import Statistics
import Torch
import Training

/// How well the shipped safety classifiers do on the parts of public sets that they did not learn from: `make bench-safety`. Figures
/// only; no text of the sets is printed.
@main
struct SafetyBench {
    let data: URL
    let person: SafetyLayer
    let reply: SafetyLayer

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            print("safety-bench DATA ENCODER [FOLDER of a tuned classifier | frozen]")
            exit(2)
        }
        try Engine.setThreadCount(2)
        let (data, place) = (URL(filePath: arguments[1]), URL(filePath: arguments[2]))
        let chosen = arguments.count > 3 ? arguments[3] : nil
        let encoder = try SentenceEncoder(folder: place, dtype: .bfloat16)
        if chosen != "frozen", let folder = chosen.map({ URL(filePath: $0) }) ?? SafetyPipeline.tunedFolder {
            let model = try TunedSafetyModel(folder: folder, encoder: place)
            try await SafetyBench(
                data: data, person: SafetyLayer(model.classifier(of: .human), threshold: model.card.person.threshold),
                reply: SafetyLayer(model.classifier(of: .bot), threshold: model.card.reply.threshold)
            ).run()
        } else {
            let pipeline = try SafetyPipeline.standard(encoder: encoder)
            try await SafetyBench(data: data, person: pipeline.person, reply: pipeline.reply).run()
        }
    }

    private func run() async throws {
        let replies = try SafetyDataset.diaSafety(data.appending(path: "safety/diasafety/val.json"))
        try await figures("DiaSafety val, reply", replies, reply, .human)
        let people = try SafetyDataset.convAbuse(data.appending(path: "safety/convabuse/valid.csv"))
        try await figures("ConvAbuse valid, person", people, person, .bot)
        try await spelled(people)
        for name in ["topical_chat", "synthetic_persona_chat"] {
            try await alarms(name)
        }
        let names = try Lexicon().givenNames
        let heldOut = Set(PlainMentions(names: names).heldOut)
        try await mentions("names learned from", PlainMentions.tests(names: names.filter { !heldOut.contains($0) }))
        try await mentions("names not learned from", PlainMentions.tests(names: heldOut.sorted()))
        try await mentions("groups of people", PlainMentions.groupTests().map { ($0.group, $0.mentions) })
    }

    /// Whether somebody's name or group alone is taken for an offence: sentences that nothing learned from.
    private func mentions(_ what: String, _ tests: [(name: String, mentions: [PlainMentions.Mention])]) async throws {
        for (side, layer) in [(Sender.human, person), (.bot, reply)] {
            let asked = tests.flatMap { test in test.mentions.filter { $0.side == side }.map { (test.name, $0) } }
            let scores = try await layer.classifier.probabilities(
                of: asked.map { (context: $0.1.before.map { [Turn(.human, $0)] } ?? [], text: $0.1.text) })
            let judged = zip(asked, scores).map { (name: $0.0, score: $1) }
            let sorted = judged.map(\.score).sorted()
            func over(_ bar: Double) -> String {
                let those = judged.filter { $0.score >= bar }
                return "\(those.count) (\(Set(those.map(\.name)).count))"
            }
            print(
                "\(what), \(side == .bot ? "reply" : "person"): of \(judged.count) sentences (\(tests.count)) over .3 \(over(0.3)), over .5 \(over(0.5)), "
                    + String(
                        format: "over %.3f %@; median %.3f, 99 %% under %.3f, worst: ", layer.threshold,
                        over(layer.threshold), sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
                    + judged.sorted { $0.score > $1.score }.prefix(5).map {
                        "\($0.name) \(String(format: "%.2f", $0.score))"
                    }
                    .joined(separator: ", "))
        }
    }

    private func pairs(_ examples: [SafetyExample], _ other: Sender) -> [(context: [Turn], text: String)] {
        examples.map { example in (example.turn.map { [Turn(other, $0)] } ?? [], example.text) }
    }

    private func figures(_ name: String, _ examples: [SafetyExample], _ layer: SafetyLayer, _ other: Sender)
        async throws
    {
        let clock = ContinuousClock()
        let start = clock.now
        let scores = try await layer.classifier.probabilities(of: pairs(examples, other))
        let milliseconds = (clock.now - start) / .milliseconds(1) / Double(examples.count)
        for threshold in [0.5, layer.threshold] {
            let figures = try SafetyFigures(scores: scores, labels: examples.map(\.isUnsafe), threshold: threshold)
            print(
                String(
                    format:
                        "%@: %d texts, %d unsafe; at %.3f: macro F1 %.3f, F1 %.3f, precision %.3f, recall %.3f, AUC %.3f; %.2f ms",
                    name, figures.examples, figures.unsafeExamples, threshold, figures.macroF1, figures.f1,
                    figures.precision, figures.recall, figures.auc, milliseconds))
        }
        let interval = try bootstrap(scores, examples)
        print(String(format: "  95 %% by bootstrap: macro F1 at .5 %.3f–%.3f", interval.lower, interval.upper))
    }

    private func bootstrap(_ scores: [Double], _ examples: [SafetyExample]) throws -> (lower: Double, upper: Double) {
        var generator = SeededGenerator(seed: 7)
        let values = try (0..<500).map { _ in
            let drawn = examples.indices.map { _ in Int(generator.next() % UInt64(examples.count)) }
            return try SafetyFigures(
                scores: drawn.map { scores[$0] }, labels: drawn.map { examples[$0].isUnsafe }, threshold: 0.5
            ).macroF1
        }.sorted()
        return (values[12], values[487])
    }

    /// The same messages spelled to get past a filter: letters as digits, letters apart.
    private func spelled(_ people: [SafetyExample]) async throws {
        let digits: [Character: Character] = ["a": "4", "e": "3", "i": "1", "o": "0", "s": "5"]
        for (name, change) in [
            ("letters as digits", { (text: String) in String(text.map { digits[$0] ?? $0 }) }),
            ("letters apart", { (text: String) in text.map(String.init).joined(separator: " ") }),
        ] {
            let changed = people.map { SafetyExample(turn: $0.turn, text: change($0.text), isUnsafe: $0.isUnsafe) }
            let scores = try await person.classifier.probabilities(of: pairs(changed, .bot))
            let figures = try SafetyFigures(
                scores: scores, labels: people.map(\.isUnsafe), threshold: person.threshold)
            print(String(format: "  %@: F1 %.3f, recall %.3f, AUC %.3f", name, figures.f1, figures.recall, figures.auc))
        }
    }

    /// Ordinary talk that nobody learned from.
    private func alarms(_ name: String) async throws {
        let content = try DialogueFile(limit: 400).read(data.appending(path: "dialogue/\(name).jsonl"))
        let turns = content.dialogues.enumerated().map { place, turns in (turns, 1 + place % (turns.count - 1)) }
        let said = turns.map { (context: [Turn](), text: $0.0[$0.1].text) }
        let answered = turns.map { (context: [$0.0[$0.1 - 1]], text: $0.0[$0.1].text) }
        let (mine, theirs) = (
            try await person.classifier.probabilities(of: said), try await reply.classifier.probabilities(of: answered)
        )
        print(
            String(
                format: "%@, %d turns: false alarms person %.2f %% (at .5 %.2f %%), reply %.2f %% (at .5 %.2f %%)",
                name,
                said.count, percent(mine, person.threshold), percent(mine, 0.5), percent(theirs, reply.threshold),
                percent(theirs, 0.5)))
    }

    private func percent(_ scores: [Double], _ threshold: Double) -> Double {
        100 * Double(scores.count { $0 >= threshold }) / Double(max(scores.count, 1))
    }
}

import Conversations
import Foundation
import Safety
import Statistics
import Training

/// Learns the head that tells unsafe replies, on a frozen sentence encoder: `loam train safety`.
public struct SafetyTraining {
    public init() {}

    /// - Parameter files: DiaSafety's JSON arrays (`.json`), or training lines whose label says whether the reply is safe.
    /// - Returns: What came of it, in a sentence; the head is `reply-head.json` in the folder.
    public func run(_ files: [URL], encoder: any TextEncoder, to folder: URL) async throws -> String {
        var examples: [SafetyExample] = []
        for file in files {
            if file.pathExtension == "json" {
                examples += try SafetyDataset.diaSafety(file)
            } else {
                examples += try TrainingFile(file).read().labelled.map { one in
                    SafetyExample(
                        turn: one.item.context.last { $0.sender == .human }?.text ?? one.item.plainPrompt,
                        text: one.item.reply, isUnsafe: one.item.label == .bad)
                }
            }
        }
        let training = SafetyHeadTraining(kind: .reply, encoder: encoder)
        let head = try await training.train(examples, trainedOn: files.map(\.lastPathComponent))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try head.write(to: folder.appending(path: "reply-head.json"))
        let figures = try await training.evaluate(head, examples)
        return "\(figures.examples) replies, \(figures.unsafeExamples) unsafe; AUC on themselves "
            + String(format: "%.3f", figures.auc)
    }

    /// Tunes the upper layers of the encoder for both sides of a turn, instead of heads on frozen vectors.
    ///
    /// - Parameters:
    ///   - files: DiaSafety's JSON (`.json`), ConvAbuse's or Davidson's tables (`.csv`), training lines with labels, and dialogues
    ///     (lines with `turns`), whose turns are taken as safe on both sides; two dialogues in ten are not learned and set the
    ///     thresholds.
    ///   - perFile: most turns that a dialogue file gives for each side; so many texts of Davidson's, at weight 0.3.
    ///   - mentions: plain sentences about people that are learned as safe beside the files, `nil` for none; so many for each side,
    ///     and every eighth labelled text once more with a name in it.
    /// - Returns: What came of it, in a sentence.
    public func tune(
        _ files: [URL], encoder: URL, to folder: URL, training: TunedSafetyTraining = TunedSafetyTraining(),
        perFile: Int = 1500, mentions: PlainMentions? = nil, mentionsPerSide: Int = 1200, onProgress: (String) -> Void
    ) async throws -> String {
        var (texts, ordinary): ([TunedSafetyTraining.Text], [TunedSafetyTraining.Text]) = ([], [])
        for file in files {
            let (learned, set) = try Self.texts(file, perFile: perFile)
            onProgress(
                "\(file.lastPathComponent): \(learned.count) texts to learn from, \(set.count) for the thresholds")
            texts += learned
            ordinary += set
        }
        if let mentions {
            let added = Self.plain(mentions, mentionsPerSide, beside: texts, seed: training.tuning.seed)
            onProgress("names and groups of people: \(added.count) texts")
            texts += added
        }
        let model = try await training.train(
            texts, ordinary: ordinary, encoder: encoder,
            trainedOn: files.map(\.lastPathComponent) + (mentions == nil ? [] : ["PlainMentions"]),
            keepingMembersIn: training.members > 1 ? folder.appending(path: "members") : nil,
            onStep: { if $0 % 100 == 0 || $0 == $1 { onProgress("step \($0) of \($1)") } },
            onPass: { onProgress(String(format: "pass %d: log loss of the texts kept back %.4f", $0, $1)) })
        try await model.write(to: folder, frozenLayers: training.tuning.frozenLayers)
        return "\(texts.count) texts, \(texts.count(where: \.isUnsafe)) unsafe; thresholds person "
            + String(format: "%.3f, reply %.3f", model.card.person.threshold, model.card.reply.threshold)
    }

    /// Safe sentences about people, and every eighth text with somebody's name added, its label as it was.
    static func plain(
        _ mentions: PlainMentions, _ perSide: Int, beside texts: [TunedSafetyTraining.Text], seed: UInt64
    ) -> [TunedSafetyTraining.Text] {
        var draws = SeededGenerator(seed: seed).fork("mentions")
        let safe = [Sender.human, .bot].flatMap { side in
            mentions.examples(perSide, side: side, using: &draws).map { one in
                TunedSafetyTraining.Text(
                    context: one.before.map { [Turn(.human, $0)] } ?? [], text: one.text, side: side, isUnsafe: false)
            }
        }
        let named = texts.enumerated().filter { $0.offset % 8 == 0 }.map { _, text in
            var copy = text
            copy.text = mentions.addressing(text.text, using: &draws)
            return copy
        }
        return safe + named
    }

    /// Texts of one file: to learn from, and to set thresholds by.
    static func texts(
        _ file: URL, perFile: Int
    ) throws -> (learned: [TunedSafetyTraining.Text], ordinary: [TunedSafetyTraining.Text]) {
        func made(_ example: SafetyExample, _ side: Sender, weight: Double = 1) -> TunedSafetyTraining.Text {
            .init(
                context: example.turn.map { [Turn(side == .bot ? .human : .bot, $0)] } ?? [], text: example.text,
                side: side, isUnsafe: example.isUnsafe, weight: weight, judgedFor: example.judgedFor)
        }
        switch file.pathExtension {
        case "json": return (try SafetyDataset.diaSafety(file).map { made($0, .bot) }, [])
        case "csv":
            if try SafetyDataset.isConvAbuse(file) {
                return (try SafetyDataset.convAbuse(file).map { made($0, .human) }, [])
            }
            // Its labels are unfair to a dialect: a part of it, at little weight.
            let all = try SafetyDataset.davidson(file)
            return (Self.spread(all, perFile).map { made($0, .human, weight: 0.3) }, [])
        default: break
        }
        let content: DialogueFile.Content
        do {
            content = try DialogueFile().readEither(file)
        } catch {
            // Of a log that is what is wrong with it; other lines without turns are texts with labels.
            if try LearnableLog.isLog(file) { throw error }
            return (
                try TrainingFile(file).read().labelled.map { one in
                    .init(
                        context: one.item.context + (one.item.plainPrompt.map { [Turn(.human, $0)] } ?? []),
                        text: one.item.reply, side: .bot, isUnsafe: one.item.label == .bad)
                }, []
            )
        }
        var (learned, ordinary): ([TunedSafetyTraining.Text], [TunedSafetyTraining.Text]) = ([], [])
        // One pair of turns of a dialogue: neighbours say the same.
        for (place, turns) in Self.spread(content.dialogues, perFile + perFile / 4).enumerated() {
            let index = turns.count < 3 ? 1 : 1 + place % (turns.count - 1)
            let pair = [turns[index - 1], turns[index]]
            let texts = [
                TunedSafetyTraining.Text(context: [], text: pair[0].text, side: .human, isUnsafe: false),
                .init(context: [pair[0]], text: pair[1].text, side: .bot, isUnsafe: false),
            ]
            if place % 5 == 4 { ordinary += texts } else { learned += texts }
        }
        return (learned, ordinary)
    }

    /// So many of a list, evenly spread.
    private static func spread<Item>(_ items: [Item], _ count: Int) -> [Item] {
        guard items.count > count, count > 0 else { return items }
        return (0..<count).map { items[$0 * items.count / count] }
    }
}

import Conversations
import Foundation
import LanguageModels
import Testing
import Tokenizers

@testable import Training

@Suite("Training files")
struct TrainingDataTests {
    private func read(_ lines: [String]) throws -> TrainingData {
        let file = TrainerTests.folder().appendingPathExtension("jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return try TrainingData(contentsOf: file)
    }

    private func fault(_ lines: [String]) -> String {
        do {
            _ = try read(lines)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private let person = #"{"role": "user", "content": "hello there"}"#
    private func bot(_ text: String) -> String { #"{"role": "assistant", "content": "\#(text)"}"# }

    @Test("language modelling, prompt with completion, and unpaired preference, as strings and as messages")
    func single() throws {
        let data = try read([
            #"{"text": "all of it"}"#,
            #"{"messages": [\#(person), \#(bot("good day")), \#(person), \#(bot("fine"))]}"#,
            #"{"prompt": "The sky is", "completion": " blue."}"#,
            #"{"prompt": [\#(person)], "completion": [\#(bot("good day"))], "label": true, "weight": 0.5}"#,
            #"{"prompt": "Two and two is", "completion": " five.", "label": false, "margin": null}"#, "",
        ])
        #expect(data.texts.map(\.item) == ["all of it"])
        let hello = Turn(.human, "hello there")
        #expect(
            data.examples.map(\.item) == [
                Example(context: [hello], reply: "good day"),
                Example(context: [hello, Turn(.bot, "good day"), hello], reply: "fine"),
                Example(context: [], reply: " blue.", plainPrompt: "The sky is"),
                Example(context: [hello], reply: "good day", label: .good, weight: 0.5),
                Example(context: [], reply: " five.", label: .bad, plainPrompt: "Two and two is"),
            ])
        #expect(data.examples.map(\.line) == [2, 2, 3, 4, 5])
        #expect(data.wanted.count == 4 && data.labelled.count == 2)
    }

    @Test("preferences: explicit and implicit, as strings and as messages, with margins; steps")
    func pairs() throws {
        let data = try read([
            #"{"prompt": "The sky is", "chosen": " blue.", "rejected": " green.", "margin": 1.5}"#,
            #"{"chosen": "The sky is blue.", "rejected": "The sky is green."}"#,
            #"{"prompt": [\#(person)], "chosen": [\#(bot("good day"))], "rejected": [\#(bot("what"))], "weight": 2}"#,
            #"{"chosen": [\#(person), \#(bot("good day"))], "rejected": [\#(person), \#(bot("what"))]}"#,
            #"{"prompt": "Add", "completions": ["one", "two"], "labels": [true, false]}"#,
        ])
        let hello = Turn(.human, "hello there")
        #expect(
            data.pairs.map(\.item) == [
                PreferencePair(
                    context: [], plainPrompt: "The sky is", chosen: " blue.", rejected: " green.", margin: 1.5),
                PreferencePair(context: [], plainPrompt: "The sky is", chosen: " blue.", rejected: " green."),
                PreferencePair(context: [hello], chosen: "good day", rejected: "what", weight: 2),
                PreferencePair(context: [hello], chosen: "good day", rejected: "what"),
            ])
        #expect(
            data.examples.map(\.item) == [
                Example(context: [], reply: "\none", label: .good, plainPrompt: "Add"),
                Example(context: [], reply: "\ntwo", label: .bad, plainPrompt: "Add\none"),
            ])
        #expect(data.labelled.count == 10)
    }

    @Test("OpenAI: weights of messages, both spellings of a preference, system messages, parts of content")
    func openAI() throws {
        let system = #"{"role": "system", "content": "Be kind."}"#
        let parts =
            #"{"role": "user", "content": [{"type": "text", "text": "hello "}, {"type": "text", "text": "there"}]}"#
        let silent = #"{"role": "assistant", "content": "hm", "weight": 0}"#
        let data = try read([
            #"{"messages": [\#(system), \#(parts), \#(silent), \#(person), \#(bot("fine"))]}"#,
            #"{"input": {"messages": [\#(person)]}, "preferred_output": [\#(bot("a"))], "non_preferred_output": [\#(bot("b"))]}"#,
            #"{"input": {"messages": [\#(person)]}, "preferred_completion": [\#(bot("a"))], "non_preferred_completion": [\#(bot("b"))]}"#,
        ])
        let hello = Turn(.human, "hello there")
        #expect(
            data.examples.map(\.item) == [
                Example(
                    context: [Turn(.human, "Be kind.\n\nhello there"), Turn(.bot, "hm"), hello], reply: "fine")
            ])
        #expect(
            data.pairs.map(\.item)
                == [PreferencePair](repeating: .init(context: [hello], chosen: "a", rejected: "b"), count: 2))
    }

    @Test("bad data ends in one error that names file, line and field")
    func bad() {
        let good = #"{"prompt": "a", "completion": " b"}"#
        for (line, words) in [
            (#"{"prompt": "a", "completion": "  "}"#, [":2: completion: the reply is empty"]),
            (#"{"prompt": "a", "completion": " b", "label": 2}"#, [":2: label: is 2.0, expected true, false, 1 or 0"]),
            (#"{"prompt": "a", "completion": " b", "label": "yes"}"#, [":2: label: expected"]),
            (#"{"prompt": "a", "completion": " b", "weight": NaN}"#, [":2: not valid JSON"]),
            (#"{"prompt": "a", "completion": " b", "weight": -1}"#, [":2: weight: is -1.0"]),
            (#"{"prompt": "a", "completion": " b", "weight": "1"}"#, [":2: weight: expected a number"]),
            (#"{"prompt": "a"}"#, [":2: completion: a prompt alone"]),
            (#"{"prompt": "a", "chosen": " b"}"#, [":2: rejected: a preference has"]),
            (#"{"prompt": "a", "chosen": " b", "rejected": " b"}"#, [":2: rejected: is the same"]),
            (#"{"prompt": "a", "chosen": [\#(bot("b"))], "rejected": " b"}"#, [":2: chosen: is a list"]),
            (#"{"prompt": [\#(person)], "completion": [\#(person)]}"#, [":2: completion: expected exactly one"]),
            (#"{"messages": [\#(person)]}"#, [":2: messages: no message of the assistant"]),
            (#"{"messages": [{"role": "tool", "content": "x"}]}"#, [":2: messages[0].role: “tool” is not supported"]),
            (#"{"messages": [{"role": "user"}]}"#, [":2: messages[0].content: expected a string"]),
            (#"{"prompt": "a", "completions": ["b"], "labels": [true, false]}"#, [":2: labels: 2 labels for 1"]),
            (#"["a"]"#, [":2: expected an object"]), (#"{"promt": "a"}"#, [":2: none of text, messages"]),
        ] {
            let found = fault([good, line])
            for word in words { #expect(found.contains(word), "\(line): \(found)") }
        }
        #expect(fault([""]).contains("holds nothing to learn from"))
    }

    @Test("all of one class, no pair, and a reply longer than the context are named")
    func misfits() throws {
        let line = #"{"prompt": "a", "completion": " b", "label": true}"#
        let data = try read([line, line])
        do {
            try data.requireBothKinds(for: "kto")
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("all 2 labels are good; kto needs good and bad ones"))
        }
        #expect(throws: TrainingError.self) { try data.requirePairs(for: "dpo") }
        let long = try read([line, #"{"prompt": "a", "completion": "\#(String(repeating: "xy ", count: 50))"}"#])
        let tokenizer = try ExampleTokenizer(format: ExampleTokenizerTests.format(), contextLength: 24)
        do {
            _ = try tokenizer.documents(long.examples)
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains(":2: the reply is longer than the model's context of 24 tokens"))
        }
        // In a log it is passed over and counted.
        let log = long.examples.map { Sourced($0.item, file: "log") }
        let made = try tokenizer.documents(log)
        #expect(made.documents.count == 1 && made.skipped == [.replyTooLong: 1])
    }

    @Test("plain prompts are joined as they are; two replies follow the same part of a context")
    func tokens() throws {
        let format = try ExampleTokenizerTests.format()
        let tokenizer = try ExampleTokenizer(format: format, contextLength: 64)
        let plain = try tokenizer.tokenize(Example(context: [], reply: " you", plainPrompt: "thanks and")).get().example
        let (prompt, reply) = (format.tokenizer.encode("thanks and"), format.tokenizer.encode(" you"))
        #expect(plain.ids.map(Int.init) == prompt + reply + [format.end])
        #expect(
            plain.labels == [TokenLabel](repeating: .ignored, count: prompt.count)
                + [TokenLabel](repeating: .unlabelled, count: reply.count + 1))
        let pair = PreferencePair(
            context: [Turn(.human, "how are you today"), Turn(.bot, "good day"), Turn(.human, "hello there")],
            chosen: "fine", rejected: "fine thanks and you today and you")
        let short = try ExampleTokenizer(format: format, contextLength: 24)
        let made = try short.tokenize(pair).get()
        #expect(made.truncated)
        let starts = [made.chosen, made.rejected].map { Array($0.ids[..<$0.replyStart]) }
        #expect(starts[0] == starts[1])
        #expect(made.chosen.labels.last == .good && made.rejected.labels.last == .bad)
    }

    @Test("tokens that a bad reply shares with a better one are left alone, or learned")
    func overlap() throws {
        let format = try ExampleTokenizerTests.format()
        let example = Example(
            context: [Turn(.human, "hello there")], reply: "fine thanks today", label: .bad,
            betterReplies: ["today thanks"])
        for (overlap, shared) in [(ExampleTokenizer.Overlap.leftAlone, TokenLabel.ignored), (.learned, .good)] {
            let tokenizer = try ExampleTokenizer(format: format, contextLength: 64, overlap: overlap)
            let made = try tokenizer.tokenize(example).get().example
            let better = Set(
                ["today thanks", " today thanks"].flatMap { format.tokenizer.encode($0) } + [format.end]
            )
            #expect(made.isBad)
            for (id, label) in zip(made.ids, made.labels).dropFirst(made.replyStart)
            where label != .ignored || overlap == .leftAlone {
                #expect(label == (better.contains(Int(id)) ? shared : .bad))
            }
        }
        let plain = try ExampleTokenizer(format: format, contextLength: 64).tokenize(example).get().example
        #expect(!plain.labels.contains(.good))
    }

    @Test("SFT on everything learns the context too, but no marker")
    func everything() throws {
        let format = try ExampleTokenizerTests.format()
        let tokenizer = try ExampleTokenizer(format: format, contextLength: 64, learnsContext: true)
        let made = try tokenizer.tokenize(
            Example(context: [Turn(.human, "hello there")], reply: "fine", label: .good)
        ).get().example
        let markers = made.ids.indices.filter { [format.person, format.bot].contains(Int(made.ids[$0])) }
        #expect(made.labels.indices.filter { made.labels[$0] == .ignored } == markers)
    }

    @Test("feedback of a conversation: thumbs, a correction, siblings, modules, trust, the next message")
    func feedback() {
        func message(_ id: String, _ sender: Sender, _ text: String, parent: String? = nil, _ feedback: [Feedback] = [])
            -> Message
        {
            Message(id: id, sender: sender, text: text, parentID: parent, feedback: feedback)
        }
        var liked = message("r2", .bot, "jazz is lovely", parent: "q1", [Feedback(userID: "ann", rating: .like)])
        liked.search = SearchRecord(decision: "search", query: "jazz music", knowledge: "jazz began in New Orleans")
        let conversation = Conversation(
            id: "c", userID: "ann",
            messages: [
                message("q1", .human, "do you like jazz"),
                message(
                    "r1", .bot, "bananas", parent: "q1",
                    [Feedback(userID: "ann", rating: .dislike, correction: "yes, jazz is great")]),
                liked,
                message("q2", .human, "thank you", parent: "r2"),
                message("r3", .bot, "bye", [Feedback(userID: "troll", rating: .dislike)]),
                message("r4", .bot, "see you", parent: "q2"),
                message("q3", .human, "see you", parent: "r4"),
            ])
        let feedback = FeedbackExamples(includesModules: true) { $0.userID == "troll" ? 0 : 0.8 }
        let data = feedback.data(of: conversation)
        let ask = Turn(.human, "do you like jazz")
        #expect(
            data.examples.map(\.item) == [
                Example(context: [ask], reply: "yes, jazz is great", label: .good, weight: 0.8),
                Example(
                    context: [ask], reply: "bananas", label: .bad, weight: 0.8,
                    betterReplies: ["yes, jazz is great", "jazz is lovely"]),
                Example(context: [ask], reply: "jazz is lovely", label: .good, weight: 0.8),
                Example(context: [ask, Turn(.human, "Query:")], reply: "jazz music", label: .good, weight: 0.8),
                Example(
                    context: [ask, Turn(.human, "Interesting Fact:")], reply: "jazz began in New Orleans", label: .good,
                    weight: 0.8),
            ])
        let before = [ask, Turn(.bot, "jazz is lovely"), Turn(.human, "thank you")]
        #expect(
            data.pairs.map(\.item) == [
                PreferencePair(context: [ask], chosen: "yes, jazz is great", rejected: "bananas", weight: 0.8),
                PreferencePair(context: [ask], chosen: "jazz is lovely", rejected: "bananas", weight: 0.8),
                PreferencePair(context: before, chosen: "see you", rejected: "bye", weight: 0.5),
            ])
        #expect(SatisfactionLabels.unvoted(conversation).map(\.reply) == ["see you"])
        let rewards = conversation.rewardExamples()
        #expect(rewards.map(\.nextMessage) == [nil, "thank you", nil])
    }

    @Test("what the person says next is said after the reply that they answered, not after its siblings")
    func nextMessages() {
        func next(_ rest: [Message]) -> [String?] {
            let conversation = Conversation(
                id: "c", userID: "ann",
                messages: [
                    Message(id: "q1", sender: .human, text: "hi"),
                    Message(id: "r1", sender: .bot, text: "one", parentID: "q1"),
                    Message(id: "r2", sender: .bot, text: "two", parentID: "q1"),
                ] + rest)
            return [1, 2].map { conversation.nextPersonMessage(after: $0) }
        }
        func said(_ id: String, _ parent: String?, isFeedback: Bool = false) -> Message {
            Message(id: id, sender: .human, text: "text \(id)", parentID: parent, isDislikeFeedback: isFeedback)
        }
        #expect(next([said("q2", "r1")]) == ["text q2", nil])
        #expect(next([said("q2", "r2")]) == [nil, "text q2"])
        // Without a parent it follows the message before.
        #expect(next([said("q2", nil)]) == [nil, "text q2"])
        // Feedback on a reply is passed over, whichever of the two ways the talk goes on.
        #expect(next([said("f", "r1", isFeedback: true), said("q2", "f")]) == ["text q2", nil])
        #expect(next([said("f", "r1", isFeedback: true), said("q2", "r1")]) == ["text q2", nil])
        // Both were answered, in turns.
        let reply = Message(id: "r3", sender: .bot, text: "three", parentID: "q2")
        #expect(next([said("q2", "r1"), reply, said("q3", "r2")]) == ["text q2", "text q3"])
        // The bot went on by itself.
        #expect(next([Message(id: "r3", sender: .bot, text: "three"), said("q2", nil)]) == [nil, nil])
    }

    @Test("a log's pairs are no single replies; a correction without a thumb gives both of its replies, once")
    func logPairs() {
        let conversation = Conversation(
            id: "c", userID: "ann",
            messages: [
                Message(id: "q1", sender: .human, text: "do you like jazz"),
                Message(
                    id: "r1", sender: .bot, text: "bananas", feedback: [Feedback(userID: "ann", correction: "yes")]),
                Message(id: "q2", sender: .human, text: "so"),
                Message(
                    id: "r2", sender: .bot, text: "a", parentID: "q2",
                    feedback: [Feedback(userID: "troll", rating: .dislike)]),
                Message(id: "r3", sender: .bot, text: "b", parentID: "q2"),
                Message(id: "q3", sender: .human, text: "fine", parentID: "r3"),
            ])
        let data = FeedbackExamples { $0.userID == "troll" ? 0 : 1 }.data(of: conversation)
        #expect(data.pairs.map(\.item.chosen) == ["yes", "b"])
        let ask = [Turn(.human, "do you like jazz")]
        #expect(
            data.labelled.map(\.item) == [
                Example(context: ask, reply: "yes", label: .good),
                Example(context: ask, reply: "bananas", label: .bad, betterReplies: ["yes"]),
            ])
        #expect(data.wanted.map(\.item.reply) == ["yes"])
        // A pair on a line of its own is all that its file says.
        var file = TrainingData()
        file.pairs = [Sourced(PreferencePair(context: ask, chosen: "yes", rejected: "no"), file: "f", line: 1)]
        #expect(file.labelled.count == 2 && file.wanted.count == 1)
    }

    @Test("sft learns plain texts beside replies")
    func texts() throws {
        let data = try read([
            #"{"text": "how are you today"}"#, #"{"prompt": "thanks and", "completion": " you"}"#,
            #"{"text": "hello there"}"#,
        ])
        let format = try ExampleTokenizerTests.format()
        let plan = try MethodPlan(
            .sft, settings: MethodSettings(), data: data,
            model: TinyModel.make(vocabulary: format.tokenizer.vocabularySize), format: format, seed: 1)
        #expect(plan.source.examples.count == 3)
        let made = try ExampleTokenizer(format: format, contextLength: 64).documents(toImitate: data)
        #expect(made.origins == [0, 1, 2])
        #expect(made.documents[1].ids.map(Int.init) == format.tokenizer.encode("how are you today") + [format.end])
        #expect(throws: TrainingError.self) {
            try ExampleTokenizer(format: format, contextLength: 64).documents(toImitate: TrainingData())
        }
    }

    @Test("KTO pushes the whole of a bad reply down, whatever is asked for shared tokens")
    func wholeReplies() throws {
        let context = [Turn(.human, "hello there")]
        var data = TrainingData()
        data.examples = [
            Sourced(Example(context: context, reply: "good day", label: .good), file: "f", line: 1),
            Sourced(
                Example(
                    context: context, reply: "fine thanks today", label: .bad, betterReplies: ["today thanks"]),
                file: "f", line: 2),
        ]
        let format = try ExampleTokenizerTests.format()
        var settings = MethodSettings()
        settings.overlap = .learned
        let plan = try MethodPlan(
            .kto, settings: settings, data: data,
            model: TinyModel.make(vocabulary: format.tokenizer.vocabularySize), format: format, compute: .float32,
            seed: 1)
        let bad = plan.source.examples.filter(\.isBad)
        #expect(bad.count == 1 && !bad.contains { $0.labels.contains(.good) })
    }

    @Test(
        "the better of two replies side by side makes a pair, whichever the talk went on from", arguments: ["r1", "r2"])
    func choices(goneOnFrom kept: String) {
        func reply(_ id: String, _ label: String) -> Message {
            Message(
                id: id, sender: .bot, text: "text \(id)", parentID: "q1",
                annotations: [Annotation(source: ReplyGroup.battleSource, label: label, value: 1)])
        }
        let conversation = Conversation(
            id: "c", userID: "ann",
            messages: [
                Message(id: "q1", sender: .human, text: "hi"), reply("r1", "winner"), reply("r2", "loser"),
                Message(id: "q2", sender: .human, text: "so", parentID: kept),
            ])
        let data = FeedbackExamples { $0.userID == "ann" && $0.rating == .like ? 0.7 : 0 }.data(of: conversation)
        #expect(
            data.pairs.map(\.item) == [
                PreferencePair(context: [Turn(.human, "hi")], chosen: "text r1", rejected: "text r2", weight: 0.7)
            ])
        #expect(FeedbackExamples { _ in 0 }.data(of: conversation).pairs.isEmpty)
    }

    @Test("single replies to one context become pairs")
    func byContext() {
        var data = TrainingData()
        let (a, b) = ([Turn(.human, "a")], [Turn(.human, "b")])
        for (context, reply, label, weight) in [
            (a, "x", Example.Label.good, 1.0), (a, "y", .bad, 0.5), (b, "z", .bad, 1), (a, "x", .bad, 1),
        ] {
            data.examples.append(
                Sourced(Example(context: context, reply: reply, label: label, weight: weight), file: "f"))
        }
        #expect(
            data.pairedByContext().map(\.item) == [PreferencePair(context: a, chosen: "x", rejected: "y", weight: 0.5)])
    }
}

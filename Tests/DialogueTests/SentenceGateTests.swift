import Conversations
import Foundation
import Synchronization
import Testing

@testable import Dialogue

/// Replies that have to be looked at, shown by sentences while a slow model draws them.
@Suite("Sentence gate")
struct SentenceGateTests {
    /// What a reader sees, and a way to wait for it.
    private final class Reader: Sendable {
        private let pieces = Mutex<[String]>([])
        var text: String { pieces.withLock { $0.joined() } }
        var count: Int { pieces.withLock { $0.count } }
        func take(_ piece: String) { pieces.withLock { $0.append(piece) } }

        /// Gives up after ten seconds.
        func waits(for text: String) async -> Bool {
            for _ in 0..<1_000 where self.text != text { try? await Task.sleep(for: .milliseconds(10)) }
            return self.text == text
        }
    }

    /// A slow model: draws the next piece only once the reader has seen what `expects` says, where it says something.
    private final class SlowGenerator: TextGenerator {
        let modelID = "slow"
        let pieces: [(text: String, expects: String?)]
        let reader: Reader
        let missed = Atomic(0)
        let calls = Atomic(0)

        init(_ pieces: [(text: String, expects: String?)], reader: Reader) {
            self.pieces = pieces
            self.reader = reader
        }

        func reply(to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)?) async throws -> Reply {
            calls.add(1, ordering: .relaxed)
            for piece in pieces {
                onPiece?(piece.text)
                if let expected = piece.expects, !(await reader.waits(for: expected)) {
                    missed.add(1, ordering: .relaxed)
                }
            }
            return Reply(
                text: pieces.map(\.text).joined(), finishReason: "length", tokenCount: pieces.count,
                meanLogProbability: -1)
        }

        func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] { [] }
    }

    private func agent(
        _ generator: any TextGenerator, check: SpiderCheck = SpiderCheck(),
        showing: TurnPlan.Showing = .sentences(after: .zero)
    ) -> DialogueAgent {
        var plan = TurnPlan.plain
        plan.showing = showing
        return DialogueAgent(writers: ModuleWriters(ChatWriter(generator)), plan: plan, safety: check, makeID: { "r" })
    }

    @Test("each sentence is read once it passed, while the next is drawn")
    func bySentences() async throws {
        let (reader, check) = (Reader(), SpiderCheck())
        let generator = SlowGenerator(
            [
                ("I like", nil), (" tea.", nil), (" And", "I like tea."), (" milk! I", "I like tea. And milk!"),
                (" do", nil),
            ], reader: reader)
        let answer = try await agent(generator, check: check).reply(to: talk("hi"), sampling: Sampling()) {
            reader.take($0)
        }
        #expect(generator.missed.load(ordering: .relaxed) == 0)
        #expect(reader.text == "I like tea. And milk! I do" && answer.message.text == reader.text)
        #expect(answer.finishReason == "length" && !answer.message.isSafetyControlled)
        #expect(
            check.log.all.filter { $0.contains("reply") } == [
                "check reply I like tea. after 1", "check reply I like tea. And milk! after 1",
                "check reply I like tea. And milk! I do after 1",
            ])
    }

    @Test("what comes after a sentence that does not pass is not said; what was read stays")
    func brokenOff() async throws {
        let reader = Reader()
        let generator = SlowGenerator(
            [("Good morning.", nil), (" A", "Good morning."), (" spider. It sits", nil), (" there.", nil)],
            reader: reader)
        let answer = try await agent(generator, check: SpiderCheck(canned: "Let us talk about tea.")).reply(
            to: talk("hi"), sampling: Sampling()
        ) { reader.take($0) }
        #expect(generator.missed.load(ordering: .relaxed) == 0)
        #expect(answer.message.text == "Good morning. Let us talk about tea." && reader.text == answer.message.text)
        #expect(answer.message.isSafetyControlled && answer.message.interactionFailure == "unsafe_BlenderBot3")
        #expect(answer.message.modules.allSatisfy { !$0.output.contains("spider") })
        // No second reply is drawn where the first has been read in part.
        #expect(generator.calls.load(ordering: .relaxed) == 1 && answer.tokenCount == 4)
    }

    @Test("a reply whose first sentence does not pass shows nothing, and is drawn again")
    func nothingShown() async throws {
        let reader = Reader()
        let generator = ScriptedGenerator(["A spider. ", "Boo!"], ["All is ", "well. ", "Truly."])
        let answer = try await agent(generator).reply(to: talk("hi"), sampling: Sampling()) { reader.take($0) }
        #expect(answer.message.text == "All is well. Truly." && reader.text == answer.message.text)
        #expect(generator.calls.count == 2)
    }

    @Test("a quick reply is looked at once; so is every reply where the plan shows it whole")
    func once() async throws {
        for showing in [TurnPlan.Showing.sentences(after: .seconds(3_600)), .whole] {
            let (reader, check) = (Reader(), SpiderCheck())
            let generator = ScriptedGenerator(["One. ", "Two. ", "Three."])
            let answer = try await agent(generator, check: check, showing: showing).reply(
                to: talk("hi"), sampling: Sampling()
            ) { reader.take($0) }
            #expect(reader.text == "One. Two. Three." && answer.message.text == reader.text)
            #expect(check.log.all.filter { $0.contains("reply") } == ["check reply One. Two. Three. after 1"])
        }
    }

    @Test("the beginning of an earlier reply waits until it goes on otherwise")
    func repeated() async throws {
        let reader = Reader()
        let generator = SlowGenerator(
            [("I like tea. ", nil), ("A lot. ", nil), ("Truly", "I like tea. A lot.")], reader: reader)
        let answer = try await agent(generator).reply(
            to: talk("hi", "I like tea. Do you?", "yes"), sampling: Sampling()
        ) { reader.take($0) }
        #expect(generator.missed.load(ordering: .relaxed) == 0 && reader.count == 2)
        #expect(answer.message.text == "I like tea. A lot. Truly" && reader.text == answer.message.text)
    }

    @Test(
        "where a sentence ends",
        arguments: [
            ("Hello", nil), ("Hello.", nil), ("Hello. ", 6), ("Hello. How are", 6), ("Hello. How are you? I", 19),
            ("She said \"no.\" Then", 14), ("3.5 metres", nil), ("wait… what", 5), ("first line\nsecond", 10),
            ("\n", nil),
            ("", nil), (" .", nil),
        ])
    func ends(_ text: String, _ end: Int?) { #expect(SentenceGate.lastEnd(in: text) == end) }
}

import Conversations
import Testing

@testable import Safety

@Suite("Texts that come together are read together")
struct GatheringClassifierTests {
    /// Scores a text by its length; keeps the first pass until it is told to go on, and counts texts per pass.
    private actor Reader: TextClassifier {
        private(set) var passes: [Int] = []
        private var gate: CheckedContinuation<Void, Never>?
        private var isOpen = false

        func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
            passes.append(pairs.count)
            if !isOpen { await withCheckedContinuation { gate = $0 } }
            if pairs.contains(where: { $0.text == "broken" }) { throw SafetyError(.shape, "broken") }
            return pairs.map { $0.text == "no number" ? .nan : Double($0.text.count) }
        }

        /// Whether somebody waits in the first pass.
        var isHolding: Bool { gate != nil }

        func open() {
            isOpen = true
            gate?.resume()
            gate = nil
        }
    }

    /// The first caller is being read while the others come.
    private func callers(_ texts: [[String]], most: Int = 64) async throws -> (answers: [[Double]?], passes: [Int]) {
        let reader = Reader()
        let gathering = GatheringClassifier(reader, most: most)
        @Sendable func ask(_ texts: [String]) async -> [Double]? {
            try? await gathering.probabilities(of: texts.map { ([], $0) })
        }
        let first = Task { await ask(texts[0]) }
        while !(await reader.isHolding) { await Task.yield() }
        let others = texts.dropFirst().map { texts in Task { await ask(texts) } }
        while await gathering.waitingCount < texts.count - 1 { await Task.yield() }
        await reader.open()
        var answers = [await first.value]
        for other in others { answers.append(await other.value) }
        return (answers, await reader.passes)
    }

    @Test("who comes while it reads shares the next pass; everybody gets their own scores")
    func together() async throws {
        let (answers, passes) = try await callers([["a"], ["bb", "ccc"], ["dddd"], ["eeeee"]])
        #expect(passes == [1, 4])
        #expect(answers[0] == [1])
        #expect(Set(answers.dropFirst()) == [[2, 3], [4], [5]])
        #expect(answers == [[1], [2, 3], [4], [5]])
    }

    @Test("a pass holds so many texts at most, a caller's own are not divided, and none is read as nothing")
    func bounded() async throws {
        let (answers, passes) = try await callers([["a"], ["b", "b", "b"], ["c"]], most: 2)
        #expect(passes.sorted() == [1, 1, 3])
        #expect(answers.allSatisfy { $0 != nil })
        #expect(try await GatheringClassifier(Reader()).probabilities(of: []).isEmpty)
    }

    @Test("a text that cannot be read fails its own caller alone")
    func broken() async throws {
        let (answers, _) = try await callers([["a"], ["broken"], ["cc"], ["ddd"]])
        #expect(answers == [[1], nil, [2], [3]])
    }

    @Test("a score that is no number is a failure: below every threshold it would let the text pass")
    func noNumber() async throws {
        let (answers, _) = try await callers([["a"], ["no number"], ["cc"]])
        #expect(answers == [[1], nil, [2]])
    }
}

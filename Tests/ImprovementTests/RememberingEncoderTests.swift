import Conversations
import Testing

@testable import Improvement

@Suite("Remembering encoder")
struct RememberingEncoderTests {
    /// Its vectors are the texts' lengths; it says what it was asked.
    private actor Counted: TextEncoder {
        nonisolated let dimension = 1
        private(set) var asked: [[String]] = []

        func encode(_ texts: [String]) async throws -> [[Float]] {
            asked.append(texts)
            return texts.map { [Float($0.count)] }
        }
    }

    @Test("A text is computed once, in whatever order and company it comes again")
    func once() async throws {
        let counted = Counted()
        let encoder = RememberingEncoder(counted)
        #expect(encoder.dimension == 1)
        #expect(try await encoder.encode(["a", "bb", "a", ""]) == [[1], [2], [1], [0]])
        #expect(try await encoder.encode(["ccc", "bb"]) == [[3], [2]])
        #expect(try await encoder.encode(["", "ccc"]) == [[0], [3]])
        #expect(try await encoder.encode([]) == [])
        #expect(await counted.asked == [["a", "bb", ""], ["ccc"]])
    }

    @Test("What does not fit is computed anew, and right")
    func full() async throws {
        let counted = Counted()
        let encoder = RememberingEncoder(counted, capacity: 2)
        for _ in 0..<2 { #expect(try await encoder.encode(["a", "bb", "ccc"]) == [[1], [2], [3]]) }
        #expect(await counted.asked == [["a", "bb", "ccc"], ["ccc"]])
    }
}

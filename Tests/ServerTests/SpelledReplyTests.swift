import Conversations
import Testing

@testable import Server

@Suite("Server: a reply's tokens")
struct SpelledReplyTests {
    private func tokens(_ pieces: [String]) -> [ReplyToken] {
        pieces.enumerated().map { index, piece in
            ReplyToken(
                id: index, drawn: .init(bytes: Array(piece.utf8), logProbability: -Double(index)), piece: piece)
        }
    }

    private func shown(_ text: String, _ pieces: [String]) -> [String] {
        SpelledReply(text, tokens: tokens(pieces)).parts.map { "\($0.text)|\($0.tokens.map(\.id))" }
    }

    @Test("a text that is all of its tokens")
    func whole() {
        #expect(shown("hi there", ["hi", " there"]) == ["hi|[0]", " there|[1]"])
        #expect(shown("", []) == [])
        // A character in two tokens: the first makes nothing certain yet.
        #expect(shown("hi 🌿.", ["hi ", "", "🌿", "."]) == ["hi |[0]", "|[1]", "🌿|[2]", ".|[3]"])
    }

    @Test("what was trimmed or cut is left out, of a token at the border the part inside stays")
    func parts() {
        #expect(shown("hi", [" ", " hi", " \n", "Person 1:"]) == ["hi|[1]"])
        #expect(shown("hi there", ["hi", " there\nHu", "man:"]) == ["hi|[0]", " there|[1]"])
        // Text that was held back until the end belongs to no token.
        #expect(shown("one EN", ["one", " ", "", ""]) == ["one|[0]", " |[1]", "EN|[]"])
        // A text that the tokens do not spell is shown all the same.
        #expect(shown("other", ["hi"]) == ["other|[0]"])
    }
}

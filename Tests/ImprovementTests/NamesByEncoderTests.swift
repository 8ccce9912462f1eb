import Conversations
import Foundation
import Generation
import Testing

@testable import Deidentification

@Suite("Names by the encoder that ships", .enabled(if: FileManager.default.fileExists(atPath: ".deps/encoder")))
struct NamesByEncoderTests {
    private func tagger() throws -> NameTagger {
        try NameTagger(head: .shipped(), encoder: SentenceEncoder(folder: URL(filePath: ".deps/encoder")))
    }

    @Test("a name that no list knows is found by what stands around it, and replaced through the conversation")
    func unlisted() async throws {
        var random = SystemRandomNumberGenerator()
        let deidentifier = try Deidentifier(key: DeidentificationKey(using: &random))
        let texts = ["Yesterday Quorlin Vasquebry came to dinner with his wife.", "What a lovely evening we had!"]
        let listed = texts.map { deidentifier.findings(in: $0).count }
        let found = try await deidentifier.findings(in: texts, with: tagger())
        #expect(found[0].contains { $0.entity == .person }, "\(found), by lists alone \(listed)")
        #expect(found[1].isEmpty)
        let conversation = Conversation(
            id: "c", userID: "u",
            messages: texts.enumerated().map { Message(id: "c.\($0)", sender: .human, text: $1) })
        let clean = try await deidentifier.deidentify([conversation], with: tagger())[0].0
        #expect(!clean.messages[0].text.contains("Quorlin") && clean.messages[1].text == texts[1])
    }

    /// `Scripts/train-names --fixture` wrote what the head says in Python with the encoder's states there.
    private struct Expected: Decodable {
        var text: String
        var probabilities: [[Float]]
    }

    @Test("words' states and the head's probabilities are those of the script that trained it")
    func oracle() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/name-head.json")
        let cases = try JSONDecoder().decode([Expected].self, from: Data(contentsOf: file))
        let lexicon = try Lexicon()
        let texts = cases.map { ScannedText($0.text, lexicon: lexicon) }
        let found = try await tagger().tags(texts, lexicon: lexicon)
        var compared = 0
        for (one, tags) in zip(cases, found) where !tags.probabilities.isEmpty {
            #expect(tags.probabilities.count == one.probabilities.count, "\(one.text)")
            for (mine, theirs) in zip(tags.probabilities, one.probabilities) {
                #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) < 0.01 }, "\(one.text): \(mine), \(theirs)")
                compared += 1
            }
        }
        #expect(compared > 20)
    }
}

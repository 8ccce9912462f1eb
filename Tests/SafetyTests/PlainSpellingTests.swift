import Conversations
import Testing

@testable import Safety

@Suite("Disguised words are read plainly")
struct PlainSpellingTests {
    @Test(
        "letters as digits, letters apart, characters that do not show",
        arguments: [
            ("you 1d10t", "you idiot"), ("y0u 4r3 a f00l!", "you are a fool!"), ("$illy", "silly"),
            ("i d i o t", "idiot"), ("y o u   f o o l", "you fool"), ("you f o 0 l", "you fool"),
            ("fo\u{200B}ol", "fool"), ("f\u{00AD}ool", "fool"),
            // Of mathematics, full-width, in circles; with Cyrillic and Greek letters among the Latin ones.
            ("you 𝐟𝐨𝐨𝐥", "you fool"), ("ｙｏｕ ｆｏｏｌ", "you fool"), ("ⓕⓞⓞⓛ!", "fool!"),
            ("y\u{43E}u f\u{43E}\u{43E}l", "you fool"), ("F\u{41E}\u{3BF}L", "FooL"), ("𝐟 𝐨 𝐨 𝐥", "fool"),
        ])
    func plain(_ written: String, _ meant: String) {
        #expect(PlainSpelling.of(written)?.text == meant)
    }

    @Test(
        "plain writing is left alone",
        arguments: [
            "I was born in the 90s", "It is 5pm, see you at 10", "the 1st and the 2nd", "write to ann@example.org",
            "@ann said so", "What a day!", "I am 30", "a 4x4 I saw", "Is it so? I do!", "👩‍🚀 hi", "10km a day", "",
            // A whole word in another script is no disguise.
            "\u{434}\u{43E}\u{43C}", "Wi-Fi-\u{434}\u{43E}\u{43C}", "\u{3B1}\u{3C1} to you", "a naïve café in Łódź",
            "10 µm of it", "½ of it",
        ])
    func left(_ text: String) {
        #expect(PlainSpelling.of(text) == nil)
    }

    @Test(
        "whether words stand beside the letters",
        arguments: [
            ("i d i o t", true), ("y o u   f o o l !", true), ("you f o o l", false), ("f o o l   it is", false),
            ("f00l", false), ("a b   then f o o l", false), ("f o o l   17", false),
        ])
    func words(_ written: String, _ isAllThereIs: Bool) throws {
        #expect(try #require(PlainSpelling.of(written)).isAllThereIs == isAllThereIs)
    }

    @Test("of letters one by one only what they spell is believed")
    func letters() async throws {
        /// Takes offence at whatever it cannot read.
        struct Wary: TextClassifier {
            func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
                pairs.map { $0.text.split(separator: " ").contains { $0.count == 1 } ? 0.8 : 0.1 }
            }
        }
        let scores = try await UndisguisedClassifier(Wary()).probabilities(
            of: [([], "h e l l o"), ([], "well h e l l o"), ([], "h e l l o   t h e r e !")])
        #expect(scores == [0.1, 0.8, 0.1])
    }

    @Test("a long text comes out whole")
    func long() {
        #expect(PlainSpelling.of(String(repeating: "f00l ", count: 10_000))?.text.count == 49_999)
    }

    @Test("the worse reading counts, and every pair gets one score")
    func worse() async throws {
        struct Words: TextClassifier {
            func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
                pairs.map { $0.text.contains("fool") ? 0.9 : 0.1 }
            }
        }
        let scores = try await UndisguisedClassifier(Words()).probabilities(
            of: [([], "hello"), ([], "f00l"), ([], "fool"), ([], "f o o l")])
        #expect(scores == [0.1, 0.9, 0.9, 0.9])
        let layer = SafetyLayer(Words(), threshold: 0.5)
        #expect(try await layer.classifier.probabilities(of: [([], "you f00l")]) == [0.9])
    }
}

import Conversations
import Testing

@testable import Safety

@Suite("SafetyBench's two tests")
struct SafetySuiteTests {
    private let context = [Turn(.human, "Hello there")]

    @Test("each tool's share, any and all, counted by hand")
    func shares() async throws {
        let suite = SafetySuite(tools: [
            .init("words", StringMatcher(["blimp"])),
            .init("long") { pairs in pairs.map { $0.text.count > 12 } },
        ])
        let setting = SafetySuite.Setting("made up", contexts: Array(repeating: context, count: 4))
        let figures = try await suite.figures(
            setting, replies: ["you blimp", "a blimp, a big blimp", "hi", "how very kind"])
        #expect(figures.flagged == ["words": 2, "long": 2])
        #expect(figures.any == 3 && figures.all == 1 && figures.replies == 4)
        #expect(figures.share(figures.any) == 0.75)
    }

    @Test("a classifier is asked with the context, at its own threshold")
    func layer() async throws {
        struct Classifier: TextClassifier {
            func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
                pairs.map { $0.context.isEmpty ? 0 : $0.text == "bad" ? 0.7 : 0.6 }
            }
        }
        let suite = SafetySuite(tools: [.init("classifier", SafetyLayer(Classifier(), threshold: 0.65))])
        let figures = try await suite.figures(
            .init("made up", contexts: [context, context]), replies: ["bad", "worse"])
        #expect(figures.flagged == ["classifier": 1] && figures.any == 1 && figures.all == 1)
    }

    @Test("objection by words, spelled as people do")
    func objection() async throws {
        for text in ["No.", "I don't think so", "They aren’t", "that is unfair", "dont say that"] {
            #expect(SafetySuite.objects(text), "\(text)")
        }
        for text in ["Yes, they are.", "I know what you mean", "a knot", "Nowhere in particular"] {
            #expect(!SafetySuite.objects(text), "\(text)")
        }
        let figures = try await SafetySuite(tools: []).offence([context, context], replies: ["Yes", "Never"])
        #expect(figures == .init(replies: 2, withoutObjection: 1, flagged: 0))
    }

    @Test("the statements are all different, end with the person, and none is left a template")
    func statements() {
        let all = OffensiveStatements.conversations
        #expect(all.count == 360 && Set(all).count == 360)
        #expect(all.allSatisfy { $0.count == 1 && $0[0].sender == .human && !$0[0].text.contains("{") })
    }

    @Test("a reply too few is an error")
    func counts() async {
        await #expect(throws: SafetyError.self) {
            try await SafetySuite(tools: []).figures(.init("x", contexts: [context]), replies: [])
        }
    }
}

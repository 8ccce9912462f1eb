import Conversations
import Testing

@testable import Improvement

@Suite("Corrections without a thumb")
struct ThumblessCorrectionTests {
    @Test("they are dislikes, believed as the person's votes are in the mean, and nothing where there are none")
    func weighed() {
        func item(_ id: String, _ user: String, _ feedback: Feedback?) -> Corpus.Item {
            Corpus.Item(
                id: id, userID: user, context: [], reply: "hello", feedback: feedback, part: .learn, next: nil)
        }
        func vote(_ id: String, weight: Double) -> WeighedVote {
            WeighedVote(item: id, user: "ann", part: .learn, isUp: true, weight: weight, probability: 1)
        }
        func correction(_ user: String, _ text: String = "hi") -> Feedback {
            Feedback(userID: user, correction: text)
        }
        let items = [
            item("1", "ann", Feedback(userID: "ann", rating: .like)),
            item("2", "ann", Feedback(userID: "ann", rating: .like)), item("3", "ann", correction("ann")),
            item("4", "bo", correction("bo")), item("5", "ann", correction("ann", "hello")), item("6", "ann", nil),
        ]
        let weights = LabelStage.weighed([vote("1", weight: 1), vote("2", weight: 0.5)], items)
        #expect(Set(weights.keys) == ["1", "2", "3"])
        #expect(weights["3"]?.weight == 0.75 && weights["3"]?.isUp == false && weights["3"]?.probability == 0)
        #expect(weights["1"]?.isUp == true && weights["1"]?.weight == 1)
    }
}

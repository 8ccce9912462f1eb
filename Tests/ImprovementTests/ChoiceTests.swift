import Testing

@testable import Improvement

@Suite("Which round becomes the candidate")
struct ChoiceTests {
    @Test(
        "the best on validation histories; of equal ones the earlier",
        arguments: [([0.9, 0.94, 0.92], 2), ([0.9, 0.9, 0.9], 1), ([0.7], 1), ([0.8, 0.81, 0.82], 3)])
    func best(good: [Double], round: Int) {
        #expect(ChooseStage.Choice(good: good, prompts: 10).round == round)
    }
}

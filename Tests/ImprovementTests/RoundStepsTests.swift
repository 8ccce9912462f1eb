import Foundation
import Testing

@testable import Improvement

@Suite("Improvement: steps of a round")
struct RoundStepsTests {
    private func stage(_ round: Int, _ configuration: ImproveConfiguration) -> RoundStage {
        RoundStage(
            round: round, loss: round == 0 ? .sft : configuration.loss, configuration: configuration,
            makeEncoder: { throw ImprovementError.noData("encoder", "is not needed for the settings") })
    }

    @Test("good replies alone have a round's steps, or their own; the rounds keep theirs")
    func sftSteps() {
        var configuration = ImproveConfiguration(
            logs: ["a.jsonl"], format: "loam", store: "s", model: "m", encoder: "e")
        configuration.training.steps = 40
        #expect(stage(0, configuration).settings["steps"] == "40")
        configuration.training.sftSteps = 120
        #expect(stage(0, configuration).settings["steps"] == "120")
        #expect(stage(1, configuration).settings["steps"] == "40")
    }

    @Test("a run from before there was a choice is read as it was")
    func older() throws {
        var configuration = ImproveConfiguration(
            logs: ["a.jsonl"], format: "loam", store: "s", model: "m", encoder: "e")
        let data = try JSONEncoder().encode(configuration)
        #expect(!String(decoding: data, as: UTF8.self).contains("sft_steps"))
        #expect(try JSONDecoder().decode(ImproveConfiguration.self, from: data) == configuration)
        configuration.training.sftSteps = 7
        let changed = try JSONDecoder().decode(
            ImproveConfiguration.self, from: JSONEncoder().encode(configuration))
        #expect(changed.training.sftSteps == 7)
    }

    @Test("the report says how many steps the arm of good replies alone had, and how many the rounds")
    func note() {
        var configuration = ImproveConfiguration(
            logs: ["a.jsonl"], format: "loam", store: "s", model: "m", encoder: "e")
        (configuration.training.steps, configuration.iterations) = (40, 3)
        let usual = ReportStage.sftNote(configuration)
        #expect(usual.contains("in 40 optimizer steps") && usual.contains("each of the 3 rounds takes 40"))
        configuration.training.sftSteps = 120
        #expect(ReportStage.sftNote(configuration).contains("in 120 optimizer steps"))
        configuration.iterations = 1
        #expect(ReportStage.sftNote(configuration).contains("the round takes 40"))
    }
}

import Conversations
import Foundation
import Testing

@testable import Simulation

@Suite("A simulated deployment")
struct DeploymentTests {
    static func run(_ settings: DeploymentSettings) async throws -> Deployment.Outcome {
        let world = try World()
        return try await Deployment(world, settings).run(WorldBot(world, vocabulary: settings.vocabulary))
    }

    struct Vote {
        var kind: PersonKind
        var isGood: Bool
        var feedback: Feedback
    }

    static func votes(_ outcome: Deployment.Outcome) throws -> [Vote] {
        try outcome.conversations.flatMap { conversation in
            try conversation.messages.compactMap { message in
                guard let feedback = message.feedback.first else { return nil }
                return Vote(
                    kind: try #require(outcome.truth.kinds[conversation.userID]),
                    isGood: try #require(outcome.truth.verdicts[message.id]).isGood, feedback: feedback)
            }
        }
    }

    @Test("each kind of person votes as its kind does")
    func voting() async throws {
        var settings = DeploymentSettings(seed: 11, people: 160)
        settings.adversarialShare = 0.5
        let outcome = try await Self.run(settings)
        let votes = try Self.votes(outcome)
        func share(_ kind: PersonKind, _ rating: Rating, rightIf isGood: Bool) -> Double {
            let those = votes.filter { $0.kind == kind && $0.feedback.rating == rating }
            return those.isEmpty ? .nan : Double(those.count { $0.isGood == isGood }) / Double(those.count)
        }
        #expect(abs(share(.standard, .like, rightIf: true) - settings.votes.likeAccuracy) < 0.06)
        #expect(abs(share(.standard, .dislike, rightIf: false) - settings.votes.dislikeAccuracy) < 0.08)
        #expect(share(.troll, .like, rightIf: true) < 0.6)
        #expect(share(.troll, .dislike, rightIf: false) < 0.4)
        #expect(votes.filter { $0.kind == .safe }.allSatisfy { $0.feedback.rating == .like })
        #expect(votes.filter { $0.kind == .unsafe }.allSatisfy { $0.feedback.rating == .dislike })
        #expect(votes.filter { $0.kind == .gaslight }.allSatisfy { $0.feedback.rating == .like && !$0.isGood })
        let lazy = votes.filter { $0.kind == .lazy }
        #expect(lazy.contains { $0.feedback.rating == .like } && lazy.contains { $0.feedback.rating == .dislike })
        #expect(Set(outcome.truth.kinds.values) == Set(PersonKind.allCases))
    }

    @Test("the paper's agreement comes out of the chances of a vote")
    func chances() {
        let habits = VotingHabits.paper
        let good = habits.chances(isGood: true)
        let bad = habits.chances(isGood: false)
        let likes = (0.85 * good.like, 0.15 * bad.like)
        let dislikes = (0.85 * good.dislike, 0.15 * bad.dislike)
        #expect(abs(likes.0 / (likes.0 + likes.1) - 0.70) < 1e-12)
        #expect(abs(dislikes.1 / (dislikes.0 + dislikes.1) - 0.79) < 1e-12)
        #expect(abs(likes.0 + likes.1 + dislikes.0 + dislikes.1 - 0.1) < 1e-12)
    }

    @Test("the log has what real logs have")
    func log() async throws {
        let world = try World()
        var settings = DeploymentSettings(seed: 12, people: 80)
        settings.brokenShare = 0.1
        settings.detailShare = 0.3
        let outcome = try await Self.run(settings)
        let conversations = outcome.conversations
        #expect(Set(conversations.map(\.consent)) == Set(Consent.allCases))
        #expect(Set(conversations.map(\.id)).count < conversations.count)
        let messages = conversations.flatMap(\.messages)
        #expect(messages.contains { $0.text.isEmpty })
        #expect(messages.contains { $0.isDislikeFeedback })
        #expect(messages.contains { $0.text.contains("@example.") } && messages.contains { $0.text.contains("-555-") })
        let votes = try Self.votes(outcome)
        #expect(votes.contains { $0.feedback.correction != nil } && votes.contains { $0.feedback.comment != nil })
        // Every reply has its truth, and no held-out thing is spoken of.
        for conversation in conversations {
            for message in conversation.messages where message.sender == .bot {
                #expect(outcome.truth.verdicts[message.id] != nil)
                #expect(message.generation?.model == "world-bot")
            }
            #expect(!world.isHeldOut(conversation.messages.map { Turn($0.sender, $0.text) }))
        }
    }

    @Test("the same seed writes the same bytes, and they read back")
    func seeded() async throws {
        let settings = DeploymentSettings(seed: 13, people: 12)
        let folder = FileManager.default.temporaryDirectory.appending(path: "simulation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var bytes: [Data] = []
        for run in 0..<2 {
            let outcome = try await Self.run(settings)
            let log = folder.appending(path: "log\(run)")
            let truth = folder.appending(path: "truth\(run)")
            try outcome.write(log: log, truth: truth)
            bytes.append(try Data(contentsOf: log) + Data(contentsOf: truth))
            #expect(try HiddenTruth(contentsOf: truth) == outcome.truth)
        }
        #expect(bytes[0] == bytes[1])
        var other = settings
        other.seed = 14
        #expect(try await Self.run(other).conversations != Self.run(settings).conversations)
    }

    @Test("a line of hidden truth that is none is named")
    func brokenTruth() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "truth-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("{\"kind\":\"lazy\",\"user_id\":\"u1\"}\n{\"kind\":\"elf\",\"user_id\":\"u2\"}\n".utf8).write(to: file)
        let error = #expect(throws: SimulationError.self) { try HiddenTruth(contentsOf: file) }
        #expect(error?.description.contains(":2:") == true)
    }
}

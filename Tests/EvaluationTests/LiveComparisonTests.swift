import Conversations
import Evaluation
import Statistics
import Testing

@Suite("Two models live") struct LiveComparisonTests {
    @Test("a person stays with a model, shares are kept, and raising a share moves nobody away from the new one")
    func assignment() throws {
        func arms(_ share: Double) throws -> ArmAssignment {
            try ArmAssignment(
                experiment: "autumn", arms: [.init(model: "old", share: 1 - share), .init(model: "new", share: share)])
        }
        let people = (0..<4_000).map { "person-\($0)" }
        let (small, large) = (try arms(0.1), try arms(0.3))
        let (few, many) = (
            people.filter { small.model(for: $0) == "new" }, people.filter { large.model(for: $0) == "new" }
        )
        #expect(abs(Double(few.count) / 4_000 - 0.1) < 0.02 && abs(Double(many.count) / 4_000 - 0.3) < 0.03)
        #expect(Set(few).isSubset(of: many))
        #expect(people.allSatisfy { small.model(for: $0) == small.model(for: $0) })
        #expect(throws: EvaluationError.self) {
            try ArmAssignment(experiment: "x", arms: [.init(model: "a", share: 0.5), .init(model: "b", share: 0.4)])
        }
        #expect(throws: UserSplit.Invalid.self) {
            try ArmAssignment(experiment: "x", arms: [.init(model: "a", share: 0.5), .init(model: "a", share: 0.5)])
        }
    }

    private func people(_ count: Int, unsafe: Double, seed: UInt64) -> [LiveComparison.Person] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { index in
            let isNew = index % 2 == 1
            return .init(
                id: "p\(index)", model: isNew ? "new" : "old", replies: 10 + generator.index(below: 20),
                likes: generator.index(below: isNew ? 3 : 2), dislikes: generator.index(below: 2),
                hadUnsafeReply: generator.chance(isNew ? unsafe : 0.04), complained: generator.chance(0.1))
        }
    }

    @Test("rates are per reply with intervals over people; a harmless arm goes on, an unsafe one is stopped")
    func guards() throws {
        let fine = try LiveComparison(people(600, unsafe: 0.04, seed: 2), base: "old", trial: "new")
        #expect(!fine.mustStop)
        #expect(fine.trial.liked.lower > fine.base.liked.estimate)
        #expect(fine.base.people == 300 && fine.trial.people == 300)
        let bad = try LiveComparison(people(600, unsafe: 0.2, seed: 2), base: "old", trial: "new")
        #expect(bad.mustStop)
        #expect(bad.guardRails.filter(\.isAlarm).map(\.name) == ["unsafe"])
    }

    @Test("an arm without people, or a person twice, is refused")
    func refused() {
        #expect(throws: EvaluationError.self) { try LiveComparison([], base: "old", trial: "new") }
        let one = people(2, unsafe: 0, seed: 1)
        #expect(throws: EvaluationError.self) { try LiveComparison(one + one, base: "old", trial: "new") }
    }
}

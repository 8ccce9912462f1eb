import Conversations
import Evaluation
import Foundation
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
        #expect(small.block == .init(first: 9, second: 1) && large.block == .init(first: 2, second: 1))
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

    @Test("people are read from conversations: order, window, feedback of their own only")
    func reading() throws {
        let assignment = try ArmAssignment(
            experiment: "autumn", arms: [.init(model: "old", share: 0.5), .init(model: "new", share: 0.5)])
        let start = Date(timeIntervalSince1970: 1_000)
        func reply(
            _ second: Double, _ rating: Rating? = nil, by: String = "ann", givenAfter delay: Double? = nil,
            failure: String? = nil
        ) -> Message {
            let sentAt = start.addingTimeInterval(second)
            let given = delay.map { sentAt.addingTimeInterval($0) }
            return Message(
                id: "m\(second)", sender: .bot, text: "Hello.", sentAt: sentAt,
                feedback: rating.map { [Feedback(userID: by, rating: $0, givenAt: given)] } ?? [],
                interactionFailure: failure)
        }
        let ann = Conversation(
            id: "1", userID: "ann",
            messages: [reply(-5, .dislike), reply(20, .like), reply(30, .like, by: "bo")]
                + (40..<44).map { reply(Double($0)) }
                + [reply(50, .dislike)])
        let bo = Conversation(
            id: "2", userID: "bo",
            messages: [Message(id: "h", sender: .human, text: "Hi"), reply(10, failure: "unsafe_BlenderBot3")])
        let people = TrialPeople(
            [ann, bo, Conversation(id: "3", userID: "cy")], assignment: assignment, start: start,
            now: start.addingTimeInterval(100)
        ).people
        #expect(people.map(\.id) == ["bo", "ann"])
        // The dislike came after the window of five replies: it counts in the rates and not in the guard-rail.
        #expect(people[1].replies == 7 && people[1].likes == 1 && people[1].dislikes == 1)
        // Even so they may yet say something of the first five.
        #expect(!people[1].complained && !people[1].isSettled && !people[1].hadUnsafeReply)
        #expect(people[0].hadUnsafeReply && !people[0].isSettled)
        #expect(people[0].model == assignment.model(for: "bo"))
        let later = TrialPeople([bo], assignment: assignment, start: start, now: start.addingTimeInterval(4_000))
        #expect(later.people[0].isSettled)
        // What was said in the first hour stands for the guard-rails, whatever is said afterwards.
        for (delay, complains) in [(3_000.0, true), (4_000, false)] {
            let cy = Conversation(id: "4", userID: "cy", messages: [reply(10, .dislike, by: "cy", givenAfter: delay)])
            let settled = TrialPeople(
                [cy], assignment: assignment, start: start, now: start.addingTimeInterval(9_000)
            ).people[0]
            #expect(settled.isSettled && settled.complained == complains && settled.dislikes == 1)
        }
    }

    @Test("what the other arm's model said to a person does not count for their own")
    func otherModel() throws {
        let assignment = try ArmAssignment(
            experiment: "autumn", arms: [.init(model: "old", share: 0.5), .init(model: "new", share: 0.5)])
        let start = Date(timeIntervalSince1970: 1_000)
        let tried = try #require((0..<50).map { "p\($0)" }.first { assignment.model(for: $0) == "new" })
        func reply(_ second: Double, by model: String?, _ rating: Rating? = nil) -> Message {
            Message(
                id: "m\(second)", sender: .bot, text: "Hello.", sentAt: start.addingTimeInterval(second),
                feedback: rating.map { [Feedback(userID: tried, rating: $0)] } ?? [],
                generation: model.map { GenerationRecord(model: $0) })
        }
        func people(_ messages: [Message]) -> [LiveComparison.Person] {
            TrialPeople(
                [Conversation(id: "1", userID: tried, messages: messages)], assignment: assignment, start: start,
                now: start.addingTimeInterval(9_000)
            ).people
        }
        // The server was started anew after six replies: they would fill the window of the guard-rails.
        let before = (1...6).map { reply(Double($0), by: "old", .dislike) }
        #expect(people(before).isEmpty)
        let person = try #require(people(before + [reply(7, by: "new", .like), reply(8, by: nil)]).first)
        #expect(person.model == "new" && person.replies == 2 && person.likes == 1)
        #expect(person.dislikes == 0 && !person.complained && person.isSettled)
        // A name that no arm has tells nothing either way.
        #expect(people([reply(7, by: "a folder")]).first?.replies == 1)
    }

    @Test("the guard-rails share the level: together they keep it")
    func sharedLevel() throws {
        var test = try SequentialRateTest()
        var people: [LiveComparison.Person] = []
        for index in 0..<10 {
            let isNew = index % 2 == 1
            people.append(
                .init(
                    id: "p\(index)", model: isNew ? "new" : "old", replies: 1, likes: 0, dislikes: 0,
                    hadUnsafeReply: isNew, complained: false))
            if isNew { test.addSecond(true) } else { test.addFirst(false) }
        }
        let evidence = test.pValue
        #expect(evidence > 0 && evidence < 0.1)
        #expect(try !LiveComparison(people, base: "old", trial: "new", level: 1.5 * evidence).mustStop)
        #expect(try LiveComparison(people, base: "old", trial: "new", level: 2.01 * evidence).mustStop)
    }

    @Test("a rate that nobody showed yet still has a width")
    func noWidth() throws {
        let people = (0..<6).map { index in
            LiveComparison.Person(
                id: "p\(index)", model: index % 2 == 0 ? "old" : "new", replies: 4, likes: 0, dislikes: 0,
                hadUnsafeReply: false, complained: false)
        }
        let comparison = try LiveComparison(people, base: "old", trial: "new")
        #expect(comparison.trial.liked.estimate == 0 && comparison.trial.liked.upper > 0.3)
        #expect(comparison.trial.disliked.lower == 0)
    }

    @Test("guard-rails wait for the first who is not settled")
    func waiting() throws {
        var people = people(600, unsafe: 0.9, seed: 2)
        #expect(try LiveComparison(people, base: "old", trial: "new").mustStop)
        people[3].isSettled = false
        let held = try LiveComparison(people, base: "old", trial: "new")
        #expect(!held.mustStop && held.guardRails[0].trialRate > 0.8)
    }

    @Test("an arm without people, or a person twice, is refused")
    func refused() {
        #expect(throws: EvaluationError.self) { try LiveComparison([], base: "old", trial: "new") }
        let one = people(2, unsafe: 0, seed: 1)
        #expect(throws: EvaluationError.self) { try LiveComparison(one + one, base: "old", trial: "new") }
    }

    @Test("what comes after the trial's end does not count")
    func afterTheEnd() throws {
        let assignment = try ArmAssignment(
            experiment: "autumn", arms: [.init(model: "old", share: 0.5), .init(model: "new", share: 0.5)])
        let start = Date(timeIntervalSince1970: 1_000)
        func reply(_ second: Double, givenAfter delay: Double) -> Message {
            let sentAt = start.addingTimeInterval(second)
            return Message(
                id: "m\(second)", sender: .bot, text: "Hello.", sentAt: sentAt,
                feedback: [Feedback(userID: "ann", rating: .dislike, givenAt: sentAt.addingTimeInterval(delay))])
        }
        let messages = [reply(10, givenAfter: 5), reply(20, givenAfter: 500), reply(200, givenAfter: 5)]
        let people = TrialPeople(
            [Conversation(id: "1", userID: "ann", messages: messages)], assignment: assignment, start: start,
            now: start.addingTimeInterval(100)
        ).people
        #expect(people.map(\.replies) == [2] && people.map(\.dislikes) == [1])
    }
}

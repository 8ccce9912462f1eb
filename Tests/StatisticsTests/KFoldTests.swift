import Statistics
import Testing

@Suite struct KFoldTests {
    @Test func groupsStayTogetherAndFoldsAreNearInSize() throws {
        var generator = SeededGenerator(seed: 1)
        let groups = (0..<200).map { _ in generator.index(below: 37) }
        let folds = try KFold.folds(of: groups, count: 5, generator: &generator)
        for group in Set(groups) {
            #expect(Set(groups.indices.filter { groups[$0] == group }.map { folds[$0] }).count == 1)
        }
        let sizes = (0..<5).map { fold in folds.count { $0 == fold } }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 8)
        var again = SeededGenerator(seed: 1)
        _ = (0..<200).map { _ in again.index(below: 37) }
        #expect(try KFold.folds(of: groups, count: 5, generator: &again) == folds)
        #expect(throws: StatisticsError.self) { try KFold.folds(of: [1, 1, 2], count: 3, generator: &generator) }
    }

    /// Sparse links (one text each), dense links (all people on all texts), and texts that repeat now and then.
    @Test(arguments: [1, 2, 3]) func noPersonOrTextOnBothSides(kind: Int) throws {
        var generator = SeededGenerator(seed: 4)
        let people = (0..<240).map { $0 % 24 }
        let texts =
            switch kind {
            case 1: Array(0..<240)
            case 2: (0..<240).map { $0 / 24 }
            default: (0..<240).map { _ in generator.index(below: 150) }
            }
        let parts = try KFold.disjointParts(people: people, texts: texts, count: 3, generator: &generator)
        #expect(parts.flatMap(\.test).sorted() == Array(0..<240))
        for part in parts {
            #expect(part.train.count >= 60)
            #expect(Set(part.train.map { people[$0] }).isDisjoint(with: part.test.map { people[$0] }))
            #expect(Set(part.train.map { texts[$0] }).isDisjoint(with: part.test.map { texts[$0] }))
        }
        #expect(parts.count == (kind == 1 ? 3 : 9))
    }
}

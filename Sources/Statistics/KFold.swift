/// Splits examples so that what belongs together stays together.
public enum KFold {
    /// A part of a cross-validation: which examples to learn from and which to score.
    public struct Part: Sendable, Hashable {
        public var train: [Int]
        public var test: [Int]
    }

    /// The fold, `0 ..< count`, of each example; examples of one group share a fold, and folds are near in size.
    ///
    /// Groups go by falling size, in random order among equals, each to the smallest fold so far.
    /// - Throws: `StatisticsError` when there are fewer groups than folds.
    public static func folds<Group: Hashable>(
        of groups: [Group], count: Int, generator: inout SeededGenerator
    ) throws -> [Int] {
        var members: [Group: [Int]] = [:]
        var order: [Group] = []
        for (index, group) in groups.enumerated() {
            if members[group] == nil { order.append(group) }
            members[group, default: []].append(index)
        }
        guard count > 0, order.count >= count else {
            throw StatisticsError(.tooFew, "\(count) folds need as many groups, there are \(order.count)")
        }
        generator.shuffle(&order)
        let rank = Dictionary(uniqueKeysWithValues: zip(order, 0...))
        order.sort { a, b in
            let (x, y) = (members[a]?.count ?? 0, members[b]?.count ?? 0)
            return x != y ? x > y : (rank[a] ?? 0) < (rank[b] ?? 0)
        }
        var result = [Int](repeating: 0, count: groups.count)
        var sizes = [Int](repeating: 0, count: count)
        for group in order {
            let smallest = sizes.indices.min { sizes[$0] < sizes[$1] } ?? 0
            for index in members[group] ?? [] { result[index] = smallest }
            sizes[smallest] += members[group]?.count ?? 0
        }
        return result
    }

    /// Train and test indices of each fold, by group.
    public static func parts<Group: Hashable>(
        of groups: [Group], count: Int, generator: inout SeededGenerator
    ) throws -> [Part] {
        let folds = try folds(of: groups, count: count, generator: &generator)
        return (0..<count).map { fold in
            Part(train: folds.indices.filter { folds[$0] != fold }, test: folds.indices.filter { folds[$0] == fold })
        }
    }

    /// Parts in which no test example shares its person *or* its text with a training example, and every example is
    /// tested once.
    ///
    /// Where the links between people and texts fall apart into small groups, the groups are the folds. Where they do not
    /// (several people on the same texts) people and texts are cut separately and each block of the grid is scored by a
    /// model that saw neither its people nor its texts: `count²` parts.
    /// - Throws: `StatisticsError` when the lengths differ or there are too few people or texts.
    public static func disjointParts<A: Hashable, B: Hashable>(
        people: [A], texts: [B], count: Int, generator: inout SeededGenerator
    ) throws -> [Part] {
        guard people.count == texts.count else {
            throw StatisticsError(.shape, "\(people.count) people and \(texts.count) texts")
        }
        let linked = components(people, texts)
        var sizes: [Int: Int] = [:]
        for component in linked { sizes[component, default: 0] += 1 }
        let largest = sizes.values.max() ?? 0
        if sizes.count >= count, largest * count <= people.count * 3 / 2 {
            return try parts(of: linked, count: count, generator: &generator)
        }
        let byPerson = try folds(of: people, count: count, generator: &generator)
        let byText = try folds(of: texts, count: count, generator: &generator)
        var result: [Part] = []
        for person in 0..<count {
            for text in 0..<count {
                var part = Part(train: [], test: [])
                for index in people.indices {
                    let same = (byPerson[index] == person, byText[index] == text)
                    if same == (true, true) { part.test.append(index) }
                    if same == (false, false) { part.train.append(index) }
                }
                if !part.test.isEmpty { result.append(part) }
            }
        }
        return result
    }

    /// For each example the number of its connected group; examples are joined by a shared person or text.
    private static func components<A: Hashable, B: Hashable>(_ people: [A], _ texts: [B]) -> [Int] {
        var parent = Array(people.indices)
        func root(_ index: Int) -> Int {
            var top = index
            while parent[top] != top {
                parent[top] = parent[parent[top]]
                top = parent[top]
            }
            return top
        }
        var firstByPerson: [A: Int] = [:]
        var firstByText: [B: Int] = [:]
        for index in people.indices {
            if let first = firstByPerson[people[index]] {
                parent[root(index)] = root(first)
            } else {
                firstByPerson[people[index]] = index
            }
            if let first = firstByText[texts[index]] {
                parent[root(index)] = root(first)
            } else {
                firstByText[texts[index]] = index
            }
        }
        return people.indices.map(root)
    }
}

/// How well what should be found is found.
public struct DeidentificationScore: Sendable, Hashable {
    /// One line of the table.
    public struct Row: Sendable, Hashable {
        /// Marked spans.
        public var marked = 0
        /// Marked spans of which at least half is found as this kind.
        public var found = 0
        /// Marked spans of which nothing is left readable, under whatever kind it was found.
        public var removed = 0
        /// Findings.
        public var findings = 0
        /// Findings at least half of which lies in marked spans of this kind.
        public var right = 0
        /// Findings with exactly the marked start and end.
        public var exact = 0

        public var precision: Double { findings == 0 ? 0 : Double(right) / Double(findings) }
        public var recall: Double { marked == 0 ? 0 : Double(found) / Double(marked) }
        public var f1: Double { f(1) }
        /// Recall counts four times as much as precision: what is overlooked leaks.
        public var f2: Double { f(2) }

        private func f(_ beta: Double) -> Double {
            let weight = beta * beta
            let sum = weight * precision + recall
            return sum == 0 ? 0 : (1 + weight) * precision * recall / sum
        }

        static func + (a: Row, b: Row) -> Row {
            Row(
                marked: a.marked + b.marked, found: a.found + b.found, removed: a.removed + b.removed,
                findings: a.findings + b.findings, right: a.right + b.right, exact: a.exact + b.exact)
        }
    }

    /// A marked span that was not found. It does not hold the text.
    public struct Miss: Sendable, Hashable {
        /// Place of the text in the file, from 0.
        public var text: Int
        public var entity: String
        /// Code points.
        public var start: Int
        public var end: Int
    }

    /// By kind.
    public var rows: [Entity: Row]
    /// All kinds together (micro average).
    public var overall: Row
    /// The same without names of persons, places and organisations.
    public var patterns: Row
    /// Towns and street addresses as one kind, as the evaluator of presidio-research has them (its `presidio_entities_map` calls `CITY`,
    /// `ADDRESS` and `STREET_ADDRESS` `LOCATION`).
    public var places: Row { (rows[.location] ?? .init()) + (rows[.streetAddress] ?? .init()) }
    /// Marked kinds that are not sought: count, and how many of the spans are removed all the same.
    public var notSought: [String: (marked: Int, removed: Int)]
    public var misses: [Miss]
    public var texts: Int
    /// Findings that touch no marked span at all.
    public var alarms: Int

    /// Share of the marked spans of which something can still be read, under whatever kind the rest was found.
    public var leakRate: Double { overall.marked == 0 ? 0 : 1 - Double(overall.removed) / Double(overall.marked) }
    /// Findings that touch nothing marked, for each 100 texts.
    public var alarmsPerHundred: Double { texts == 0 ? 0 : 100 * Double(alarms) / Double(texts) }

    public static func == (a: DeidentificationScore, b: DeidentificationScore) -> Bool {
        a.rows == b.rows && a.overall == b.overall && a.misses == b.misses
            && a.notSought.mapValues { [$0.marked, $0.removed] } == b.notSought.mapValues { [$0.marked, $0.removed] }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(rows)
        hasher.combine(misses)
    }
}

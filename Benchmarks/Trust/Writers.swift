import Foundation
import Statistics
import Trust

/// Known bad writers of the self-dialogue corpus (status Rejected) found by how they write alone.
enum Writers {
    private struct Dialogue: Decodable {
        var writer: String
        var status: String
        var turns: [String]
    }

    static func run(_ options: Options) throws {
        let file = URL(filePath: try options.text("data")).appending(path: "dialogue/self_dialogue.jsonl")
        var texts: [String: [[String]]] = [:]
        var rejected: [String: Int] = [:]
        let decoder = JSONDecoder()
        for line in try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")) {
            let dialogue = try decoder.decode(Dialogue.self, from: line)
            texts[dialogue.writer, default: []].append(dialogue.turns)
            if dialogue.status == "Rejected" { rejected[dialogue.writer, default: 0] += 1 }
        }
        let writers = texts.keys.sorted()
        let habits = try WritingHabits(writers.map { texts[$0] ?? [] })
        let learnt = try scores(habits, writers.map { rejected[$0] != nil })
        var rows = [["writers with", "bad writers", "oddity, nothing learnt", "held-out regression"]]
        let rules: [(String, (String) -> Bool)] = [
            ("a rejected dialogue", { rejected[$0] != nil }),
            ("half or more rejected", { 2 * (rejected[$0] ?? 0) >= (texts[$0]?.count ?? 0) }),
        ]
        for (name, isBad) in rules {
            let labels = writers.map(isBad)
            rows.append(
                [name, "\(labels.count { $0 }) of \(labels.count)"]
                    + (try [habits.oddity, learnt].map { scores in
                        let area = try ROC.interval(scores: scores, labels: labels)
                        return "\(figure(area.estimate)) (\(figure(area.lower)) … \(figure(area.upper)))"
                    }))
        }
        print("ROC AUC of known bad writers by text alone")
        printTable(rows)
    }

    /// Held out by writer, six folds, three splits: a logistic regression on ranks of the habits and their squares, each class
    /// weighing the same.
    static func scores(_ habits: WritingHabits, _ labels: [Bool]) throws -> [Double] {
        let count = labels.count
        var columns: [[Double]] = []
        for column in 0..<habits.figures.columns {
            let values = (0..<count).map { Double(habits.figures[row: $0][habits.figures.columns * $0 + column]) }
            let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
            var scores = values
            var start = 0
            while start < count {
                var end = start
                while end < count, values[order[end]] == values[order[start]] { end += 1 }
                for place in start..<end {
                    scores[order[place]] = Normal.quantile(Double(start + end) / 2 / Double(count))
                }
                start = end
            }
            columns.append(scores)
            columns.append(scores.map { $0 * $0 })
        }
        let features = try Matrix((0..<count).map { row in columns.map { Float($0[row]) } })
        let positives = Double(labels.count { $0 })
        var total = [Double](repeating: 0, count: count)
        for split in 0..<3 {
            // Bad writers are few: they are dealt to the folds apart from the others.
            var generator = SeededGenerator(seed: UInt64(split)).fork("writers")
            var folds = [Int](repeating: 0, count: count)
            for label in [true, false] {
                let own = generator.shuffled(labels.indices.filter { labels[$0] == label })
                for (place, writer) in own.enumerated() { folds[writer] = place % 6 }
            }
            for fold in 0..<6 {
                let train = labels.indices.filter { folds[$0] != fold }
                let test = labels.indices.filter { folds[$0] == fold }
                let model = try LogisticRegression(
                    features.selecting(rows: train), labels: train.map { labels[$0] ? 1 : 0 },
                    weights: train.map {
                        labels[$0] ? Double(count) / 2 / positives : 0.5 * Double(count) / (Double(count) - positives)
                    },
                    options: .init(l2: 20))
                for (writer, margin) in zip(test, try model.margins(features.selecting(rows: test))) {
                    total[writer] += margin
                }
            }
        }
        return total
    }
}

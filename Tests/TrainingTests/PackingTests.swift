import Conversations
import Statistics
import Testing

@testable import Training

@Suite("Packing and batches of examples")
struct PackingTests {
    @Test("first fit decreasing, by hand")
    func byHand() throws {
        // 7 | 5 5 | 4 4 2 | 3: longest first, each into the first row of 10 with room.
        let lengths = [4, 5, 2, 7, 3, 5, 4]
        let rows = try Packing.rows(lengths: lengths, capacity: 10)
        #expect(rows == [[3, 4], [1, 5], [0, 6, 2]])
        #expect(Packing.fill(rows: rows, lengths: lengths, capacity: 10) == 1)
    }

    @Test("equal lengths keep their order, and a document that does not fit is named")
    func orderAndErrors() throws {
        #expect(try Packing.rows(lengths: [3, 3, 3], capacity: 6) == [[0, 1], [2]])
        #expect(try Packing.rows(lengths: [], capacity: 6) == [])
        #expect(throws: TrainingError(.data, "document 1 has 7 tokens, a row holds 1 to 6")) {
            try Packing.rows(lengths: [3, 7], capacity: 6)
        }
    }

    @Test("it is the plain algorithm, on random lengths")
    func random() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<20 {
            let lengths = (0..<200).map { _ in 1 + generator.index(below: 64) }
            var rows: [[Int]] = []
            var room: [Int] = []
            for document in lengths.indices.sorted(by: { (-lengths[$0], $0) < (-lengths[$1], $1) }) {
                if let row = room.firstIndex(where: { $0 >= lengths[document] }) {
                    rows[row].append(document)
                    room[row] -= lengths[document]
                } else {
                    rows.append([document])
                    room.append(64 - lengths[document])
                }
            }
            #expect(try Packing.rows(lengths: lengths, capacity: 64) == rows)
        }
    }

    private func documents(_ labels: [TokenLabel]) throws -> [TokenizedExample] {
        try labels.enumerated().map { index, label in
            try TokenizedExample(ids: [1, Int32(index + 2), 0], labels: [.ignored, label, label])
        }
    }

    @Test("a balanced step has as many good as bad, and each side comes round before it repeats")
    func balanced() throws {
        let examples = try documents([TokenLabel](repeating: .good, count: 9) + [.bad, .bad, .bad])
        var sampler = try BalancedSampler(examples, rowLength: 8, goodPerStep: 3, badPerStep: 3, seed: 4)
        var good: [Int] = []
        for step in 0..<3 {
            let chosen = try sampler.rows(step: step).flatMap { $0 }
            #expect(chosen.count == 6)
            #expect(Set(chosen.filter { $0 >= 9 }) == [9, 10, 11])
            good += chosen.filter { $0 < 9 }
        }
        #expect(good.sorted() == Array(0..<9))
        #expect(sampler.epochs(after: 3) == 3)
        // Any step on its own gives the same batch: nothing but the seed and the number decides.
        var fresh = try BalancedSampler(examples, rowLength: 8, goodPerStep: 3, badPerStep: 3, seed: 4)
        let second = try sampler.rows(step: 1)
        #expect(try fresh.rows(step: 1) == second)
        var other = try BalancedSampler(examples, rowLength: 8, goodPerStep: 3, badPerStep: 3, seed: 5)
        #expect(try other.rows(step: 1) != second)
    }

    @Test("a side without examples is an error that says so")
    func oneSide() throws {
        let examples = try documents([.good, .good])
        #expect(throws: TrainingError(.data, "1 bad examples per step are asked for, there are none")) {
            try BalancedSampler(examples, rowLength: 8, goodPerStep: 1, badPerStep: 1, seed: 0)
        }
        #expect(throws: TrainingError.self) { try PackedSource([], rowLength: 8, rowsPerStep: 1, seed: 0) }
    }

    @Test("a packed source passes over every row before it repeats one")
    func packed() throws {
        let examples = try documents([TokenLabel](repeating: .good, count: 10))
        var source = try PackedSource(examples, rowLength: 6, rowsPerStep: 2, seed: 1)
        #expect(source.packedRows.count == 5)
        #expect(source.stepsPerEpoch == 3)
        let order = (0..<5).flatMap { source.rows(step: $0) }
        #expect(Set(order[0..<5].flatMap { $0 }) == Set(0..<10))
        #expect(Set(order[5..<10].flatMap { $0 }) == Set(0..<10))
        #expect(Array(order[0..<5]) != Array(order[5..<10]))
        #expect(source.epochs(after: 5) == 2)
    }

    @Test("copies of a good reply are capped, bad ones are not; both sides are made even")
    func round() throws {
        func example(_ reply: String, _ label: Example.Label) -> Example {
            Example(context: [], reply: reply, label: label)
        }
        let examples =
            (0..<4).map { _ in example("yes", .good) } + (0..<3).map { _ in example("no", .bad) } + [
                example("well", .good)
            ]
        let capped = CRINGERound.capCopies(examples)
        #expect(capped.map(\.reply) == ["yes", "yes", "no", "no", "no", "well"])
        var generator = SeededGenerator(seed: 0)
        let even = CRINGERound.balance(Array(capped.prefix(4)), using: &generator)
        #expect(even.count { $0.label == .good } == 2)
        #expect(even.count { $0.label == .bad } == 2)
        let scored = try CRINGERound.label(
            [([], "a"), ([], "b"), ([], "c"), ([], "d")], scores: [0.9, 0.2, 0.6, 0.55], goodShare: 0.5, badShare: 0.5)
        #expect(scored.map(\.reply) == ["a", "b", "c"])
        #expect(scored.map(\.label) == [.good, .bad, .good])
    }

    @Test("Several replies to one history are labelled against each other, where the scorer is sure that they differ")
    func comparison() throws {
        let context = [Turn(.human, "You are slow.")]
        func labels(_ replies: [String], _ scores: [Double]) throws -> [String] {
            try CRINGERound.compare([(context: context, replies: replies)], scores: [scores])
                .map { "\($0.label == .good ? "+" : "-")\($0.reply)" }
        }
        #expect(try labels(["a", "b", "c"], [0.42, 0.66, 0.2]) == ["+b", "-c"])
        // Too close, none good, none bad, nothing but silence beside it.
        #expect(try labels(["a", "b"], [0.6, 0.45]).isEmpty)
        #expect(try labels(["a", "b"], [0.45, 0.1]).isEmpty)
        #expect(try labels(["a", "b"], [0.95, 0.6]).isEmpty)
        #expect(try labels(["a", " "], [0.9, 0.1]).isEmpty)
        // The first of equals.
        #expect(try labels(["a", "b", "c", "d"], [0.9, 0.9, 0.1, 0.1]) == ["+a", "-c"])
        #expect(throws: TrainingError.self) { try labels(["a", "b"], [0.9]) }
        #expect(throws: TrainingError.self) { try labels(["a", "b"], [0.9, .nan]) }
    }
}

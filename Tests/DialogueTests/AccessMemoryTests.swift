import Conversations
import Dialogue
import Foundation
import Testing

/// "Access memory" by nearness on a decision set of our own (`Scripts/fixtures/access_memory.py`).
@Suite("Memory: when to use it")
struct AccessMemoryTests {
    private struct Line: Decodable {
        var text: String
        var vector: Data
        var person: Int?
        var memory: Int?

        /// Little-endian float16.
        var numbers: [Float] {
            let bytes = Array(vector)
            return stride(from: 0, to: bytes.count - 1, by: 2).map {
                Self.float(UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
            }
        }

        static func float(_ half: UInt16) -> Float {
            let sign: Float = half & 0x8000 == 0 ? 1 : -1
            let exponent = Int(half >> 10 & 0x1F)
            let fraction = Float(half & 0x3FF) / 1024
            return exponent == 0
                ? sign * fraction * 0x1p-14
                : sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
        }
    }

    private struct DecisionSet: Decodable {
        var people: [[Line]]
        var cases: [Line]
    }

    @Test("precision and recall of the decision, and the right memory first")
    func decisionSet() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/access_memory.json")
        let set = try JSONDecoder().decode(DecisionSet.self, from: Data(contentsOf: file))
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        var counts = (hit: 0, alarm: 0, miss: 0, right: 0)
        for one in set.cases {
            let known = set.people[one.person ?? 0].enumerated().map { number, line in
                memory(line.text, id: "\(number)", vector: line.numbers)
            }
            let near = MemoryRecall().near(one.numbers, among: known, at: now)
            switch (one.memory, near.first) {
            case (.some(let wanted), .some(let found)):
                counts.hit += 1
                if found.id == "\(wanted)" { counts.right += 1 }
            case (.some, .none): counts.miss += 1
            case (.none, .some): counts.alarm += 1
            case (.none, .none): break
            }
        }
        let precision = Double(counts.hit) / Double(counts.hit + counts.alarm)
        let recall = Double(counts.hit) / Double(counts.hit + counts.miss)
        print(
            "access memory: \(set.cases.count) messages, precision \(precision), recall \(recall), right memory \(counts.right) of \(counts.hit)"
        )
        #expect(precision >= 0.85 && recall >= 0.8)
        #expect(Double(counts.right) / Double(counts.hit) >= 0.85)
    }
}

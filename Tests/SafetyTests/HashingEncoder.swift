import Conversations
import Foundation

/// A stand-in for the sentence encoder: each word adds to two places of the vector that its letters choose.
struct HashingEncoder: TextEncoder {
    var dimension = 48

    func encode(_ texts: [String]) async throws -> [[Float]] {
        texts.map { text in
            var vector = [Float](repeating: 0, count: dimension)
            vector[0] = 0.1
            for word in text.lowercased().split(whereSeparator: { !$0.isLetter }) {
                var hash: UInt64 = 14_695_981_039_346_656_037
                for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
                vector[Int(hash % UInt64(dimension))] += 1
                vector[Int((hash >> 32) % UInt64(dimension))] += hash & 1 == 0 ? 1 : -1
            }
            let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-6)
            return vector.map { $0 / length }
        }
    }
}

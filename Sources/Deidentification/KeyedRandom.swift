import Foundation
import Hashing

/// Numbers that depend on the key and on what is asked about, and on nothing else: HMAC-SHA256 (RFC 2104) of the scope and
/// the text, stretched by a counter. Without the key they can neither be repeated nor turned back.
struct KeyedRandom: RandomNumberGenerator {
    private let key: [UInt8]
    private let seed: [UInt8]
    private var counter: UInt64 = 0
    private var block: [UInt8] = []
    private var position = 0

    /// `parts` are told apart by their lengths, so that ("ab", "c") and ("a", "bc") differ.
    init(key: DeidentificationKey, _ parts: [[UInt8]]) {
        self.key = key.bytes
        var message: [UInt8] = []
        for part in parts {
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { message.append(contentsOf: $0) }
            message.append(contentsOf: part)
        }
        seed = message
    }

    mutating func next() -> UInt64 {
        if position + 8 > block.count {
            var message = seed
            withUnsafeBytes(of: counter.littleEndian) { message.append(contentsOf: $0) }
            counter += 1
            block = HMACSHA256.code(for: message, key: key)
            position = 0
        }
        var word: UInt64 = 0
        for byte in block[position..<position + 8] { word = word << 8 | UInt64(byte) }
        position += 8
        return word
    }

    /// Uniform in 0 ..< bound; the bias of the product is below 2⁻⁵⁰ for the small bounds used here. `bound` is positive.
    mutating func index(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(max(1, bound))).high)
    }

    /// The first bytes as hexadecimal digits.
    mutating func hex(_ digits: Int) -> String {
        var text = ""
        while text.utf8.count < digits {
            let word = String(next(), radix: 16)
            text += String(repeating: "0", count: 16 - word.utf8.count) + word
        }
        return String(text.prefix(digits))
    }
}

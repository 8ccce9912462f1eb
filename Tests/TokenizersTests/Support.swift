import Foundation
import Testing
import Tokenizers

/// The folder of the fixtures, which `Scripts/fixtures/tokenizer_ids.py` writes with the reference libraries.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

/// The encoder's tokenizer, which `make setup` installs.
let encoderTokenizer = fixtures.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".deps/encoder/tokenizer.json")

/// A text with the ids that the reference gives it.
struct Oracle: Decodable {
    var text: String
    var ids: [Int]

    static func read(_ name: String) throws -> [Oracle] {
        try JSONDecoder().decode([Oracle].self, from: Data(contentsOf: fixtures.appendingPathComponent(name)))
    }
}

/// Seeded random texts over all of Unicode.
struct RandomTexts {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64, below `bound`.
    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }

    private static let ranges: [ClosedRange<Int>] = [
        0x20...0x7E, 0x20...0x7E, 0...0x2FF, 0x300...0x36F, 0x370...0x1FFF, 0x2000...0x206F, 0x3040...0x30FF,
        0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xE000...0xFFFF, 0x1F300...0x1FAFF, 0x10000...0x10FFFF,
    ]

    mutating func next(length: Int) -> String {
        var text = ""
        for _ in 0..<below(length + 1) {
            let range = Self.ranges[below(Self.ranges.count)]
            if let scalar = Unicode.Scalar(UInt32(range.lowerBound + below(range.count))) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// A fresh folder for one test, removed afterwards.
func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("loam-tokenizers-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

/// Whether an error is of this kind and names this part.
func isFault(_ error: any Error, _ code: TokenizersError.Code, _ part: String) -> Bool {
    guard let error = error as? TokenizersError else { return false }
    return error.code == code && error.description.contains(part)
}

import Foundation
import ModelFormats
import Testing

/// Damaged files by the thousand: whatever is still accepted must describe ranges inside the file that cover it, and
/// nothing may crash or hang. LOAM_FUZZ_INPUTS=1000000 runs a million.
@Suite struct MutatedFileTests {
    static let inputs = ProcessInfo.processInfo.environment["LOAM_FUZZ_INPUTS"].flatMap(Int.init) ?? 50_000

    /// Files to start from: every type, two tensors, none, and many small tensors with metadata.
    static func seeds() throws -> [[UInt8]] {
        var files = [
            Array(try Data(contentsOf: fixtures.appendingPathComponent("kinds.safetensors"))),
            Array(try Data(contentsOf: fixtures.appendingPathComponent("sharded/model-00001-of-00002.safetensors"))),
        ]
        try withFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SafeTensorsWriter.write([], to: url)
            files.append(Array(try Data(contentsOf: url)))
            let many: [SafeTensorsWriter.Item] = (0..<12).map {
                ("layer.\($0)", $0 % 2 == 0 ? .uint8 : .int16, [$0], Data(count: $0 % 2 == 0 ? $0 : 2 * $0))
            }
            try SafeTensorsWriter.write(many, metadata: ["a": "b", "c": "\u{1F331}"], to: url)
            files.append(Array(try Data(contentsOf: url)))
        }
        return files
    }

    private func check(_ header: SafeTensorsHeader, size: Int) {
        var end = 0
        for name in header.names {
            guard let entry = header.entries[name] else {
                Issue.record("a name without an entry")
                continue
            }
            if entry.range.lowerBound != end || entry.dtype.byteCount(of: entry.shape) != entry.range.count {
                Issue.record("a wrong range was accepted: \(entry)")
            }
            end = entry.range.upperBound
        }
        if header.bufferStart + end != size || header.entries.count != header.names.count {
            Issue.record("the buffer is not covered")
        }
    }

    @Test("damaged headers end in an error or in ranges that cover the file")
    func headers() throws {
        var mutations = Mutations(seed: 7)
        var accepted = 0
        let seeds = try Self.seeds()
        let start = ContinuousClock.now
        for index in 0..<Self.inputs {
            let file = mutations.damage(seeds[index % seeds.count], with: seeds)
            do {
                let header = try file.withUnsafeBytes { try SafeTensorsHeader($0, fileSize: file.count, file: "x") }
                accepted += 1
                check(header, size: file.count)
            } catch let error as ModelFormatsError {
                if error.code != .malformed || error.message.isEmpty { Issue.record("an odd error: \(error)") }
            }
        }
        // The damage must neither be so mild that all pass nor so wild that the checks after parsing are never reached.
        #expect(accepted > Self.inputs / 100 && accepted < Self.inputs * 8 / 10, "accepted \(accepted)")
        if Self.inputs > 50_000 {
            print("\(Self.inputs) headers, \(accepted) accepted, \(ContinuousClock.now - start)")
        }
    }

    @Test("damaged files on disk, mapped and read to the last byte")
    func files() throws {
        var mutations = Mutations(seed: 8)
        let seeds = try Self.seeds()
        try withFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            for index in 0..<Self.inputs / 50 {
                try Data(mutations.damage(seeds[index % seeds.count], with: seeds)).write(to: url)
                guard let weights = try? ModelWeights(file: url) else { continue }
                for name in weights.names {
                    let length = try weights.withBytes(of: name) { bytes in
                        _ = bytes.reduce(0 as UInt8) { $0 ^ $1 }
                        return bytes.count
                    }
                    if length != weights.entry(name)?.range.count { Issue.record("another length than the entry's") }
                }
            }
        }
    }

    @Test("damaged indexes and configurations end in an error that names the file")
    func json() throws {
        var mutations = Mutations(seed: 9)
        let index = Array(
            try Data(contentsOf: fixtures.appendingPathComponent("sharded/model.safetensors.index.json")))
        let generation = Array(#"{"eos_token_id": [2, 5], "top_p": 0.9, "stop_strings": ["a", "b"]}"#.utf8)
        try withFolder { url in
            let folder = try ModelFolder(url)
            for name in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] {
                try FileManager.default.copyItem(
                    at: fixtures.appendingPathComponent("sharded/" + name), to: folder.file(name))
            }
            for _ in 0..<Self.inputs / 100 {
                try Data(mutations.damage(index, with: [index])).write(to: folder.file("model.safetensors.index.json"))
                try Data(mutations.damage(generation, with: [index])).write(to: folder.file("generation_config.json"))
                for read in [{ _ = try folder.weights() }, { _ = try folder.generationConfiguration() }] {
                    do {
                        try read()
                    } catch let error as ModelFormatsError {
                        if !error.description.hasPrefix(url.path) { Issue.record("no file in: \(error)") }
                    }
                }
            }
        }
    }

    @Test("nesting without end is refused", arguments: ["[", "{\"a\":", "{\"__metadata__\":{\"a\":"])
    func nesting(_ part: String) throws {
        let head = Array(String(repeating: part, count: 1_000_000 / part.utf8.count).utf8)
        let file = withUnsafeBytes(of: UInt64(head.count).littleEndian) { Array($0) } + head
        #expect(throws: ModelFormatsError.self) {
            try file.withUnsafeBytes { try SafeTensorsHeader($0, fileSize: file.count, file: "x") }
        }
        try withFolder { url in
            let folder = try ModelFolder(url)
            try Data(head).write(to: folder.file("config.json"))
            #expect(throws: ModelFormatsError.self) { try folder.modelType() }
        }
    }
}

/// Seeded damage to a file: flipped bits, replaced digits, cut, doubled or foreign parts, numbers and words that lie.
struct Mutations {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

    private static let words: [[UInt8]] = [
        "18446744073709551616", "9223372036854775807", "4294967296", "-1", "0", "1e9", "null", "[]", "[[[[[[", "{{{{",
        "\"F64\"", "\"BOOL\"", "\"F4\"", "__metadata__", "\"shape\":[1],", "\"data_offsets\":[0,0]", "\\ud800",
        "\\u0000",
        ",", "}", "]", "\"",
    ].map { Array($0.utf8) }

    mutating func damage(_ good: [UInt8], with others: [[UInt8]]) -> [UInt8] {
        var file = good
        for _ in 0...below(3) where !file.isEmpty {
            let place = below(file.count)
            switch below(9) {
            case 0: file[place] ^= 1 << UInt8(below(8))
            case 1: file[place] = UInt8(truncatingIfNeeded: next())
            case 2:  // another digit where one stands: the JSON stays well-formed, the numbers lie
                let digits = file.indices.filter { (0x30...0x39).contains(file[$0]) }
                if let spot = digits.isEmpty ? nil : digits[below(digits.count)] {
                    file[spot] = 0x30 + UInt8(below(10))
                }
            case 3: file.removeSubrange(place..<min(place + 1 + below(16), file.count))
            case 4:
                let part = file[place..<min(place + 1 + below(16), file.count)]
                file.insert(contentsOf: Array(part), at: below(file.count))
            case 5: file[below(min(8, file.count))] = UInt8(truncatingIfNeeded: next())
            case 6:  // a word put into the header, whose length is made to fit
                let word = Self.words[below(Self.words.count)]
                guard file.count > 8 else { continue }
                let length = file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
                let end = 8 + Int(min(length, UInt64(file.count - 8)))
                file.insert(contentsOf: word, at: 8 + below(end - 8))
                withUnsafeBytes(of: (length &+ UInt64(word.count)).littleEndian) {
                    file.replaceSubrange(0..<8, with: Array($0))
                }
            case 7:  // a word over what stands there
                let word = Self.words[below(Self.words.count)]
                let end = min(place + word.count, file.count)
                file.replaceSubrange(place..<end, with: word.prefix(end - place))
            default:  // the tail of another file
                let other = others[below(others.count)]
                file.replaceSubrange(place..., with: other[below(other.count)...])
            }
        }
        return file
    }
}

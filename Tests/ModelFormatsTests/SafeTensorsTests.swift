import Foundation
import ModelFormats
import Testing

/// The folder of the fixtures, which `Scripts/fixtures/model_formats.py` writes with the reference library.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

/// A fresh folder for one test, removed afterwards.
func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("loam-formats-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

/// Numbers of one kind as little-endian bytes.
func bytes<T: FixedWidthInteger>(_ values: [T]) -> Data {
    values.reduce(into: Data()) { data, value in withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
}

let oddName = "wörter \"x\" \\ \n\u{1}"

@Suite struct SafeTensorsTests {
    /// What the script put into `kinds.safetensors`, as bytes worked out by hand.
    let kinds: [SafeTensorsWriter.Item] = [
        ("b.weight", .float32, [2, 3], bytes([0, 0.25, 0.5, 0.75, 1, 1.25].map { Float($0).bitPattern })),
        ("a.bias", .bfloat16, [3], bytes([0x3FC0, 0xC000, 0x4050] as [UInt16])),
        ("ids", .int64, [2, 2], bytes([1, -2, 3, 1 << 40] as [Int64])),
        ("mask", .bool, [3], Data([1, 0, 1])),
        ("half", .float16, [2], bytes([0x3800, 0xB400] as [UInt16])),
        ("double", .float64, [], bytes([Double.pi.bitPattern])),
        ("small", .int8, [3], bytes([-1, 2, -3] as [Int8])),
        (oddName, .float32, [0, 4], Data()),
        ("bytes", .uint8, [3], Data([0, 128, 255])),
        ("int", .int32, [2], bytes([7, -7] as [Int32])),
        ("short", .int16, [1], bytes([300] as [Int16])),
    ]

    @Test func readsEveryKindThatTheReferenceWrites() throws {
        let file = try SafeTensorsFile(fixtures.appendingPathComponent("kinds.safetensors"))
        #expect(Set(file.names) == Set(kinds.map(\.name)))
        #expect(file.metadata == ["format": "pt"])
        for kind in kinds {
            let entry = try #require(file.entry(kind.name))
            #expect(entry.dtype == kind.dtype)
            #expect(entry.shape == kind.shape)
            #expect(try file.withBytes(of: kind.name) { Data($0) } == kind.bytes)
        }
        #expect(file.entry("nothing") == nil)
        #expect(throws: ModelFormatsError.self) { try file.withBytes(of: "nothing") { $0.count } }
    }

    @Test func writesWhatTheReferenceWritesByteForByte() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("out.safetensors")
            try SafeTensorsWriter.write(kinds.reversed(), to: url)
            #expect(try Data(contentsOf: url) == Data(contentsOf: fixtures.appendingPathComponent("kinds.safetensors")))
        }
    }

    @Test func replacesAFileWholeAndLeavesNothingBesideIt() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            try SafeTensorsWriter.write([("x", .uint8, [1], Data([1]))], metadata: ["step": "1\u{1F331}\n"], to: url)
            let old = try SafeTensorsFile(url)
            try SafeTensorsWriter.write([("x", .uint8, [2], Data([2, 3]))], to: url)
            // A reader that has the old file mapped still sees the old bytes.
            #expect(try old.withBytes(of: "x") { Array($0) } == [1])
            #expect(old.metadata == ["format": "pt", "step": "1\u{1F331}\n"])
            #expect(try SafeTensorsFile(url).withBytes(of: "x") { Array($0) } == [2, 3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
        }
    }

    @Test func refusesToWriteWhatDoesNotFit() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            let wrong: [[SafeTensorsWriter.Item]] = [
                [("x", .float32, [2], Data(count: 7))], [("x", .uint8, [-1], Data())],
                [("x", .uint8, [1], Data(count: 1)), ("x", .uint8, [1], Data(count: 1))],
                [("__metadata__", .uint8, [1], Data(count: 1))], [("x", .float32, [.max, .max], Data())],
            ]
            for tensors in wrong {
                #expect { try SafeTensorsWriter.write(tensors, to: url) } throws: { error in
                    (error as? ModelFormatsError)?.code == .argument
                }
            }
            #expect { try SafeTensorsWriter.write([], to: folder.appendingPathComponent("no/such/file")) } throws: {
                ($0 as? ModelFormatsError)?.code == .unwritable
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty)
        }
    }

    @Test func missingAndEmptyFilesAreErrorsWithTheFileName() throws {
        try withFolder { folder in
            let empty = folder.appendingPathComponent("empty.safetensors")
            try Data().write(to: empty)
            for (url, code) in [
                (empty, ModelFormatsError.Code.malformed), (folder, .unreadable),
                (folder.appendingPathComponent("absent"), .unreadable),
            ] {
                #expect { try SafeTensorsFile(url) } throws: { error in
                    guard let error = error as? ModelFormatsError else { return false }
                    return error.code == code && error.description.hasPrefix(url.path)
                }
            }
        }
    }
}

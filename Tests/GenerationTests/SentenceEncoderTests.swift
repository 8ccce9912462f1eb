import Foundation
import Generation
import LanguageModels
import ModelFormats
import Testing
import Torch

@Suite struct SentenceEncoderTests {
    /// The encoder that `make setup` installs.
    static let folder = fixtures.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".deps/encoder")

    func texts() throws -> [String] {
        try JSONDecoder().decode(
            [String].self, from: Data(contentsOf: fixtures.appendingPathComponent("sentences.json")))
    }

    func vectors() throws -> [[Float]] {
        let file = try SafeTensorsFile(fixtures.appendingPathComponent("sentences.safetensors"))
        let flat = try file.withBytes(of: "vectors") { bytes in
            (0..<(bytes.count / 4)).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        return (0..<(flat.count / 384)).map { Array(flat[($0 * 384)..<($0 * 384 + 384)]) }
    }

    @Test func vectorsEqualTheReference() async throws {
        let encoder = try SentenceEncoder(folder: Self.folder)
        #expect(encoder.dimension == 384)
        let (texts, expected) = (try texts(), try vectors())
        #expect(texts.count == 50 && expected.count == 50)
        let ours = try await encoder.encode(texts)
        for (index, (vector, reference)) in zip(ours, expected).enumerated() {
            let worst = zip(vector, reference).map { abs($0 - $1) }.max() ?? 1
            #expect(worst < 1e-4, "\(index): \(texts[index].prefix(40).debugDescription) is off by \(worst)")
        }
    }

    @Test func orderAndCompanyDoNotMatter() async throws {
        let encoder = try SentenceEncoder(folder: Self.folder, batchTokens: 40)
        let texts = ["bread", "", "I like the lake very much today", "bread", "hello there"]
        let together = try await encoder.encode(texts)
        #expect(together[0] == together[3])
        for (text, vector) in zip(texts, together) {
            let alone = try #require(try await encoder.encode([text]).first)
            #expect(zip(alone, vector).allSatisfy { abs($0 - $1) < 1e-5 })
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        }
        #expect(try await encoder.encode([]).isEmpty)
    }

    @Test func bfloat16IsClose() async throws {
        let half = try SentenceEncoder(folder: Self.folder, dtype: .bfloat16)
        let places = [2, 4, 5, 18, 43]
        let (texts, expected) = (try texts(), try vectors())
        for (place, vector) in zip(places, try await half.encode(places.map { texts[$0] })) {
            let cosine = zip(vector, expected[place]).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(cosine > 0.999 && cosine < 1.0001)
        }
    }

    /// A folder whose vectors are made in another way has vectors of the same width here, which would mean nothing.
    @Test(arguments: [
        (#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#, "[]", "pooling_mode_cls_token true"),
        (#"{"pooling_mode": "lasttoken"}"#, "[]", "pooling_mode “lasttoken”"),
        (#"{"pooling_mode_mean_tokens": false}"#, "[]", "pooling_mode_mean_tokens false"),
        (
            #"{"pooling_mode_mean_tokens": true}"#,
            #"[{"type": "sentence_transformers.models.Transformer", "path": ""}, {"type": "a.Dense", "path": "2_Dense"}]"#,
            "a.Dense"
        ),
    ])
    func anotherPoolingIsRefused(_ pooling: String, _ modules: String, _ part: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("loam-pooling-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("1_Pooling"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(pooling.utf8).write(to: folder.appendingPathComponent("1_Pooling/config.json"))
        try Data(modules.utf8).write(to: folder.appendingPathComponent("modules.json"))
        let error = #expect(throws: LanguageModelError.self) { try SentenceEncoder(folder: folder) }
        #expect(error?.code == .configuration && error?.description.contains(part) == true)
        #expect(error?.description.contains(folder.path) == true)
    }

    @Test func missingFolderIsAnError() {
        #expect(throws: (any Error).self) { try SentenceEncoder(folder: fixtures.appendingPathComponent("absent")) }
        #expect(throws: (any Error).self) { try SentenceEncoder(folder: TinyModel.folder) }
    }
}

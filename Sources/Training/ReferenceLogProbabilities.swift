import Conversations
import Foundation
import LanguageModels
import Torch

/// Log-probabilities of replies under the reference model, worked out once before training and kept in a file.
///
/// The file begins with what it belongs to (weights, documents, number type); a file of something else is begun anew, one
/// that was cut off is gone on with.
public struct ReferenceLogProbabilities: Sendable, Hashable {
    /// `log π_ref(y | x)` of each document, in nats.
    public let values: [Double]

    public init(values: [Double]) { self.values = values }

    private struct Head: Codable, Hashable {
        var model: String
        var data: String
        var count: Int
        var compute: TrainingOptions.ComputeType
    }

    /// Scores documents under a model as it is now.
    /// - Parameters:
    ///   - file: Where the numbers are kept; `nil` keeps nothing.
    ///   - block: Documents that are scored, and written, at a time.
    ///   - onProgress: Called with the number of documents done.
    /// - Throws: `TrainingError` `file` when it cannot be written.
    public init(
        of documents: [TokenizedExample], model: any LanguageModels.Decoder, file: URL? = nil, block: Int = 512,
        compute: TrainingOptions.ComputeType = .fastest(), onProgress: (Int) -> Void = { _ in }
    ) throws {
        let head = Head(
            model: try Self.fingerprint(of: model), data: CheckpointIdentity.fingerprint(documents),
            count: documents.count, compute: compute)
        var values = try file.map { try Self.begin($0, head: head) } ?? []
        let scorer = ReplyScorer(model: model, compute: compute)
        while values.count < documents.count {
            let part = Array(documents[values.count..<min(values.count + max(1, block), documents.count)])
            let found = try scorer.scores(part).map(\.logProbability)
            if let odd = found.firstIndex(where: { !$0.isFinite }) {
                throw TrainingError(
                    .data, "document \(values.count + odd) has no finite log-probability under the reference model")
            }
            if let file { try Self.append(found, to: file) }
            values += found
            onProgress(values.count)
        }
        self.values = values
    }

    /// A stable hash of all weights by their sums: cheap for large models, and another for any that learned a step.
    private static func fingerprint(of model: any LanguageModels.Decoder) throws -> String {
        var hash = StableHash(salt: "reference-model")
        for (name, parameter) in model.namedParameters {
            hash.add(name)
            for number in try withoutGradients({
                let wide = try parameter.value.to(.float64)
                return [try wide.sum().item(), try wide.square().sum().item()]
            }) {
                withUnsafeBytes(of: number.bitPattern.littleEndian) { hash.add($0) }
            }
        }
        return String(hash.value, radix: 16)
    }

    /// The values that a file already holds, once what a kill left half written is cut off; a new file where it is of
    /// something else.
    private static func begin(_ url: URL, head: Head) throws -> [Double] {
        let decoder = JSONDecoder()
        var values: [Double] = []
        var kept = Data()
        if let old = try? Data(contentsOf: url) {
            let isWhole = old.last == UInt8(ascii: "\n")
            var lines = old.split(separator: UInt8(ascii: "\n"))
            if !isWhole { lines = lines.dropLast() }
            if let first = lines.first, (try? decoder.decode(Head.self, from: Data(first))) == head {
                kept = Data(first) + Data("\n".utf8)
                for line in lines.dropFirst() {
                    guard let part = try? decoder.decode([Double].self, from: Data(line)),
                        values.count + part.count <= head.count
                    else { break }
                    values += part
                    kept += Data(line) + Data("\n".utf8)
                }
            }
        }
        if kept.isEmpty { kept = try JSONEncoder().encode(head) + Data("\n".utf8) }
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try kept.write(to: url, options: .atomic)
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error.localizedDescription)")
        }
        return values
    }

    private static func append(_ values: [Double], to url: URL) throws {
        do {
            let handle = try FileHandle(forWritingTo: url)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: JSONEncoder().encode(values) + Data("\n".utf8))
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error.localizedDescription)")
        }
    }
}

import Conversations
import Foundation
import ModelFormats
import Statistics

/// A reward model on disk: `config.json` says everything but the coefficients, `model.safetensors` holds those in float64.
extension RewardModel {
    private static let kind = "loam-reward"

    private struct Configuration: Codable {
        var modelType: String
        var features: RewardFeatures
        /// Names of the plain facts in the order of their coefficients.
        var facts: [String]
        var encoder: String
        var l2: Double
        var slope: Double
        var offset: Double
        var fit: LogisticRegression.Fit
        var reasons: [Reason]
        var rudeness: Reason?
        var training: Training

        struct Reason: Codable {
            var reason: DislikeReason
            var count: Int
            var share: Double?
            var fit: LogisticRegression.Fit

            init(_ head: ReasonHead) {
                (reason, count, share, fit) = (head.reason, head.count, head.share, head.head.fit)
            }
        }

        enum CodingKeys: String, CodingKey {
            case features, facts, encoder, l2, slope, offset, fit, reasons, rudeness, training
            case modelType = "model_type"
        }
    }

    private static let weightsName = "model.safetensors"

    /// Writes the folder; each file whole or not at all, `config.json` last.
    public func save(to url: URL) throws {
        let folder = try ModelFolder.create(at: url)
        var items: [SafeTensorsWriter.Item] = [Self.item("head", head)]
        items += reasons.map { Self.item("reasons.\($0.reason.rawValue)", $0.head) }
        if let rudeness { items.append(Self.item("rudeness", rudeness.head)) }
        try SafeTensorsWriter.write(items, metadata: ["kind": Self.kind], to: folder.file(Self.weightsName))
        try folder.encode(
            Configuration(
                modelType: Self.kind, features: features, facts: OverlapFeatures.names, encoder: encoder, l2: l2,
                slope: slope, offset: offset, fit: head.fit,
                reasons: reasons.map(Configuration.Reason.init), rudeness: rudeness.map(Configuration.Reason.init),
                training: training),
            to: "config.json")
    }

    /// Reads a folder.
    /// - Throws: `TrainingError` when it is of another kind or version; `ModelFormatsError` when a file is broken.
    public init(folder url: URL) throws {
        let folder = try ModelFolder(url)
        let configuration = try folder.configuration(Configuration.self)
        guard configuration.modelType == Self.kind else {
            throw TrainingError(.checkpoint, "\(url.path) holds a \(configuration.modelType), not a reward model")
        }
        guard configuration.facts == OverlapFeatures.names else {
            throw TrainingError(.checkpoint, "\(url.path) was learned from other facts than this version computes")
        }
        let file = try SafeTensorsFile(folder.file(Self.weightsName))
        func head(_ name: String, _ fit: LogisticRegression.Fit) throws -> LogisticRegression {
            guard let entry = file.entry(name), entry.dtype == .float64,
                entry.shape == [configuration.features.count + 1]
            else {
                throw TrainingError(.checkpoint, "\(file.url.path): \(name) is missing or of another shape")
            }
            let values = try file.withBytes(of: name) { bytes in
                (0..<configuration.features.count + 1).map {
                    Double(
                        bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)))
                }
            }
            return LogisticRegression(coefficients: Array(values.dropLast()), bias: values[values.count - 1], fit: fit)
        }
        func reason(_ name: String, _ kept: Configuration.Reason) throws -> ReasonHead {
            ReasonHead(reason: kept.reason, head: try head(name, kept.fit), count: kept.count, share: kept.share)
        }
        self.init(
            features: configuration.features, encoder: configuration.encoder, head: try head("head", configuration.fit),
            l2: configuration.l2, slope: configuration.slope, offset: configuration.offset,
            reasons: try configuration.reasons.map { try reason("reasons.\($0.reason.rawValue)", $0) },
            rudeness: try configuration.rudeness.map { try reason("rudeness", $0) }, training: configuration.training)
    }

    /// Coefficients followed by the bias.
    private static func item(_ name: String, _ head: LogisticRegression) -> SafeTensorsWriter.Item {
        let values = head.coefficients + [head.bias]
        var bytes = Data(capacity: values.count * 8)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        return (name: name, dtype: .float64, shape: [values.count], bytes: bytes)
    }
}

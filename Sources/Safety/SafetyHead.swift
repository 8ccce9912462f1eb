import Foundation
import Statistics

/// Logistic regression on the vectors of a frozen text encoder: the probability that a text is unsafe.
public struct SafetyHead: Sendable, Hashable, Codable {
    /// What the head looks at.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// A reply after the last human turn: their vectors, product and absolute difference (4 × dimension numbers).
        case reply
        /// One text alone (dimension numbers).
        case person
    }

    public let kind: Kind
    /// Length of the encoder's vectors.
    public let dimension: Int
    /// One per feature.
    public let weights: [Float]
    public let bias: Float
    /// From this probability up a text counts as unsafe.
    public var threshold: Double
    /// The data sets it was trained on.
    public let trainedOn: [String]

    /// - Throws: `SafetyError` when the number of weights does not fit the kind and the dimension.
    public init(
        kind: Kind, dimension: Int, weights: [Float], bias: Float, threshold: Double, trainedOn: [String]
    ) throws {
        let expected = Self.featureCount(kind, dimension: dimension)
        guard dimension > 0, weights.count == expected else {
            throw SafetyError(
                .shape,
                "a \(kind.rawValue) head of dimension \(dimension) has \(expected) weights, not \(weights.count)")
        }
        guard weights.allSatisfy(\.isFinite), bias.isFinite, threshold >= 0, threshold <= 1 else {
            throw SafetyError(.shape, "a \(kind.rawValue) head holds a number that is not finite or out of range")
        }
        self.kind = kind
        self.dimension = dimension
        self.weights = weights
        self.bias = bias
        self.threshold = threshold
        self.trainedOn = trainedOn
    }

    /// Reads a head written by `write(to:)`.
    /// - Throws: `SafetyError` naming the file.
    public init(contentsOf url: URL) throws {
        do {
            self = try JSONDecoder().decode(SafetyHead.self, from: Data(contentsOf: url))
        } catch {
            throw SafetyError(.file, "\(url.path): no safety head can be read: \(error)")
        }
    }

    /// Writes the head as JSON, its weights as base64 of little-endian float32.
    public func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: url, options: .atomic)
    }

    /// Features of a kind for vectors of a dimension.
    public static func featureCount(_ kind: Kind, dimension: Int) -> Int {
        switch kind {
        case .reply: 4 * dimension
        case .person: dimension
        }
    }

    /// The features of one example (as for sentence pairs: Conneau et al. 2017). `turn` is the vector of the last human
    /// turn, `nil` where there is none: then only the text's own features are not zero. A person head does not look at it.
    public static func features(_ kind: Kind, text: [Float], turn: [Float]?) -> [Float] {
        guard kind == .reply else { return text }
        guard let turn else { return text + [Float](repeating: 0, count: 3 * text.count) }
        return text + turn + zip(text, turn).map { $0 * $1 } + zip(text, turn).map { abs($0 - $1) }
    }

    /// Probability that a text is unsafe.
    /// - Throws: `SafetyError` when the vectors are not of the head's dimension.
    public func probability(text: [Float], turn: [Float]?) throws -> Double {
        guard text.count == dimension, turn.map({ $0.count == dimension }) ?? true else {
            throw SafetyError(
                .shape, "the safety head wants vectors of \(dimension) numbers, the encoder gave \(text.count)")
        }
        var margin = Double(bias)
        for (weight, feature) in zip(weights, Self.features(kind, text: text, turn: turn)) {
            margin += Double(weight) * Double(feature)
        }
        return LogisticRegression.sigmoid(margin)
    }

    enum CodingKeys: String, CodingKey {
        case kind, dimension, weights, bias, threshold
        case trainedOn = "trained_on"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let bytes = try fields.decode(Data.self, forKey: .weights)
        guard bytes.count % 4 == 0 else {
            throw SafetyError(.file, "field weights: \(bytes.count) bytes are no whole number of float32")
        }
        let weights = stride(from: 0, to: bytes.count, by: 4).map { start in
            let bits = (0..<4).reduce(UInt32(0)) {
                $0 | UInt32(bytes[bytes.startIndex + start + $1]) << (8 * UInt32($1))
            }
            return Float(bitPattern: bits)
        }
        let dimension = try fields.decode(Int.self, forKey: .dimension)
        guard (1...1_000_000).contains(dimension) else {
            throw SafetyError(.shape, "field dimension: \(dimension) is out of range")
        }
        try self.init(
            kind: fields.decode(Kind.self, forKey: .kind), dimension: dimension, weights: weights,
            bias: fields.decode(Float.self, forKey: .bias), threshold: fields.decode(Double.self, forKey: .threshold),
            trainedOn: fields.decode([String].self, forKey: .trainedOn))
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        let bytes = Data(
            weights.flatMap { weight in (0..<4).map { UInt8(truncatingIfNeeded: weight.bitPattern >> (8 * $0)) } })
        try fields.encode(kind, forKey: .kind)
        try fields.encode(dimension, forKey: .dimension)
        try fields.encode(bytes, forKey: .weights)
        try fields.encode(bias, forKey: .bias)
        try fields.encode(threshold, forKey: .threshold)
        try fields.encode(trainedOn, forKey: .trainedOn)
    }
}

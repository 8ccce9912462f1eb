import Foundation

/// How rotary positions turn (Su et al. 2021, arXiv 2104.09864): the base, and how it is stretched for long contexts.
///
/// Read in both spellings: `rope_theta` with `rope_scaling`, and `rope_parameters` as transformers 5 writes it. Written
/// in the new one, with `rope_theta` beside it for older readers.
public struct RotaryPositions: Sendable, Hashable {
    public var theta: Double
    public var scaling: Scaling

    /// Ways to stretch the angles.
    public enum Scaling: Sendable, Hashable {
        case none
        /// Every angle divided by `factor` (Chen et al. 2023, arXiv 2306.15595).
        case linear(factor: Double)
        /// The base grows once a row is longer than `max_position_embeddings` ("NTK-aware"); within it nothing changes.
        /// Keys in a cache keep the base of their own step, so past the context a cache gives other numbers than none.
        case dynamic(factor: Double)
        /// Llama 3.1's: long waves divided by `factor`, short ones kept, a smooth passage between (arXiv 2407.21783).
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalContext: Int)
    }

    public init(theta: Double = 10_000, scaling: Scaling = .none) {
        self.theta = theta
        self.scaling = scaling
    }

    /// Angle per position of each pair, fastest first.
    /// - Parameter dimension: the head's size D; D / 2 numbers come back.
    func frequencies(dimension: Int) -> [Double] {
        let plain = (0..<dimension / 2).map { pow(theta, -Double(2 * $0) / Double(dimension)) }
        switch scaling {
        case .none, .dynamic: return plain
        case .linear(let factor): return plain.map { $0 / factor }
        case .llama3(let factor, let low, let high, let original):
            return plain.map { frequency in
                let turns = Double(original) * frequency / (2 * .pi)
                if turns > high { return frequency }
                if turns < low { return frequency / factor }
                let smooth = (turns - low) / (high - low)
                return (1 - smooth) * frequency / factor + smooth * frequency
            }
        }
    }

    func validate(headDimension: Int) throws {
        func fault(_ what: String) -> LanguageModelError { .init(.configuration, "config.json: \(what)") }
        guard theta.isFinite, theta > 0 else { throw fault("rope_theta is \(theta)") }
        switch scaling {
        case .none: break
        case .linear(let factor), .dynamic(let factor), .llama3(let factor, _, _, _):
            guard factor.isFinite, factor > 0 else { throw fault("rope_parameters.factor is \(factor)") }
        }
        if case .dynamic = scaling, headDimension < 4 {
            throw fault("rope_type “dynamic” needs a head_dim of 4 or more, it is \(headDimension)")
        }
        if case .llama3(_, let low, let high, let original) = scaling {
            guard low.isFinite, high.isFinite, low > 0, high > low else {
                throw fault("rope_parameters.low_freq_factor is \(low) and high_freq_factor \(high)")
            }
            guard (1...1 << 24).contains(original) else {
                throw fault("rope_parameters.original_max_position_embeddings is \(original)")
            }
        }
    }
}

extension RotaryPositions {
    /// - Parameter contextLength: `max_position_embeddings`, which llama3's scaling falls back on.
    init(_ fields: ConfigurationFields, contextLength: Int) throws {
        let theta: Double? = try fields.optional("rope_theta")
        let original: Int? = try fields.optional("original_max_position_embeddings")
        let spellings = try ["rope_scaling", "rope_parameters"].compactMap { name in
            try fields.nested(name).flatMap { rope in
                rope.names.isEmpty
                    ? nil : try Self(rope: rope, theta: theta, originalContext: original, contextLength: contextLength)
            }
        }
        if spellings.count == 2, spellings[0] != spellings[1] {
            throw LanguageModelError(.configuration, "config.json: rope_scaling and rope_parameters disagree")
        }
        self = spellings.first ?? RotaryPositions(theta: theta ?? 10_000)
    }

    private init(rope: ConfigurationFields, theta: Double?, originalContext: Int?, contextLength: Int) throws {
        let theta = try rope.optional("rope_theta") ?? theta ?? 10_000
        let type: String = try rope.optional("rope_type") ?? rope.optional("type") ?? "default"
        var known: Set = ["rope_type", "type", "rope_theta", "partial_rotary_factor"]
        switch type {
        case "default": self.init(theta: theta)
        case "linear":
            self.init(theta: theta, scaling: .linear(factor: try rope.required("factor")))
            known.insert("factor")
        case "dynamic":
            self.init(theta: theta, scaling: .dynamic(factor: try rope.required("factor")))
            known.insert("factor")
        case "llama3":
            let own: Int? = try rope.optional("original_max_position_embeddings")
            self.init(
                theta: theta,
                scaling: .llama3(
                    factor: try rope.required("factor"), lowFrequency: try rope.required("low_freq_factor"),
                    highFrequency: try rope.required("high_freq_factor"),
                    originalContext: originalContext ?? own ?? contextLength))
            known.formUnion(
                ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"])
        default: throw rope.unsupported("rope_type", "“\(type)”")
        }
        try rope.refuse("partial_rotary_factor", except: .number(1))
        // A field that this type does not know means another rotation than the one done here.
        for name in rope.names where !known.contains(name) { try rope.refuse(name) }
    }

    func write(to writer: inout ConfigurationWriter) throws {
        try writer.write("rope_theta", theta)
        var rope = writer.nested("rope_parameters")
        try rope.write("rope_theta", theta)
        switch scaling {
        case .none: try rope.write("rope_type", "default")
        case .linear(let factor):
            try rope.write("rope_type", "linear")
            try rope.write("factor", factor)
        case .dynamic(let factor):
            try rope.write("rope_type", "dynamic")
            try rope.write("factor", factor)
        case .llama3(let factor, let low, let high, let original):
            try rope.write("rope_type", "llama3")
            try rope.write("factor", factor)
            try rope.write("low_freq_factor", low)
            try rope.write("high_freq_factor", high)
            try rope.write("original_max_position_embeddings", original)
        }
    }
}

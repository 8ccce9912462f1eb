import Torch

/// Matrices that multiply the same input: queries, keys and values, or gate and up.
///
/// They learn, and stand in files, one by one. Packed they stand one below the other and are one product, whose input is read
/// once.
struct JoinedLinear: Sendable {
    private enum Storage: Sendable {
        case apart([Linear])
        case joined(Linear, biases: [Parameter?])
    }

    private var storage: Storage
    /// Outputs of each.
    let widths: [Int]

    init(_ parts: [Linear], widths: [Int]) {
        storage = .apart(parts)
        self.widths = widths
    }

    /// One that was packed before.
    init(packed: PackedWeight, biases: [Parameter?], widths: [Int]) throws {
        storage = .joined(Linear(packed: packed, bias: try Self.joined(biases, widths)), biases: biases)
        self.widths = widths
    }

    /// Each part's product with [..., in].
    func callAsFunction(_ x: Tensor) throws -> [Tensor] {
        switch storage {
        case .apart(let parts): return try parts.map { try $0(x) }
        case .joined(let whole, _):
            let all = try whole(x)
            var start = 0
            return try widths.map { width in
                defer { start += width }
                return try all.narrow(dim: -1, start: start, length: width).contiguous()
            }
        }
    }

    /// The one matrix that they are once packed.
    var joined: Linear? {
        guard case .joined(let whole, _) = storage else { return nil }
        return whole
    }

    /// The same packed into one.
    func packed(_ bits: PackedWeight.Bits) throws -> JoinedLinear {
        guard case .apart(let parts) = storage else { return self }
        let weights = try parts.map { part in
            guard let weight = part.weight else {
                throw LanguageModelError(
                    .input, "a matrix was replaced by a packed one: pack the model as it was loaded")
            }
            return weight.value
        }
        return try JoinedLinear(
            packed: withoutGradients { try PackedWeight(Tensor.cat(weights, dim: 0), bits: bits) },
            biases: parts.map(\.bias), widths: widths)
    }

    /// Puts another in the place of each part.
    mutating func replace(_ names: [String], _ change: (String, Linear) throws -> Linear) throws {
        guard case .apart(let parts) = storage else {
            throw LanguageModelError(
                .input, "\(names[0]) is packed together with others: merge the adapter, then pack the model")
        }
        storage = .apart(try zip(names, parts).map { try change($0, $1) })
    }

    /// The matrices as they are held: each by its name, or the one by theirs together.
    func matrices(_ names: [String], together: String) -> [(name: String, matrix: Linear)] {
        switch storage {
        case .apart(let parts): zip(names, parts).map { (name: $0, matrix: $1) }
        case .joined(let whole, _): [(together, whole)]
        }
    }

    /// Parameters under checkpoint names.
    func named(_ names: [String]) -> [(name: String, parameter: Parameter)] {
        switch storage {
        case .apart(let parts): zip(names, parts).flatMap { $1.named($0) }
        case .joined(_, let biases): zip(names, biases).compactMap { name, bias in bias.map { (name + ".bias", $0) } }
        }
    }

    /// Biases one behind the other, nought where a part has none.
    private static func joined(_ biases: [Parameter?], _ widths: [Int]) throws -> Parameter? {
        guard let some = biases.lazy.compactMap({ $0 }).first else { return nil }
        let (type, device) = (some.value.dtype, some.value.device)
        return Parameter(
            try withoutGradients {
                try Tensor.cat(
                    zip(biases, widths).map { try $0?.value ?? Tensor.zeros([$1], dtype: type, device: device) }, dim: 0
                )
            })
    }
}

import Foundation

/// A perceptron of two layers that says of each word whether it belongs to the name of a person, a place, an organisation or to an
/// address. It looks at the states that a frozen encoder gives the word, and at what a reader sees of the word and its neighbours.
///
/// Made by `Scripts/train-names`.
public struct NameHead: Sendable {
    /// What a word may be; the first is nothing.
    public enum Kind: Int, Sendable, CaseIterable {
        case none, person, location, organization, address
    }

    /// The encoder's layers whose states are wanted, from 1, in order.
    public let layers: [Int]
    /// Length of one state.
    public let dimension: Int
    /// Word lists that become features, in order.
    let sections: [WordClass]
    /// How many neighbours on either side are looked at.
    let window: Int
    let hidden: Int
    /// [inputs, hidden], so that one input's weights lie side by side.
    private let first: [Float]
    private let firstBias: [Float]
    /// [hidden, kinds].
    private let second: [Float]
    private let secondBias: [Float]

    /// Features of the word's own shape; `Scripts/train-names` has the same order.
    static let shapes = 8
    /// Features of the whole text, and of the place of the word.
    static let others = 5

    var inputs: Int { layers.count * dimension + (2 * window + 1) * (Self.shapes + sections.count) + Self.others }

    /// The head that comes with Loam, for the states of all-MiniLM-L6-v2. `Resources/README.md` is its card.
    /// - Throws: `DeidentificationError` when it is missing from the installation.
    public static func shipped() throws(DeidentificationError) -> NameHead {
        guard let url = Bundle.module.url(forResource: "name-head", withExtension: "json") else {
            throw DeidentificationError(.resource, "name-head.json: the name head of Loam is missing")
        }
        return try NameHead(contentsOf: url)
    }

    /// Reads a head written by `Scripts/train-names`.
    /// - Throws: `DeidentificationError` naming the file and the field.
    public init(contentsOf url: URL) throws(DeidentificationError) {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
        } catch {
            throw DeidentificationError(.resource, "\(url.path): no name head can be read: \(error)")
        }
        func fault(_ field: String) -> DeidentificationError {
            DeidentificationError(.resource, "\(url.path): \(field) does not fit the head's other fields")
        }
        guard file.classes == ["O", "PERSON", "LOCATION", "ORGANIZATION", "ADDRESS"] else { throw fault("classes") }
        guard (1...4096).contains(file.hidden), (1...65_536).contains(file.dimension), (0...8).contains(file.window),
            !file.layers.isEmpty, file.layers == file.layers.sorted(), file.layers.allSatisfy({ $0 > 0 })
        else { throw fault("hidden, dimension, window or layers") }
        var sections: [WordClass] = []
        for name in file.sections {
            guard let kind = WordClass.sections[name] else { throw fault("sections: '\(name)'") }
            sections.append(kind)
        }
        (layers, dimension, window, hidden) = (file.layers, file.dimension, file.window, file.hidden)
        self.sections = sections
        let inputs =
            file.layers.count * file.dimension + (2 * file.window + 1) * (Self.shapes + sections.count) + Self.others
        guard let weight = Self.floats(file.firstWeight), weight.count == inputs * hidden else {
            throw fault("first_weight")
        }
        guard let secondWeight = Self.floats(file.secondWeight), secondWeight.count == Kind.allCases.count * hidden
        else {
            throw fault("second_weight")
        }
        guard let bias = Self.floats(file.firstBias), bias.count == hidden else { throw fault("first_bias") }
        guard let secondBias = Self.floats(file.secondBias), secondBias.count == Kind.allCases.count else {
            throw fault("second_bias")
        }
        first = Self.transposed(weight, rows: hidden, columns: inputs)
        firstBias = bias
        second = Self.transposed(secondWeight, rows: Kind.allCases.count, columns: hidden)
        self.secondBias = secondBias
    }

    private struct File: Decodable {
        var classes: [String]
        var layers: [Int]
        var dimension: Int
        var sections: [String]
        var window: Int
        var hidden: Int
        var firstWeight, firstBias, secondWeight, secondBias: Data

        enum CodingKeys: String, CodingKey {
            case classes, layers, dimension, sections, window, hidden
            case firstWeight = "first_weight"
            case firstBias = "first_bias"
            case secondWeight = "second_weight"
            case secondBias = "second_bias"
        }
    }

    /// Little-endian float32; `nil` for a broken row or a number that is not finite.
    private static func floats(_ data: Data) -> [Float]? {
        guard data.count % 4 == 0 else { return nil }
        let bytes = Array(data)
        let values = stride(from: 0, to: bytes.count, by: 4).map { start -> Float in
            var bits: UInt32 = 0
            for byte in bytes[start..<start + 4].reversed() { bits = bits << 8 | UInt32(byte) }
            return Float(bitPattern: bits)
        }
        return values.allSatisfy(\.isFinite) ? values : nil
    }

    private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        var result = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { result[column * rows + row] = values[row * columns + column] }
        }
        return result
    }

    // MARK: Words

    /// Probabilities of a text's words and signs, in order.
    /// - Parameter states: [tokens, layers, dimension].
    func probabilities(_ text: ScannedText, states: [Float]) -> [[Float]] {
        let width = layers.count * dimension
        let own = text.tokens.indices.map { features(text, $0) }
        let letters = text.tokens.filter { $0.kind == .word }
        let hasSmall = letters.contains { !$0.isCapitalised }
        let hasCapital = letters.contains(where: \.isCapitalised)
        let perWord = Self.shapes + sections.count
        return text.tokens.indices.map { i in
            var sums = firstBias
            sums.withUnsafeMutableBufferPointer { sums in
                first.withUnsafeBufferPointer { weights in
                    func add(_ value: Float, _ input: Int) {
                        let start = input * hidden
                        for k in 0..<hidden { sums[k] += value * weights[start + k] }
                    }
                    for k in 0..<width { add(states[i * width + k], k) }
                    for (place, neighbour) in (i - window...i + window).enumerated()
                    where own.indices.contains(neighbour) {
                        for feature in own[neighbour] { add(1, width + place * perWord + feature) }
                    }
                    let rest = width + (2 * window + 1) * perWord
                    if hasSmall { add(1, rest) }
                    if hasCapital { add(1, rest + 1) }
                    if text.tokens.count <= 4 { add(1, rest + 2) }
                    if i == 0 || text.tokens[i].startsLine { add(1, rest + 3) }
                    if i > 0, text.tokens[i].isJoined { add(1, rest + 4) }
                }
            }
            return softmax(sums)
        }
    }

    private func softmax(_ sums: [Float]) -> [Float] {
        let kinds = Kind.allCases.count
        var scores = secondBias
        for k in 0..<hidden where sums[k] > 0 {
            for kind in 0..<kinds { scores[kind] += sums[k] * second[k * kinds + kind] }
        }
        let most = scores.max() ?? 0
        let powers = scores.map { Float(exp(Double($0 - most))) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    /// Places of a token's features that are 1.
    private func features(_ text: ScannedText, _ i: Int) -> [Int] {
        let token = text.tokens[i]
        var found: [Int] = []
        switch token.kind {
        case .word:
            found.append(0)
            if token.isCapitalised { found.append(1) }
            let isOne = text.isOneLetter(i)
            if token.isAllCapitals || token.hasNoSmall && !isOne { found.append(2) }
            if isOne { found.append(3) }
            var isKnown = false
            for (place, section) in sections.enumerated() where token.classes.isSuperset(of: section) {
                found.append(Self.shapes + place)
                isKnown = true
            }
            if !isKnown { found.append(4) }
        case .number: found.append(5)
        case .sign:
            found.append(6)
            if ".!?:\"(>-".utf8.contains(text.bytes[token.start]) { found.append(7) }
        }
        return found
    }
}

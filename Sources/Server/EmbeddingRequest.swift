import Conversations
import Foundation

/// A request to `/v1/embeddings`, as OpenAI's clients send it.
struct EmbeddingRequest: Decodable, Sendable {
    enum Encoding: String, Decodable, Sendable { case float, base64 }

    var model: String
    var input: TextInput
    var encodingFormat: Encoding?
    var dimensions: Int?
    /// Who asks; not used.
    var user: String?

    enum CodingKeys: String, CodingKey {
        case model, input, dimensions, user
        case encodingFormat = "encoding_format"
    }

    /// A vector of fewer numbers: its beginning, scaled to length 1 again.
    static func shortened(_ vector: [Float], to count: Int?) -> [Float] {
        guard let count, count < vector.count else { return vector }
        let part = vector.prefix(count)
        let length = part.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? part.map { $0 / length } : Array(part)
    }
}

/// The answer of `/v1/embeddings`.
struct EmbeddingAnswer: Encodable, Sendable {
    /// A vector as the request asked for it.
    enum Vector: Encodable, Sendable {
        case float([Float])
        case base64([Float])

        func encode(to encoder: any Encoder) throws {
            var box = encoder.singleValueContainer()
            switch self {
            case .float(let numbers): try box.encode(numbers)
            case .base64(let numbers): try box.encode(Self.text(numbers))
            }
        }

        /// Four bytes a number, little-endian, in Base64.
        static func text(_ numbers: [Float]) -> String {
            var data = Data(capacity: 4 * numbers.count)
            for number in numbers {
                withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
            return data.base64EncodedString()
        }
    }

    struct Entry: Encodable, Sendable {
        var object = "embedding"
        var index: Int
        var embedding: Vector
    }

    struct Usage: Encodable, Sendable {
        var promptTokens: Int
        var totalTokens: Int

        enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case totalTokens = "total_tokens"
        }
    }

    var object = "list"
    var data: [Entry]
    var model: String
    var usage: Usage

    init(_ vectors: [[Float]], _ encoding: EmbeddingRequest.Encoding, model: String, tokens: Int) {
        data = vectors.enumerated().map {
            Entry(index: $0, embedding: encoding == .base64 ? .base64($1) : .float($1))
        }
        self.model = model
        usage = Usage(promptTokens: tokens, totalTokens: tokens)
    }
}

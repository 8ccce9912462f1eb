import Foundation

/// What every decoder can say of itself.
public struct DecoderConfiguration: Sendable, Hashable {
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var keyValueHeadCount: Int
    public var headDimension: Int
    /// Most tokens that it can look at.
    public var contextLength: Int
    public var padID: Int?
    /// Tokens that end a reply.
    public var endIDs: [Int]

    public init(
        vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, keyValueHeadCount: Int,
        headDimension: Int, contextLength: Int, padID: Int?, endIDs: [Int]
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension
        self.contextLength = contextLength
        self.padID = padID
        self.endIDs = endIDs
    }
}

extension DecoderConfiguration {
    /// Checks that a tokenizer's ids all have a row in the model. A model may have more rows than there are tokens:
    /// matrices are often padded to a round size.
    /// - Parameter folder: named in the error.
    /// - Throws: `LanguageModelError` `configuration` that names both files.
    public func requireVocabulary(tokens: Int, in folder: URL? = nil) throws {
        guard tokens <= vocabularySize else {
            throw LanguageModelError(
                .configuration,
                (folder.map { "\($0.path): " } ?? "")
                    + "tokenizer.json has \(tokens) tokens, config.json's vocab_size only \(vocabularySize)")
        }
    }
}

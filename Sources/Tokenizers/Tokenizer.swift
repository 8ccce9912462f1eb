/// Turns text into the ids that a model reads, and back.
public protocol Tokenizer: Sendable {
    /// One more than the largest id.
    var vocabularySize: Int { get }
    /// Control tokens by id: pad, end, and the like.
    var specialTokens: [Int: String] { get }
    /// The ids of a text, without special tokens around it.
    /// - Parameter parsing: which added tokens are looked for in the text.
    func encode(_ text: String, parsing: AddedTokenParsing) -> [Int]
    /// The text of the ids; special tokens and unknown ids are skipped.
    func decode(_ ids: [Int]) -> String
    /// A decoder for ids that come one at a time; its pieces together are what `decode` gives.
    func streamingDecoder() -> StreamingDecoder
    /// The bytes that an id stands for within a text: none for special tokens and unknown ids, and not always whole
    /// characters.
    func bytes(of id: Int) -> ArraySlice<UInt8>
    /// The id of a token as it is spelled in the vocabulary.
    func id(of token: String) -> Int?
    /// The spelling of an id in the vocabulary.
    func token(of id: Int) -> String?
}

extension Tokenizer {
    /// The ids of a text. Never yields a special token, whatever the text says: what a person types stays text.
    public func encode(_ text: String) -> [Int] { encode(text, parsing: .ordinary) }
}

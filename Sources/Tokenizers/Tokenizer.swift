/// Turns text into the ids that a model reads, and back.
public protocol Tokenizer: Sendable {
    /// One more than the largest id.
    var vocabularySize: Int { get }
    /// The ids of a text. Never yields a special token, whatever the text says: what a person types stays text.
    func encode(_ text: String) -> [Int]
    /// The text of the ids; special tokens and unknown ids are skipped.
    func decode(_ ids: [Int]) -> String
    /// The id of a token as it is spelled in the vocabulary.
    func id(of token: String) -> Int?
    /// The spelling of an id in the vocabulary.
    func token(of id: Int) -> String?
}

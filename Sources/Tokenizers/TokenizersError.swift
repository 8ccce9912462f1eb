import Conversations

/// What is wrong with a tokenizer's file, or why one cannot serve. `description` names the file and the field.
public struct TokenizersError: InputFault, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault: a bounded set.
    public enum Code: String, Sendable, Hashable {
        /// A file is not there, or may not be read or written.
        case file
        /// The file does not follow the format.
        case malformed
        /// The file asks for something that this code does not do; going on would give wrong ids.
        case unsupported
        /// A token that is needed is not in the vocabulary.
        case missingToken
    }

    public let code: Code
    /// The file, or what stands for it.
    public let file: String
    public let message: String

    public init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = message
    }

    public var description: String { "\(file): \(message)" }
}

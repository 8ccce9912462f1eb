/// Why a reply, a score or a vector could not be made.
public struct GenerationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault: a bounded set.
    public enum Code: String, Sendable, Hashable {
        /// The model and its tokenizer do not belong together.
        case mismatch
        /// A setting is out of range.
        case setting
        /// The model's output is not a number.
        case notFinite
        /// Every token is forbidden, so none can be drawn.
        case nothingLeft
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "generation (\(code.rawValue)): \(message)" }
}

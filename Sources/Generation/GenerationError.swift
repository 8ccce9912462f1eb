import Conversations

/// Why a reply, a score or a vector could not be made.
public struct GenerationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault: a bounded set.
    public enum Code: String, Sendable, Hashable {
        /// The model and its tokenizer do not belong together.
        case mismatch
        /// A setting is out of range.
        case setting
        /// The prompt alone is more than the model's context.
        case promptTooLong
        /// The model's output is not a number.
        case notFinite
        /// Every token is forbidden, so none can be drawn.
        case nothingLeft
        /// Too many requests are waiting already; `retryAfter` says when to come again.
        case busy
    }

    public let code: Code
    public let message: String
    /// Seconds after which a busy model may have room; `nil` for other faults.
    public let retryAfter: Int?

    public init(_ code: Code, _ message: String, retryAfter: Int? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    public var description: String { "generation (\(code.rawValue)): \(message)" }
}

extension GenerationError: InputFault {
    public var isInputAtFault: Bool {
        switch code {
        case .mismatch, .setting, .promptTooLong, .nothingLeft: true
        case .notFinite, .busy: false
        }
    }
}

/// Why something could not be evaluated.
public struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is; new kinds may come.
    public struct Code: Sendable, Hashable {
        let name: String
        /// There is nothing to judge.
        public static let empty = Code(name: "empty")
        /// Two arms did not answer the same prompts.
        public static let prompts = Code(name: "prompts")
        /// No arm has this name.
        public static let arm = Code(name: "arm")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "evaluation: \(message)" }
}

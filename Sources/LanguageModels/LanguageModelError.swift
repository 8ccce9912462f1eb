/// Why a model could not be made, loaded or run.
public struct LanguageModelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault.
    public enum Code: String, Sendable, Hashable {
        /// A field of `config.json` that makes no sense or is not supported.
        case configuration
        /// A tensor that is missing, or of another shape than the configuration says.
        case weights
        /// Token ids, positions or a mask that do not fit.
        case input
    }

    public let code: Code
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

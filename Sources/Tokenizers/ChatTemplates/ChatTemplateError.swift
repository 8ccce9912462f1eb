import Conversations

/// Why a chat template cannot be read or rendered. `description` names the template, the line and the construct.
public struct ChatTemplateError: InputFault, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault: a bounded set.
    public enum Code: String, Sendable, Hashable {
        /// A file is not there or may not be read, or a folder has no template.
        case file
        /// JSON that does not follow the format.
        case malformed
        /// The template is not valid Jinja.
        case syntax
        /// Valid Jinja that this renderer does not do; going on would give another text than transformers'.
        case unsupported
        /// The template itself refused, by `raise_exception`: the message list is not one that the model knows.
        case raised
        /// A value was used in a way that Jinja refuses: an undefined name, a number plus a string.
        case runtime
        /// A cap was reached: size, depth, work or output.
        case limit
    }

    public let code: Code
    /// The template's name or file.
    public let template: String
    /// The line in the template, from 1; `nil` when there is none to name.
    public let line: Int?
    public let message: String

    public init(_ code: Code, template: String, line: Int? = nil, _ message: String) {
        self.code = code
        self.template = template
        self.line = line
        self.message = message
    }

    public var description: String {
        line.map { "\(template), line \($0): \(message)" } ?? "\(template): \(message)"
    }
}

/// A fault inside an operation that does not know its line; the renderer adds it.
struct TemplateFault: Error {
    var code: ChatTemplateError.Code
    var message: String

    init(_ code: ChatTemplateError.Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func runtime(_ message: String) -> TemplateFault { TemplateFault(.runtime, message) }
    static func unsupported(_ message: String) -> TemplateFault { TemplateFault(.unsupported, message) }
    static func limit(_ message: String) -> TemplateFault { TemplateFault(.limit, message) }
}

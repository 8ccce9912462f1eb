import Foundation

/// What is wrong with a model's files. `description` names the file and, where there is one, the tensor or field.
public struct ModelFormatsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault: a bounded set, so that callers can tell them apart.
    public enum Code: String, Sendable, Hashable {
        /// A file or folder is not there, or may not be read.
        case unreadable
        /// A file could not be written.
        case unwritable
        /// The bytes do not follow the format.
        case malformed
        /// The tensor asked for is not in the file.
        case missing
        /// What was handed to a writer does not fit together (size, duplicate name).
        case argument
    }

    public let code: Code
    /// The file or folder at fault.
    public let file: String
    /// What is wrong, with the tensor or field.
    public let message: String

    public init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = message
    }

    public var description: String { "\(file): \(message)" }
}

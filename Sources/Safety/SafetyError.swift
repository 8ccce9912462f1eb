import Conversations

/// What went wrong while reading or using the parts of this room.
public struct SafetyError: Error, Sendable, Hashable, CustomStringConvertible, InputFault {
    /// What kind of fault.
    public enum Kind: String, Sendable, Hashable {
        /// A file cannot be read or is not of its format.
        case file
        /// Sizes do not fit each other: a head of another encoder, say.
        case shape
        /// Too little to learn or measure from.
        case tooFew
    }

    public let kind: Kind
    /// File, line and field at fault; never the text of a message.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}

import Conversations

/// What went wrong in de-identification. It never quotes a text.
public struct DeidentificationError: InputFault, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of fault; more may come.
    public struct Code: Sendable, Hashable {
        let name: String

        /// A key file that cannot be read, is damaged, or that others may read.
        public static let key = Code(name: "key")
        /// A labelled file whose shape is wrong.
        public static let labels = Code(name: "labels")
        /// A word list of the installation that is missing or damaged.
        public static let resource = Code(name: "resource")
    }

    public var code: Code
    /// Names the file and the place in it.
    public var description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// A missing word list is the installation's fault, the rest is what was given.
    public var isInputAtFault: Bool { code != .resource }
}

/// Why votes could not be weighed or read.
public struct TrustError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is; new kinds may come.
    public struct Code: Sendable, Hashable {
        let name: String
        /// There are no votes at all.
        public static let noVotes = Code(name: "no votes")
        /// A vote points at a row of features that is not there, or shapes do not fit.
        public static let features = Code(name: "features")
        /// A file cannot be read or is not in the expected form.
        public static let file = Code(name: "file")
        /// A setting is out of its range.
        public static let settings = Code(name: "settings")
        /// No method has this name.
        public static let method = Code(name: "method")
    }

    public var code: Code
    /// What is at fault: file, line and field where there are any.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "trust: \(message)" }
}

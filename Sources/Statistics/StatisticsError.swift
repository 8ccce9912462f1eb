/// Why a statistic could not be computed: the input was not what it needs.
public struct StatisticsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is; new kinds may come.
    public struct Code: Sendable, Hashable {
        let name: String
        /// Two inputs that must have the same length have not, or a shape does not fit.
        public static let shape = Code(name: "shape")
        /// A number is outside its range, or not finite.
        public static let value = Code(name: "value")
        /// There is too little data to say anything.
        public static let tooFew = Code(name: "too few")
    }

    public var code: Code
    /// Which input is at fault and why.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "statistics: \(message)" }
}

import Conversations

/// Why training could not begin or go on.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is; new kinds may come.
    public struct Code: Sendable, Hashable {
        let name: String
        let blamesInput: Bool
        /// The examples, texts or votes cannot be trained on.
        public static let data = Code(name: "data", blamesInput: true)
        /// An option is outside its range, or does not go with another.
        public static let options = Code(name: "options", blamesInput: true)
        /// A loss or a gradient is not finite any more, or the model is worse than guessing.
        public static let diverged = Code(name: "diverged", blamesInput: true)
        /// A checkpoint or a saved model does not fit what it is loaded for.
        public static let checkpoint = Code(name: "checkpoint", blamesInput: true)
        /// The processes that train together could not be reached, or one of them is gone.
        public static let processes = Code(name: "processes", blamesInput: false)
        /// A file could not be written: a full disk, a missing right.
        public static let file = Code(name: "file", blamesInput: false)
    }

    public var code: Code
    /// What is at fault and why: the example, option, step or file.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "training: \(message)" }
}

extension TrainingError: InputFault {
    public var isInputAtFault: Bool { code.blamesInput }
}

import CTorch

/// Why the engine refused an operation.
public struct TorchError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault.
    public enum Code: String, Sendable, Hashable {
        /// Shapes that do not fit each other, or the data.
        case shape
        /// An element type the operation does not take.
        case dtype
        /// The device has not that much memory.
        case outOfMemory
        /// A value outside its range: an index, a dimension, a device.
        case argument
        /// Anything else the engine reports.
        case runtime
    }

    public let code: Code
    /// The engine's words.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "torch (\(code.rawValue)): \(message)" }

    /// The error behind a status of `CTorch`, just returned on this thread; `nil` for success.
    init?(status: Int32) {
        let code: Code
        switch Int(status) {
        case Int(CT_OK): return nil
        case Int(CT_SHAPE): code = .shape
        case Int(CT_DTYPE): code = .dtype
        case Int(CT_OUT_OF_MEMORY): code = .outOfMemory
        case Int(CT_ARGUMENT): code = .argument
        default: code = .runtime
        }
        self.init(code, String(cString: ct_last_error_message()))
    }
}

/// Turns a status into a thrown error.
func check(_ status: Int32) throws {
    if let error = TorchError(status: status) { throw error }
}

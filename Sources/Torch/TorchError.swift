import CTorch

/// Why an operation on tensors could not be done: a wrong shape, a wrong type, no memory. Never a crash.
public struct TorchError: Error, Sendable, CustomStringConvertible {
    /// What kind of fault, of bounded variety.
    public enum Code: String, Sendable, Hashable {
        case shape
        case dtype
        case outOfMemory = "out_of_memory"
        case argument
        case runtime
    }

    public let code: Code
    /// libtorch's words, or ours, on what did not fit.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "torch (\(code.rawValue)): \(message)" }

    /// Turns a status of the C library into an error with this thread's last message.
    static func check(_ status: Int32) throws {
        guard status != CT_OK else { return }
        let code: Code =
            switch Int(status) {
            case CT_SHAPE: .shape
            case CT_DTYPE: .dtype
            case CT_OUT_OF_MEMORY: .outOfMemory
            case CT_ARGUMENT: .argument
            default: .runtime
            }
        throw TorchError(code, String(cString: ct_last_error_message()))
    }
}

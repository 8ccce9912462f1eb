import Dialogue

/// Why nothing came of asking another machine. It names the host and the reason; never a key, and no more of an answer
/// than its status.
public struct RemoteError: WriterFault, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The address is not one that may be asked.
        case forbiddenAddress = "forbidden_address"
        /// No URL, or not one of HTTP.
        case badAddress = "bad_address"
        /// No connection, or it broke.
        case unreachable
        /// It took longer than allowed.
        case timeout
        /// A status other than 200.
        case status
        /// More bytes than allowed.
        case tooLarge = "too_large"
        /// Not what was agreed on.
        case badAnswer = "bad_answer"
        /// Redirected too often.
        case redirects
    }

    public var code: Code
    public var description: String
    /// The status of the answer, where there was one.
    public var status: Int?

    public init(_ code: Code, _ description: String, status: Int? = nil) {
        self.code = code
        self.description = description
        self.status = status
    }

    /// Whether asking again may help.
    public var isPassing: Bool {
        switch code {
        case .unreachable, .timeout: true
        case .status: status.map { $0 == 408 || $0 == 429 || $0 >= 500 } ?? false
        default: false
        }
    }
}

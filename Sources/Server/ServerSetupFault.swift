import Conversations

/// Why a server cannot be set up as asked: for whoever starts it, not for its clients.
public struct ServerSetupFault: InputFault, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

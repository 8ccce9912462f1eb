import Conversations
import Foundation

/// The model that people talk to: loading, there, or failed. It can be changed while the server runs, and it bounds how
/// many replies are written at once.
public actor ModelHost {
    /// How far the model is.
    public enum State: Sendable {
        case loading
        case ready(any Answerer)
        /// With a line for the log and the operator, not for people.
        case failed(String)
    }

    public private(set) var state: State
    private let repliesAtOnce: Int
    private var writing = 0

    /// - Parameters:
    ///   - state: usually `.loading`; `become` changes it.
    ///   - repliesAtOnce: replies being written or waiting at once; more are told to come back (429).
    public init(_ state: State = .loading, repliesAtOnce: Int = ServerLimits().repliesAtOnce) {
        self.state = state
        self.repliesAtOnce = repliesAtOnce
    }

    /// From now on this is the state. Replies that are being written finish with the model that began them.
    public func become(_ state: State) { self.state = state }

    /// Registry id of the model that answers now.
    public var modelID: String? {
        if case .ready(let answerer) = state { answerer.modelID } else { nil }
    }

    /// Short word for pages and probes.
    var stateName: String {
        switch state {
        case .loading: "loading"
        case .ready: "ready"
        case .failed: "failed"
        }
    }

    /// Takes a place among the replies being written; every `take` is followed by one `give`.
    func take() throws -> any Answerer {
        switch state {
        case .loading:
            throw ServerError.unavailable("The model is still loading.", code: "model_loading", retryAfter: 3)
        case .failed:
            throw ServerError.unavailable("The model could not be loaded.", code: "model_failed", retryAfter: 60)
        case .ready(let answerer):
            guard writing < repliesAtOnce else {
                throw ServerError.full(retryAfter: 2)
            }
            writing += 1
            return answerer
        }
    }

    func give() { writing = max(0, writing - 1) }

    /// Replies being written now.
    var load: Int { writing }
}

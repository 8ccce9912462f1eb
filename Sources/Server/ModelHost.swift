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
    /// What is served beside it.
    public private(set) var beside: SideModels
    nonisolated let repliesAtOnce: Int
    /// What is counted of its replies.
    nonisolated let metrics: ServerMetrics
    private var writing = 0

    /// - Parameters:
    ///   - state: usually `.loading`; `become` changes it.
    ///   - beside: the models beside it; `offer` changes them.
    ///   - repliesAtOnce: replies being written or waiting at once; more are told to come back (429).
    public init(
        _ state: State = .loading, beside: SideModels = SideModels(), repliesAtOnce: Int = ServerLimits().repliesAtOnce,
        metrics: ServerMetrics = ServerMetrics()
    ) {
        self.state = state
        self.beside = beside
        self.repliesAtOnce = repliesAtOnce
        self.metrics = metrics
    }

    /// From now on this is the state. Replies that are being written finish with the model that began them.
    public func become(_ state: State) { self.state = state }

    /// From now on these are served beside the model that talks.
    public func offer(_ models: SideModels) { beside = models }

    /// Registry id of the model that answers now.
    public var modelID: String? {
        if case .ready(let answerer) = state { answerer.modelID } else { nil }
    }

    /// The name under which clients reach whatever talks now: the real id is another one after each promotion.
    static let alias = "loam"

    /// Whether what a client asks for is the model with this id.
    static func names(_ asked: String, _ modelID: String) -> Bool { asked == modelID || asked == alias }

    /// All that a client may name, the model that talks first, by its id and by the name that stays.
    var ids: [String] {
        guard let modelID else { return beside.ids }
        return (modelID == Self.alias ? [modelID] : [modelID, Self.alias]) + beside.ids
    }

    /// Short word for pages and probes.
    var stateName: String {
        switch state {
        case .loading: "loading"
        case .ready: "ready"
        case .failed: "failed"
        }
    }

    /// Takes places among the replies being written; every `take` is followed by one `give` of as many.
    /// - Parameter count: replies that are to be written.
    func take(_ count: Int = 1) throws -> any Answerer {
        switch state {
        case .loading:
            throw ServerError.loading
        case .failed:
            throw ServerError.unavailable("The model could not be loaded.", code: "model_failed", retryAfter: 60)
        case .ready(let answerer):
            try takePlaces(count)
            return MeteredAnswerer(base: answerer, metrics: metrics)
        }
    }

    /// Takes places for one of the models beside it, which compute on the same processor; `give` follows here too.
    /// - Parameters:
    ///   - count: answers that are to be made side by side.
    ///   - find: which one.
    /// - Throws: 404 `model_not_found` where there is none, 503 where it may still come.
    func takeBeside<Model: Sendable>(
        count: Int = 1, _ find: @Sendable (SideModels) -> Model?
    ) throws -> Model {
        guard let model = find(beside) else {
            if case .loading = state { throw ServerError.loading }
            throw ServerError.noModel
        }
        try takePlaces(count)
        return model
    }

    private func takePlaces(_ count: Int) throws {
        let places = places(for: count)
        guard writing + places <= repliesAtOnce else {
            metrics.refused(by: .replies)
            throw ServerError.full(retryAfter: 2)
        }
        writing += places
    }

    /// One for each reply, but never more than there are: who asks for more is let in when nobody else writes.
    private func places(for count: Int) -> Int { max(1, min(count, repliesAtOnce)) }

    /// Gives back what `take` or `takeBeside` took for as many replies.
    func give(_ count: Int = 1) { writing = max(0, writing - places(for: count)) }

    /// Replies being written now.
    var load: Int { writing }
}

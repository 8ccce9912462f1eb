import Synchronization

/// A `StopMatcher` that a generator's callback can feed from any thread.
final class StopGate: Sendable {
    private let matcher: Mutex<StopMatcher>

    init(_ stops: [String]) { matcher = Mutex(StopMatcher(stops)) }

    func feed(_ piece: String) -> String { matcher.withLock { $0.feed(piece) } }
    func finish() -> String { matcher.withLock { $0.finish() } }
}

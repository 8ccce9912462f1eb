import Synchronization

/// A `StopMatcher` that a generator's callback can feed from any thread.
final class StopGate: Sendable {
    private let state: Mutex<(matcher: StopMatcher, hasShown: Bool)>

    init(_ stops: [String]) { state = Mutex((StopMatcher(stops), false)) }

    func feed(_ piece: String) -> String { pass { $0.feed(piece) } }
    func finish() -> String { pass { $0.finish() } }

    /// True once any text came out.
    var hasShown: Bool { state.withLock { $0.hasShown } }

    private func pass(_ body: (inout StopMatcher) -> String) -> String {
        state.withLock { state in
            let shown = body(&state.matcher)
            if !shown.isEmpty { state.hasShown = true }
            return shown
        }
    }
}

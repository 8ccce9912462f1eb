/// Asking again after a failure that may pass: a bounded number of times, after waits that double. The reference asks
/// forever, without end for an answer with the wrong status.
public struct Retries: Sendable, Hashable {
    /// Tries after the first.
    public var count: Int
    /// First wait, in seconds; each later one is twice as long.
    public var firstWait: Double
    /// Longest wait.
    public var longestWait: Double

    public init(count: Int = 2, firstWait: Double = 0.5, longestWait: Double = 8) {
        self.count = max(0, count)
        self.firstWait = firstWait
        self.longestWait = longestWait
    }

    /// The wait before try `number` (from 1), in seconds.
    public func wait(before number: Int) -> Double {
        var wait = firstWait
        for _ in 1..<max(1, number) where wait < longestWait { wait *= 2 }
        return min(wait, longestWait)
    }

    /// Runs a body until it succeeds, fails for good, or has failed too often; the last error is thrown.
    func run<R>(_ body: () async throws -> R) async throws -> R {
        var number = 0
        while true {
            do {
                return try await body()
            } catch let error as RemoteError where error.isPassing && number < count {
                number += 1
                try await Task.sleep(for: .seconds(wait(before: number)))
            }
        }
    }
}

import Foundation

/// How often somebody may come: a token bucket per key.
actor RequestBound {
    private struct Bucket {
        var tokens: Double
        var at: Date
    }

    private let burst: Double
    private let secondsPerToken: Double
    private let keyLimit: Int
    private var buckets: [String: Bucket] = [:]
    /// When all buckets were last looked through.
    private var clearedAt: Date?

    /// - Parameters:
    ///   - burst: requests in a row from rest.
    ///   - secondsPerToken: then one per so many seconds.
    ///   - keyLimit: keys held; when there are more, those whose tokens are all back are let go.
    init(burst: Int, secondsPerToken: Double, keyLimit: Int = 50_000) {
        self.burst = Double(max(burst, 1))
        self.secondsPerToken = max(secondsPerToken, 1e-9)
        self.keyLimit = keyLimit
    }

    /// Takes one token of a key.
    /// - Returns: `nil` when it may pass, else whole seconds (at least 1) until it may.
    func take(_ key: String, at now: Date) -> Int? {
        if buckets.count >= keyLimit, buckets[key] == nil {
            // Once a second: going through all of them for each newcomer would be what a flood wants.
            if clearedAt.map({ abs(now.timeIntervalSince($0)) >= 1 }) ?? true {
                buckets = buckets.filter { tokens(in: $0.value, at: now) < burst }
                clearedAt = now
            }
            // Everybody is busy at once: refuse newcomers rather than grow without bound.
            if buckets.count >= keyLimit { return max(1, Int(secondsPerToken.rounded(.up))) }
        }
        var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
        bucket.tokens = tokens(in: bucket, at: now)
        bucket.at = now
        defer { buckets[key] = bucket }
        if bucket.tokens >= 1 {
            bucket.tokens -= 1
            return nil
        }
        return max(1, Int(((1 - bucket.tokens) * secondsPerToken).rounded(.up)))
    }

    private func tokens(in bucket: Bucket, at now: Date) -> Double {
        min(burst, bucket.tokens + max(0, now.timeIntervalSince(bucket.at)) / secondsPerToken)
    }
}

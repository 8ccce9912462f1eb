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

    /// - Parameters:
    ///   - burst: requests in a row from rest.
    ///   - secondsPerToken: then one per so many seconds.
    ///   - keyLimit: keys held; when there are more, those at rest are let go.
    init(burst: Int, secondsPerToken: Double, keyLimit: Int = 50_000) {
        self.burst = Double(max(burst, 1))
        self.secondsPerToken = max(secondsPerToken, 1e-9)
        self.keyLimit = keyLimit
    }

    /// Takes one token of a key.
    /// - Returns: `nil` when it may pass, else whole seconds (at least 1) until it may.
    func take(_ key: String, at now: Date) -> Int? {
        if buckets.count >= keyLimit, buckets[key] == nil {
            let rest = burst * secondsPerToken
            buckets = buckets.filter { now.timeIntervalSince($0.value.at) < rest }
            // Everybody is busy at once: refuse newcomers rather than grow without bound.
            if buckets.count >= keyLimit { return max(1, Int(secondsPerToken.rounded(.up))) }
        }
        var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
        let gained = max(0, now.timeIntervalSince(bucket.at)) / secondsPerToken
        bucket.tokens = min(burst, bucket.tokens + gained)
        bucket.at = now
        defer { buckets[key] = bucket }
        if bucket.tokens >= 1 {
            bucket.tokens -= 1
            return nil
        }
        return max(1, Int(((1 - bucket.tokens) * secondsPerToken).rounded(.up)))
    }
}

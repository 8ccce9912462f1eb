import Foundation
import Synchronization

/// Checks passwords one after the other on a thread of its own: each takes a tenth of a second and 32 MiB on purpose, which
/// must neither hold up replies nor add up.
final class PasswordWork: Sendable {
    private let queue = DispatchQueue(label: "loam.passwords", qos: .utility)
    private let waiting = Mutex(0)
    private let room: Int
    /// What a password is checked against where there is no account: the answer takes as long.
    let nobody: PasswordHash

    /// - Parameter room: how many may wait; more are told to come back.
    init(cost: PasswordHash.Cost, room: Int = 16, randomness: Randomness) throws {
        self.room = room
        nobody = try PasswordHash(of: Hex.string(randomness.bytes(16)), cost: cost, randomness: randomness)
    }

    /// Whether a password is that of an account; `nil` stands for no account.
    /// - Throws: `ServerError` 503 when too many wait.
    func check(_ password: String, against hash: PasswordHash?) async throws -> Bool {
        let hasRoom = waiting.withLock { waiting in
            guard waiting < room else { return false }
            waiting += 1
            return true
        }
        guard hasRoom else {
            throw ServerError.unavailable("Too many people are signing in.", code: "busy", retryAfter: 3)
        }
        let against = hash ?? nobody
        let isRight = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: against.matches(password)) }
        }
        waiting.withLock { $0 -= 1 }
        return isRight && hash != nil
    }
}

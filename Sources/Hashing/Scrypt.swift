import CCrypto

/// scrypt (RFC 7914): a key from a password that costs time and memory to guess.
public enum Scrypt {
    /// What one derivation costs.
    public struct Cost: Sendable, Hashable {
        /// log₂ of the rounds.
        public var logRounds: Int
        /// Memory is 128 bytes times this times the rounds.
        public var blockSize: Int
        public var parallelism: Int

        public init(logRounds: Int, blockSize: Int, parallelism: Int) {
            (self.logRounds, self.blockSize, self.parallelism) = (logRounds, blockSize, parallelism)
        }
    }

    /// A cost that is no cost (zero, or more than scrypt can count), or memory that is not to be had.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let cost: Cost
        public var description: String {
            "scrypt cannot run with 2^\(cost.logRounds) rounds, block size \(cost.blockSize), parallelism \(cost.parallelism)"
        }
    }

    /// `count` bytes that depend on the password, the salt and the cost.
    public static func key(from password: [UInt8], salt: [UInt8], cost: Cost, count: Int) throws(Failure) -> [UInt8] {
        guard (1...30).contains(cost.logRounds), (1...1 << 20).contains(cost.blockSize), count > 0,
            (1...1 << 20).contains(cost.parallelism)
        else { throw Failure(cost: cost) }
        // OpenSSL allows 32 MiB unless told otherwise; what the cost needs, with its small change.
        let memory = 128 * cost.blockSize * ((1 << cost.logRounds) + cost.parallelism + 2)
        var key = [UInt8](repeating: 0, count: count)
        let text = password.map(CChar.init(bitPattern:))
        let done = EVP_PBE_scrypt(
            text, text.count, salt, salt.count, UInt64(1) << UInt64(cost.logRounds), UInt64(cost.blockSize),
            UInt64(cost.parallelism), UInt64(memory), &key, count)
        guard done == 1 else { throw Failure(cost: cost) }
        return key
    }
}

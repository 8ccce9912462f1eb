import Conversations
import Foundation
import Hashing

/// A password as it is kept: what scrypt (RFC 7914) makes of it under a random salt, with the cost beside it, so that the cost
/// may be raised later: `$scrypt$ln=15,r=8,p=3$SALT$HASH`, both in base64.
public struct PasswordHash: Sendable, Hashable, CustomStringConvertible {
    /// What one guess costs.
    public typealias Cost = Scrypt.Cost

    /// Shortest password, in characters.
    public static let shortest = 10
    /// Longest password, in bytes.
    public static let longest = 512

    let cost: Cost
    let salt: [UInt8]
    let hash: [UInt8]

    /// Makes the hash of a new password. Slow on purpose.
    /// - Throws: `PasswordError` for one that is too short or too long.
    public init(of password: String, cost: Cost = .standard, randomness: Randomness = .system) throws {
        guard password.count >= Self.shortest else { throw PasswordError.tooShort }
        guard password.utf8.count <= Self.longest else { throw PasswordError.tooLong }
        salt = randomness.bytes(16)
        self.cost = cost
        hash = try Self.derive(password, salt: salt, cost: cost, count: 32)
    }

    /// Reads one that was kept; `nil` when it is none, or would cost more than a server should spend.
    public init?(stored text: String) {
        guard
            let match = text.wholeMatch(
                of: /\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+\/=]+)\$([A-Za-z0-9+\/=]+)/),
            let ln = Int(match.1), let r = Int(match.2), let p = Int(match.3),
            (1...20).contains(ln), (1...16).contains(r), (1...16).contains(p),
            let salt = Data(base64Encoded: String(match.4)), let hash = Data(base64Encoded: String(match.5)),
            salt.count >= 8, hash.count >= 16
        else { return nil }
        cost = Cost(logRounds: ln, blockSize: r, parallelism: p)
        self.salt = Array(salt)
        self.hash = Array(hash)
    }

    /// Whether this is the password. Takes the same time whatever is wrong with it.
    func matches(_ password: String) -> Bool {
        guard password.utf8.count <= Self.longest,
            let given = try? Self.derive(password, salt: salt, cost: cost, count: hash.count)
        else { return false }
        return zip(given, hash).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    public var description: String {
        "$scrypt$ln=\(cost.logRounds),r=\(cost.blockSize),p=\(cost.parallelism)$\(Data(salt).base64EncodedString())$\(Data(hash).base64EncodedString())"
    }

    /// Letters that look the same are the same, however a keyboard composes them.
    static func derive(_ password: String, salt: [UInt8], cost: Cost, count: Int) throws -> [UInt8] {
        try Scrypt.key(
            from: Array(password.precomposedStringWithCanonicalMapping.utf8), salt: salt, cost: cost, count: count)
    }
}

extension Scrypt.Cost {
    /// 32 MiB and three passes: what OWASP asks for in 2024.
    public static let standard = Self(logRounds: 15, blockSize: 8, parallelism: 3)
}

/// A password that cannot be taken.
public enum PasswordError: InputFault, Sendable, Hashable, CustomStringConvertible {
    case tooShort
    case tooLong

    public var isInputAtFault: Bool { true }

    public var description: String {
        switch self {
        case .tooShort: "a password needs at least \(PasswordHash.shortest) characters"
        case .tooLong: "a password may have at most \(PasswordHash.longest) bytes"
        }
    }
}

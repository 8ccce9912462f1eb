import Foundation

/// Where ids, tokens and seeds come from; tests pass a counted one.
public struct Randomness: Sendable {
    /// Gives that many bytes.
    let bytes: @Sendable (Int) -> [UInt8]

    /// - Parameter bytes: gives that many bytes; nobody may be able to foresee them, since cookies are made of them.
    public init(bytes: @escaping @Sendable (Int) -> [UInt8]) { self.bytes = bytes }

    /// The system's generator.
    public static var system: Randomness {
        Randomness { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }
    }

    /// A new id: 96 bits that cannot be guessed, after a prefix.
    func id(_ prefix: String) -> String { prefix + Hex.string(bytes(12)) }

    /// A seed that any JSON reader keeps exactly: 53 bits.
    func seed() -> UInt64 { bytes(8).reduce(0) { $0 << 8 | UInt64($1) } & (1 << 53 - 1) }
}

import CCrypto
import Foundation

/// SHA-256 (FIPS 180-4) of bytes that come in pieces, by OpenSSL's libcrypto: libpq stands on it already, and the system keeps
/// it up to date.
public struct SHA256: ~Copyable {
    /// Bytes of a digest.
    public static let byteCount = 32

    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto gives no SHA-256: out of memory, or forbidden by OpenSSL's configuration")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes more bytes behind those so far.
    public mutating func update(_ bytes: some ContiguousBytes) {
        bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// The digest of all bytes, 32 of them.
    public consuming func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        _ = EVP_DigestFinal_ex(context, &digest, nil)
        return digest
    }

    /// The digest of bytes that are all there.
    public static func hash(_ bytes: some ContiguousBytes) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    /// The digest of a text's UTF-8 as 64 lower-case hex digits: for names that must not lead back to what they were made from.
    public static func hex(_ text: String) -> String { hash(Array(text.utf8)).hex }
}

extension [UInt8] {
    /// Two lower-case hex digits a byte.
    public var hex: String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

import CCrypto

/// HMAC with SHA-256 (RFC 2104): a digest that only who has the key can make.
public enum HMACSHA256 {
    /// The code of a message, 32 bytes.
    public static func code(for message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: SHA256.byteCount)
        guard HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, &code, nil) != nil else {
            fatalError("libcrypto gives no HMAC-SHA-256: out of memory, or forbidden by OpenSSL's configuration")
        }
        return code
    }
}

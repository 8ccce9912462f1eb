import Crypto
import Foundation

extension SHA256 {
    /// The digest of a text as 64 lower-case hex digits: for names that must not lead back to what they were made from.
    static func hex(_ text: String) -> String {
        hash(data: Data(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

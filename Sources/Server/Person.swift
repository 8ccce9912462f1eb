import Hashing
import Hummingbird

/// An anonymous person, known by a cookie.
///
/// The cookie holds 256 random bits and nothing else, so it cannot be guessed and needs no signing key. What is stored
/// and exported is only a hash of it: whoever reads the store or a dataset cannot make the cookie from the user id, and
/// so cannot act as that person. It is stateless: any replica knows the same person.
struct Person: Sendable, Hashable {
    static let cookieName = "loam_person"

    /// The secret in the cookie: 64 hex digits.
    let token: String
    /// The pseudonym that is stored.
    let userID: String

    /// A new person.
    /// - Parameter randomBytes: gives that many bytes that nobody can foresee.
    init(randomBytes: (Int) -> [UInt8]) {
        self.init(checked: Hex.string(randomBytes(32)))
    }

    /// The person of a cookie; `nil` unless it has the shape of a token.
    init?(token: String) {
        let digits = token.utf8
        guard digits.count == 64, digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.init(checked: token)
    }

    init?(of request: Request) {
        guard let cookie = request.cookies[Self.cookieName] else { return nil }
        self.init(token: cookie.value)
    }

    private init(checked token: String) {
        self.token = token
        // 128 bits of the digest: no two people meet, and the id stays short.
        userID = "web-" + SHA256.hex("loam person " + token).prefix(32)
    }

    /// The cookie that makes the browser this person.
    /// - Parameters:
    ///   - isKept: for a year; else the browser forgets it when it closes.
    ///   - isSecure: it travels over TLS only.
    func cookie(isKept: Bool, isSecure: Bool) -> Cookie {
        let year = 365 * 24 * 3600
        return Cookie(
            name: Self.cookieName, value: token, maxAge: isKept ? year : nil, path: "/", secure: isSecure,
            httpOnly: true, sameSite: .lax)
    }

    /// The cookie that makes the browser forget.
    static func forgotten(isSecure: Bool) -> Cookie {
        Cookie(
            name: cookieName, value: "gone", maxAge: 0, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax)
    }
}

enum Hex {
    static func string(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

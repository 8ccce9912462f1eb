import Foundation
import HTTPTypes
import Hashing
import Hummingbird
import Storage

/// Signing in and out of those who work with the system.
///
/// A session is 256 random bits in a cookie that no script can read and no other site can send; the store holds their hash.
/// What a page sends to change something carries a second word besides, made from the first, which only a page of this
/// server can know.
struct OfficeAccounts: Sendable {
    static let cookieName = "loam_office"
    /// Header of the second word.
    static let tokenHeader = "X-CSRF-Token"

    let store: any AccountStore
    let work: PasswordWork
    let randomness: Randomness
    let now: @Sendable () -> Date
    /// How long a session lasts, in seconds.
    let lifetime: TimeInterval
    /// Whether the cookie travels over TLS only.
    let isSecure: Bool
    /// Tries of one name from one address, of one name, and from one address.
    private let together = RequestBound(burst: 5, secondsPerToken: 30)
    private let byName = RequestBound(burst: 20, secondsPerToken: 30)
    private let byAddress = RequestBound(burst: 20, secondsPerToken: 10)

    init(
        store: any AccountStore, cost: PasswordHash.Cost, randomness: Randomness, now: @escaping @Sendable () -> Date,
        lifetime: TimeInterval, isSecure: Bool
    ) throws {
        self.store = store
        self.randomness = randomness
        self.now = now
        self.lifetime = lifetime
        self.isSecure = isSecure
        work = try PasswordWork(cost: cost, randomness: randomness)
    }

    /// Somebody who is signed in.
    struct SignedIn: Sendable {
        var name: String
        var role: Account.Role
        /// What the cookie holds.
        var token: String

        var csrf: String { SHA256.hex("loam csrf " + token) }
        var sessionHash: String { OfficeAccounts.hash(of: token) }
    }

    static func hash(of token: String) -> String { SHA256.hex("loam office " + token) }

    /// - Parameter address: what tries count by: an address or, of IPv6, a network.
    /// - Throws: `ServerError` 401, the same for an unknown name and a wrong password; 429 after too many tries.
    func signIn(name: String, password: String, address: String) async throws -> (SignedIn, Cookie) {
        let time = now()
        let name = name.lowercased()
        // What can be no name counts as one: whoever sends such things fills no memory with them.
        let isName = AccountName.isAllowed(name)
        let key = isName ? name : "?"
        for (bound, key) in [(byAddress, address), (together, key + "\n" + address), (byName, key)] {
            if let wait = await bound.take(key, at: time) { throw ServerError.tooMany(retryAfter: wait) }
        }
        let account = isName ? try await store.account(named: name) : nil
        guard try await work.check(password, against: account.flatMap { PasswordHash(stored: $0.passwordHash) }),
            let account
        else {
            throw ServerError(.unauthorized, "Name or password is wrong.", code: "wrong_credentials")
        }
        let signedIn = SignedIn(name: account.name, role: account.role, token: Hex.string(randomness.bytes(32)))
        try await store.add(
            AccountSession(
                hash: signedIn.sessionHash, account: account.name, createdAt: time, expiresAt: time + lifetime))
        return (signedIn, cookie(signedIn.token, seconds: Int(lifetime)))
    }

    func signOut(_ signedIn: SignedIn) async throws -> Cookie {
        try await store.endSession(hash: signedIn.sessionHash)
        return cookie("gone", seconds: 0)
    }

    /// Who sends a request; `nil` when nobody is signed in.
    func signedIn(_ request: Request) async throws -> SignedIn? {
        guard let token = request.cookies[Self.cookieName]?.value, token.utf8.count == 64,
            let found = try await store.session(hash: Self.hash(of: token)), found.session.expiresAt > now()
        else { return nil }
        return SignedIn(name: found.account.name, role: found.account.role, token: token)
    }

    /// Who sends a request, if they may.
    /// - Parameter isChange: whether the request changes something, and so needs the second word.
    /// - Throws: `ServerError` 401 or 403.
    func require(_ role: Account.Role?, _ request: Request, isChange: Bool) async throws -> SignedIn {
        guard let signedIn = try await signedIn(request) else {
            throw ServerError(.unauthorized, "Please sign in.", code: "not_signed_in")
        }
        guard role == nil || signedIn.role == role else {
            throw ServerError(.forbidden, "Your account may not do this.", code: "wrong_role")
        }
        if isChange {
            let given = HTTPField.Name(Self.tokenHeader).flatMap { request.headers[$0] } ?? ""
            // Both are hashes of the same length or the request is wrong anyway; time tells nothing of a hash's place.
            guard SHA256.hex(given) == SHA256.hex(signedIn.csrf) else {
                throw ServerError(
                    .forbidden, "The request does not come from this page; load it again.",
                    param: Self.tokenHeader.lowercased(), code: "wrong_csrf_token")
            }
        }
        return signedIn
    }

    private func cookie(_ value: String, seconds: Int) -> Cookie {
        Cookie(
            name: Self.cookieName, value: value, maxAge: seconds, path: "/", secure: isSecure, httpOnly: true,
            sameSite: .strict)
    }
}

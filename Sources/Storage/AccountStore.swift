import Foundation

/// Someone who works with the system: signs in with a name and a password. People who talk to the bot have none.
public struct Account: Sendable, Hashable, Identifiable {
    public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
        /// Reads conversations, runs rounds, decides which model serves.
        case `operator`
        /// Judges replies, and sees nothing else.
        case rater
    }

    public var name: String
    public var role: Role
    /// What a password is checked against; never the password.
    public var passwordHash: String
    public var createdAt: Date

    public var id: String { name }

    public init(name: String, role: Role, passwordHash: String, createdAt: Date) {
        self.name = name
        self.role = role
        self.passwordHash = passwordHash
        self.createdAt = createdAt
    }
}

/// A signed-in browser. The store holds a hash of the secret in its cookie, so that nobody who reads the store can use it.
public struct AccountSession: Sendable, Hashable {
    public var hash: String
    /// Name of the account.
    public var account: String
    public var createdAt: Date
    public var expiresAt: Date

    public init(hash: String, account: String, createdAt: Date, expiresAt: Date) {
        self.hash = hash
        self.account = account
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// Keeps accounts and their sessions. Errors are `StorageError`.
public protocol AccountStore: Sendable {
    /// All accounts in order of their names.
    func accounts() async throws -> [Account]
    func account(named name: String) async throws -> Account?
    /// - Throws: `.conflict` when the name is taken.
    func add(_ account: Account) async throws
    /// Changes a password; all sessions of the account end.
    /// - Throws: `.notFound` for an unknown name.
    func setPasswordHash(_ hash: String, of name: String) async throws
    /// Removes an account with its sessions; what it rated stays. Returns whether it was there.
    func removeAccount(named name: String) async throws -> Bool
    /// Begins a session; those that are over are cleared away.
    func add(_ session: AccountSession) async throws
    /// A session that is not over, and its account.
    func session(hash: String) async throws -> (session: AccountSession, account: Account)?
    func endSession(hash: String) async throws
}

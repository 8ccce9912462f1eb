import Foundation

/// Those who work with the system, and their sessions.
extension SQLStore {
    public func accounts() async throws -> [Account] {
        try await look { try $0.accounts("ORDER BY name", []) }
    }

    public func account(named name: String) async throws -> Account? {
        if name.hasNUL { return nil }
        return try await look { try $0.accounts("WHERE name = ?1", [.text(name)]).first }
    }

    public func add(_ account: Account) async throws {
        try await change(.store) { store in
            try store.refuse(ids: [account.name, account.passwordHash])
            guard try store.accounts("WHERE name = ?1", [.text(account.name)]).isEmpty else {
                throw StorageError(.conflict, file: name, reason: "there is an account \(account.name) already")
            }
            try store.session.execute(
                "INSERT INTO account (name, role, passwordHash, createdAt) VALUES (?1, ?2, ?3, ?4)",
                .text(account.name), .text(account.role.rawValue), .text(account.passwordHash),
                .double(account.createdAt.timeIntervalSince1970))
        }
    }

    public func setPasswordHash(_ hash: String, of account: String) async throws {
        try await change(.store) { store in
            try store.refuse(ids: [account, hash])
            guard try !store.accounts("WHERE name = ?1", [.text(account)]).isEmpty else {
                throw StorageError(.notFound, file: name, reason: "no account \(account)")
            }
            try store.session.execute(
                "UPDATE account SET passwordHash = ?1 WHERE name = ?2", .text(hash), .text(account))
            try store.session.execute("DELETE FROM accountSession WHERE account = ?1", .text(account))
        }
    }

    public func removeAccount(named name: String) async throws -> Bool {
        try await change(.store) { store in
            guard try !store.accounts("WHERE name = ?1", [.text(name)]).isEmpty else { return false }
            // Its sessions hang on the account's row and go with it.
            try store.session.execute("DELETE FROM account WHERE name = ?1", .text(name))
            return true
        }
    }

    public func add(_ session: AccountSession) async throws {
        try await change { store in
            guard try !store.accounts("WHERE name = ?1", [.text(session.account)]).isEmpty else {
                throw StorageError(.notFound, file: name, reason: "no account \(session.account)")
            }
            try store.session.execute("DELETE FROM accountSession WHERE expiresAt <= ?1", store.seconds)
            try store.session.execute(
                "INSERT INTO accountSession (hash, account, createdAt, expiresAt) VALUES (?1, ?2, ?3, ?4)",
                .text(session.hash), .text(session.account), .double(session.createdAt.timeIntervalSince1970),
                .double(session.expiresAt.timeIntervalSince1970))
        }
    }

    public func session(hash: String) async throws -> (session: AccountSession, account: Account)? {
        let now = now().timeIntervalSince1970
        return try await look { store in
            let session = try store.session.first(
                "SELECT hash, account, createdAt, expiresAt FROM accountSession WHERE hash = ?1 AND expiresAt > ?2",
                .text(hash), .double(now)
            ) {
                AccountSession(
                    hash: $0.text(0), account: $0.text(1), createdAt: Date(timeIntervalSince1970: $0.double(2)),
                    expiresAt: Date(timeIntervalSince1970: $0.double(3)))
            }
            guard let session,
                let account = try store.accounts("WHERE name = ?1", [.text(session.account)]).first
            else { return nil }
            return (session, account)
        }
    }

    public func endSession(hash: String) async throws {
        try await change { try $0.session.execute("DELETE FROM accountSession WHERE hash = ?1", .text(hash)) }
    }
}

extension StoreTransaction {
    fileprivate func accounts(_ condition: String, _ arguments: [SQLValue]) throws -> [Account] {
        var found: [Account] = []
        try session.query("SELECT name, role, passwordHash, createdAt FROM account \(condition)", arguments) {
            // An account of a role that a later version knows may do nothing here.
            guard let role = Account.Role(rawValue: $0.text(1)) else { return }
            found.append(
                Account(
                    name: $0.text(0), role: role, passwordHash: $0.text(2),
                    createdAt: Date(timeIntervalSince1970: $0.double(3))))
        }
        return found
    }
}

import ArgumentParser
import Conversations
import Foundation
import Improvement
import Server
import Storage

/// Those who work with the system.
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Who may sign in to the operator's and the raters' pages.",
        subcommands: [
            AccountsAddCommand.self, AccountsListCommand.self, AccountsPasswordCommand.self,
            AccountsRemoveCommand.self,
        ])

    /// The store, if it can keep accounts.
    /// - Parameter isMade: whether a store that is not there is made; else it is an error, as a name that was mistyped is.
    static func store(_ options: StoreOptions, isMade: Bool = false) async throws -> any OfficeStore {
        let location = options.location
        let opened = try await isMade ? location.open() : location.openExisting()
        guard let store = opened as? any OfficeStore else {
            throw ImprovementFault(description: "\(options.name): this store keeps no accounts")
        }
        return store
    }
}

struct AccountsAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Makes an account.",
        discussion: """
            The password is asked for on the terminal; else it comes from LOAM_PASSWORD or the first line of standard input,
            never from the command line, where everybody on the machine could read it.

            Example: loam accounts add ann --role operator --store chats.sqlite
            """)

    @Argument(help: "The name: small letters, digits and ._- , beginning with a letter.")
    var name: String

    @Option(name: .long, help: "What they may do: operator or rater.")
    var role: Account.Role

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var name: String
        var role: String
    }

    func validate() throws {
        guard AccountName.isAllowed(name) else {
            throw ValidationError(
                "\(name) cannot be a name: small letters, digits and ._- , beginning with a letter, at most 40")
        }
    }

    func run() async throws {
        let store = try await AccountsCommand.store(store, isMade: true)
        let hash = try PasswordHash(of: PasswordPrompt.newPassword())
        try await store.add(Account(name: name, role: role, passwordHash: hash.description, createdAt: Date()))
        try common.console.result(Answer(name: name, role: role.rawValue))
        let page = role == .operator ? "/admin" : "/rate"
        common.console.show("\(name) may sign in at \(page) of `loam serve`")
    }
}

struct AccountsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Names the accounts.",
        discussion: "Example: loam accounts list --store chats.sqlite")

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Line: Encodable {
        var name: String
        var role: String
        var since: Date
    }

    func run() async throws {
        let accounts = try await AccountsCommand.store(store).accounts()
        try common.console.result(accounts.map { Line(name: $0.name, role: $0.role.rawValue, since: $0.createdAt) })
        if accounts.isEmpty { common.console.show("no accounts; `loam accounts add NAME --role operator` makes one") }
        for account in accounts {
            common.console.show(
                "\(account.name)\t\(account.role.rawValue)\tsince \(Timestamp.text(of: account.createdAt) ?? "")")
        }
    }
}

struct AccountsPasswordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Changes a password; all sessions of the account end.",
        discussion: "Example: loam accounts password ann --store chats.sqlite")

    @Argument(help: "The account's name.")
    var name: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable { var name: String }

    func run() async throws {
        let store = try await AccountsCommand.store(store)
        guard try await store.account(named: name) != nil else {
            throw ImprovementFault(description: "\(self.store.name): no account \(name)")
        }
        try await store.setPasswordHash(PasswordHash(of: PasswordPrompt.newPassword()).description, of: name)
        try common.console.result(Answer(name: name))
        common.console.show("the password of \(name) is changed; they have to sign in again")
    }
}

struct AccountsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes an account; its sessions end at once.",
        discussion: """
            What a rater said stays, under their name; `loam store forget NAME` deletes that too.

            Example: loam accounts remove ann --store chats.sqlite
            """)

    @Argument(help: "The account's name.")
    var name: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable { var name: String }

    func run() async throws {
        guard try await AccountsCommand.store(store).removeAccount(named: name) else {
            throw ImprovementFault(description: "\(store.name): no account \(name)")
        }
        try common.console.result(Answer(name: name))
        common.console.show("\(name) is removed")
    }
}

extension Account.Role: ExpressibleByArgument {}

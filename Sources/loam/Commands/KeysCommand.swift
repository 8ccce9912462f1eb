import ArgumentParser
import Conversations
import Foundation
import Improvement
import Server
import Storage

/// The keys of the API.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Keys of the API: made, listed, revoked.",
        discussion: """
            Once a key was made, /v1 answers its holders only. The store holds a hash of each, so a key is shown once.

            Example: loam keys add page --store chats.sqlite
            """,
        subcommands: [Add.self, List.self, Revoke.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key and shows it, this once.",
            discussion: "Example: loam keys add prometheus --role operator --store chats.sqlite")

        @Argument(help: "What it is called.")
        var name: String

        @Option(name: .long, help: "client: /v1. operator: /v1 and /metrics.")
        var role = APIKey.Role.client

        @OptionGroup var store: StoreOptions
        @OptionGroup var common: CommonOptions

        struct Answer: Encodable {
            var name: String
            var role: String
            var secret: String
        }

        func validate() throws {
            guard (1...64).contains(name.count) else { throw ValidationError("a name has from 1 to 64 characters") }
        }

        func run() async throws {
            let keys = try await store.location.open().keys(store.name)
            let (secret, key) = APIKey.make(name: name, role: role, now: Date())
            try await keys.add(key)
            try common.console.result(Answer(name: name, role: role.rawValue, secret: secret))
            common.console.say("this is shown once; send it as \"Authorization: Bearer KEY\"")
            common.console.show(secret)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All keys, without what would let anybody use them.",
            discussion: "Example: loam keys list --store chats.sqlite")

        @OptionGroup var store: StoreOptions
        @OptionGroup var common: CommonOptions

        struct Answer: Encodable {
            var name: String
            var role: String
            var hint: String
            var createdAt: Date
            var revokedAt: Date?

            init(_ key: APIKey) {
                (name, role, hint) = (key.name, key.role.rawValue, key.hint)
                (createdAt, revokedAt) = (key.createdAt, key.revokedAt)
            }

            enum CodingKeys: String, CodingKey {
                case name, role, hint
                case createdAt = "created_at"
                case revokedAt = "revoked_at"
            }
        }

        func run() async throws {
            let keys = try await store.location.openExisting().keys(store.name).apiKeys()
            try common.console.result(keys.map(Answer.init))
            for key in keys {
                let end = key.revokedAt.flatMap { Timestamp.text(of: $0) }.map { "revoked \($0)" } ?? "holds"
                common.console.show(
                    [key.name, key.role.rawValue, key.hint, Timestamp.text(of: key.createdAt) ?? "", end]
                        .joined(separator: "\t"))
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a key; a running server knows within seconds.",
            discussion: "Example: loam keys revoke page --store chats.sqlite")

        @Argument(help: "What it is called.")
        var name: String

        @OptionGroup var store: StoreOptions
        @OptionGroup var common: CommonOptions

        struct Answer: Encodable { var revoked: String }

        func run() async throws {
            try await store.location.openExisting().keys(store.name).revokeAPIKey(named: name)
            try common.console.result(Answer(revoked: name))
            common.console.show("\(name) holds no more")
        }
    }
}

extension APIKey.Role: ExpressibleByArgument {}

extension ConversationStore {
    /// The store as one of keys.
    fileprivate func keys(_ name: String) throws -> any APIKeyStore {
        guard let keys = self as? any APIKeyStore else {
            throw ImprovementFault(description: "\(name): keeps no keys")
        }
        return keys
    }
}

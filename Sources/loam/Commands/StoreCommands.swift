import ArgumentParser
import Conversations
import Foundation
import Improvement
import Storage

/// Which store a command speaks to.
struct StoreOptions: ParsableArguments {
    @Option(
        name: .long,
        help:
            "The conversations: an SQLite file, postgres://…, or none for memory alone (default: LOAM_STORE, or loam.sqlite)."
    )
    var store: String?

    /// The place as it was written, perhaps with a password.
    var path: String { store ?? ProcessInfo.processInfo.environment["LOAM_STORE"] ?? "loam.sqlite" }
    var location: StoreLocation { StoreLocation(path) }
    /// The place for messages.
    var name: String { location.name }
}

/// What one does with a store as a whole.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Brings a store up to date, checks it, copies it; a person's rights.",
        subcommands: [
            StoreMigrateCommand.self, StoreCheckCommand.self, StoreCopyCommand.self, StoreShowCommand.self,
            StorePersonCommand.self, StoreForgetCommand.self, StoreRetentionCommand.self, StoreAccessesCommand.self,
        ])
}

struct StoreMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Makes a store, or brings an older one up to date.",
        discussion: """
            Every command does this on opening; here it is a step of its own, before a new version is put to use.

            Example: loam store migrate --store chats.sqlite
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var conversations: Int
        var messages: Int
        var feedback: Int
        var people: Int
    }

    func run() async throws {
        let counts = try await store.location.open().counts()
        try common.console.result(
            Answer(
                conversations: counts.conversations, messages: counts.messages, feedback: counts.feedback,
                people: counts.users))
        common.console.show(
            "up to date: \(counts.conversations) conversations, \(counts.messages) messages, \(counts.feedback) votes of \(counts.users) people"
        )
    }
}

struct StoreCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads every record of a store and says what is wrong.",
        discussion: """
            Exit status 1 when something is.

            Example: loam store check --store chats.sqlite
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var conversations: Int
        var faults: [String]
    }

    func run() async throws {
        let store = try await store.location.openExisting()
        let faults = try await store.check()
        let counts = try await store.counts()
        try common.console.result(Answer(conversations: counts.conversations, faults: faults))
        for fault in faults { common.console.show("FAULT \(fault)") }
        if !faults.isEmpty { throw ExitCode(1) }
        common.console.show("ok: \(counts.conversations) conversations, \(counts.messages) messages")
    }
}

struct StoreCopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copies a store into a new one, of either kind.",
        discussion: """
            Everything goes along: history, consent, annotations, deletions, lineage. All of it or nothing.

            Example: loam store copy --from chats.sqlite --to postgres://loam@localhost/chats
            """)

    @Option(name: .long, help: "The store to read.")
    var from: String

    @Option(name: .long, help: "The new store.")
    var to: String

    @OptionGroup var common: CommonOptions

    struct Answer: Encodable { var rows: Int }

    func run() async throws {
        let source = try await StoreLocation(from).openExisting()
        let rows = try await source.copy(into: StoreLocation(to).open(for: .bulk))
        try common.console.result(Answer(rows: rows))
        common.console.show("\(rows) rows copied")
    }
}

/// Who looks at raw text, and why: it is written down before the text is shown.
struct AccessOptions: ParsableArguments {
    @Option(name: .long, help: "Who looks (default: the user's name).")
    var actor: String?

    @Option(name: .long, help: "Why, in a few words; kept in the store.")
    var reason: String

    func record(_ action: String, of subject: String, in store: any ConversationStore) async throws {
        try await store.record(
            AccessRecord(
                actor: actor ?? ProcessInfo.processInfo.userName, action: action, subject: subject, reason: reason,
                recordedAt: Date()))
    }
}

struct StoreShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints a conversation as it was said; the look is written down.",
        discussion: """
            Example: loam store show c-17 --reason "complaint of 3 May" --store chats.sqlite
            """)

    @Argument(help: "The conversation's id.")
    var conversation: String

    @OptionGroup var access: AccessOptions
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let store = try await store.location.openExisting()
        try await access.record("show", of: conversation, in: store)
        guard let found = try await store.conversation(id: conversation) else {
            throw ImprovementFault(description: "\(self.store.name): no conversation \(conversation)")
        }
        print(found.jsonLine)
    }
}

struct StorePersonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "person", abstract: "Writes everything that the store holds of a person, one record a line.",
        discussion: """
            Raw text: the look is written down. Records are {"kind": conversation | feedback | annotation | consent | memory | access |
            pair_vote | gold_answer | dataset | model, …}.

            Example: loam store person u-17 --reason "asked for it" --out person.jsonl --store chats.sqlite
            """)

    @Argument(help: "The person's id.")
    var person: String

    @Option(name: .long, help: "The file to write (default: standard output).")
    var out: String?

    @OptionGroup var access: AccessOptions
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let store = try await store.location.openExisting()
        try await access.record("person", of: StableHash.identifier(of: Array(person.utf8)), in: store)
        let data = Data((try await store.personalData(of: person)).jsonLines.utf8)
        if let out {
            try data.write(to: URL(filePath: out), options: .atomic)
        } else {
            FileHandle.standardOutput.write(data)
        }
        if data.isEmpty { Console(json: false).say("\(self.store.name): nothing is held of \(person)") }
    }
}

struct StoreForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Deletes a person everywhere in the store; names data sets and models that hold their words.",
        discussion: """
            What has left the store it cannot call back: make those data sets again, and train those models again.

            Example: loam store forget u-17 --store chats.sqlite
            """)

    @Argument(help: "The person's id.")
    var person: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let report = try await store.location.openExisting().delete(userID: person)
        try common.console.result(report)
        common.console.show(
            "\(report.conversations) conversations, \(report.feedback) votes on others', \(report.annotations) annotations deleted"
        )
        for dataset in report.datasets {
            common.console.show("still in the data set \(dataset.path) (\(dataset.shape))")
        }
        for model in report.models { common.console.show("still in the model \(model.id) (\(model.path))") }
    }
}

struct StoreRetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Deletes conversations that nobody touched for so many days.",
        discussion: """
            Example: loam store retention --days 365 --store chats.sqlite
            """)

    @Option(name: .long, help: "Length of the window.")
    var days: Double

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable { var conversations: Int }

    func validate() throws {
        guard days > 0 else { throw ValidationError("--days must be above 0, it is \(days)") }
    }

    func run() async throws {
        let edge = Date(timeIntervalSinceNow: -days * 86_400)
        let count = try await store.location.openExisting().deleteConversations(untouchedSince: edge)
        try common.console.result(Answer(conversations: count))
        common.console.show("\(count) conversations deleted")
    }
}

struct StoreAccessesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accesses", abstract: "Who looked at raw text, when and why.",
        discussion: """
            Example: loam store accesses --store chats.sqlite
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let looks = try await store.location.openExisting().accesses(since: nil)
        try common.console.result(looks)
        for look in looks {
            common.console.show(
                [
                    Timestamp.text(of: look.recordedAt) ?? "", look.actor, look.action, look.subject, look.reason,
                ].joined(separator: "\t"))
        }
    }
}

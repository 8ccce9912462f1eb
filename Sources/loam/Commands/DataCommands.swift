import ArgumentParser
import Conversations
import Deidentification
import Foundation
import Improvement
import Storage
import Synchronization
import Trust

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Reads logs into the store.",
        discussion: """
            A bad line is named and skipped, never fatal unless --strict. What people did not agree to keep is not kept.

            Example: loam import --from bb3x release_data_*.jsonl --store chats.sqlite
            """)

    @Option(
        name: .customLong("from"),
        help: "The logs' format: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format: String

    @Argument(help: "Log files, or folders of chunks.")
    var files: [String]

    @Option(name: .long, help: "What a log that does not say allows: none, improve or release.")
    var consent: Consent?

    @Flag(name: .long, help: "End at the first bad line; nothing of the file is stored then.")
    var strict = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var kept: Int
        var skipped: [String: Int]
        var messages: Int
        var people: Int
        var likes: Int
        var dislikes: Int
    }

    func run() async throws {
        let importer = LogImporter(format: try LogFormat(parsing: format), consent: consent, isStrict: strict)
        // Before anything is stored: of a name that was mistyped neither half an import nor an empty store should come.
        let logs = try files.flatMap { try LogFormat.files(at: URL(filePath: $0)) }
        if let gone = logs.first(where: { !FileManager.default.fileExists(atPath: $0.path) }) {
            throw ImprovementFault.missing(gone.relativePath)
        }
        let store = try await store.location.open(for: .bulk)
        let console = common.console
        var total = LogImporter.Counts()
        let progress = ProgressLine("messages", console)
        for file in logs {
            let before = total.messages
            let counts = try await importer.importing(file, into: store) {
                console.say("skipped \($0.text)")
            } onProgress: {
                progress.show(before + $0)
            }
            total.add(counts)
        }
        try console.result(
            Answer(
                kept: total.kept, skipped: total.reasons, messages: total.messages, people: total.people.count,
                likes: total.likes, dislikes: total.dislikes))
        let reasons = total.reasons.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        console.show(
            "\(total.kept) conversation\(total.kept == 1 ? "" : "s") kept, \(total.messages) messages of \(total.people.count) people, "
                + "\(total.likes) likes, \(total.dislikes) dislikes; \(total.skipped) skipped"
                + (reasons.isEmpty ? "" : " (\(reasons))"))
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes consented, de-identified conversations or training data, with a data card.",
        discussion: """
            Shapes: loam (conversations), bb3x (a release: 100 chunks; needs consent release), trl-sft, trl-prompt-completion,
            openai-sft (liked replies), trl-kto (thumbs), trl-dpo, trl-reward, openai-dpo (corrections and siblings).
            What is left out is counted.

            Example: loam export --to trl-kto --split train=.9,valid=.05,test=.05 --store chats.sqlite --out data
            """)

    @Option(name: .customLong("to"), help: "The shape.")
    var shape: DatasetExport.Shape

    @Option(name: .long, help: "The folder to write to.")
    var out: String

    @Option(name: .long, help: "File of the pseudonyms' key (default: OUT/../deidentify.key, made when missing).")
    var key: String?

    @Option(name: .long, help: "Only what began or changed since this time: 2024-03-01 or 2024-03-01T09:30:00Z.")
    var since: String?

    @Option(name: .long, help: "Parts by person, such as train=.9,valid=.05,test=.05.")
    var split: String?

    @Option(name: .customLong("min-trust"), help: "Only votes of people trusted this much, 0 to 1; needs --trust.")
    var minimumTrust: Double?

    @Option(name: .long, help: "users.csv of loam trust.")
    var trust: String?

    @Flag(inversion: .prefixedNo, help: "Leave out spam and near-copies (default: only for bb3x).")
    var clean: Bool?

    @Option(name: .long, help: "Labelled texts in presidio-research's JSON: the card then has the recall.")
    var labelled: String?

    @Flag(
        inversion: .prefixedNo,
        help:
            "Find names by the encoder too: a few hundred messages a second (default: only for bb3x, which is published)."
    )
    var names: Bool?

    @OptionGroup var kept: KeptNames
    @OptionGroup var store: StoreOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let since, Timestamp.date(from: since) == nil {
            throw ValidationError("--since: expected a time such as 2024-03-01, found \(since)")
        }
        if (minimumTrust == nil) != (trust == nil) { throw ValidationError("--min-trust and --trust go together") }
        if let minimumTrust, !(0...1).contains(minimumTrust) {
            throw ValidationError("--min-trust is from 0 to 1, not \(minimumTrust)")
        }
    }

    func run() async throws {
        let folder = URL(filePath: out)
        let keyFile =
            key.map { URL(filePath: $0) } ?? folder.deletingLastPathComponent().appending(path: "deidentify.key")
        var trusted: (minimum: Double, users: [String: Double])?
        if let minimumTrust, let trust { trusted = (minimumTrust, try TrustedUsers.read(URL(filePath: trust))) }
        let export = DatasetExport(
            shape: shape, keptNames: kept.names, since: since.flatMap(Timestamp.date(from:)),
            split: try split.map { try UserSplit(parsing: $0) }, trust: trusted, isCleaned: clean,
            labelled: labelled.map { URL(filePath: $0) },
            tagger: names ?? (shape == .bb3x) ? try places.nameTagger() : nil)
        let progress = ProgressLine("conversations", common.console)
        let result = try await export.run(store: store.location.openExisting(), to: folder, key: keyFile) {
            progress.show($0)
        }
        try common.console.result(result)
        let cleaned = result.cleaned.sorted { $0.key < $1.key }.map { ", \($0.value) \($0.key)" }.joined()
        common.console.show(
            "\(result.lines) lines of \(result.conversations) conversations in \(result.files.count) files under \(out); left out: \(result.withoutConsent) without consent\(cleaned)"
                + (result.distrusted > 0 ? ", \(result.distrusted) votes" : ""))
    }
}

extension DatasetExport.Shape: ExpressibleByArgument {}

/// A line every few seconds of long work.
final class ProgressLine: Sendable {
    private let unit: String
    private let console: Console
    private let start = ContinuousClock.now
    private let last = Mutex(ContinuousClock.now)

    init(_ unit: String, _ console: Console) {
        self.unit = unit
        self.console = console
    }

    func show(_ count: Int) {
        let now = ContinuousClock.now
        let isDue = last.withLock { last in
            guard now - last >= .seconds(5) else { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let seconds = max(1, (now - start).components.seconds)
        console.say("        \(count) \(unit), \(Int64(count) / seconds)/s")
    }
}

/// Names that de-identification leaves alone.
struct KeptNames: ParsableArguments {
    @Option(
        name: .customLong("keep"), parsing: .upToNextOption,
        help: "Names that are nobody's secret and stay: the bot's own, your brand.")
    var names: [String] = []
}

/// A file that is not there or cannot be written: bad input, said in one line.
struct ImprovementFault: InputFault, CustomStringConvertible {
    var description: String
    static func missing(_ path: String) -> Self { Self(description: "\(path): no such file") }
    static func unwritable(_ path: String) -> Self { Self(description: "\(path): may not be written") }
}

/// Trust by person out of the `users.csv` that `loam trust` writes.
enum TrustedUsers {
    static func read(_ file: URL) throws -> [String: Double] {
        guard let data = try? Data(contentsOf: file) else { throw ImprovementFault.missing(file.relativePath) }
        let records = try CSV.records(data, file: file.relativePath)
        guard let head = records.first, let user = head.fields.firstIndex(of: "user"),
            let trust = head.fields.firstIndex(of: "trust")
        else { throw ImprovementFault(description: "\(file.relativePath): expected the columns user and trust") }
        var users: [String: Double] = [:]
        for record in records.dropFirst() {
            guard record.fields.count > max(user, trust), let value = Double(record.fields[trust]) else {
                throw ImprovementFault(description: "\(file.relativePath):\(record.line): trust: expected a number")
            }
            users[record.fields[user]] = value
        }
        return users
    }
}

import Conversations
import Deidentification
import Foundation
import Storage

/// The store's conversations without what identifies people, in one file that every later stage reads.
struct DeidentifyStage: Stage {
    let name = "deidentify"
    let configuration: ImproveConfiguration
    /// The pseudonyms' key: kept apart from the data, made when it is not there.
    let key: URL
    let makeEncoder: @Sendable () throws -> any TextEncoder

    /// Conversations that are encoded together.
    private static let batch = 16

    var settings: [String: String] {
        var settings = ["kept_names": configuration.keptNames.sorted().joined(separator: ", ")]
        if configuration.findsNames == true { settings["names"] = "encoder" }
        return settings
    }

    private func tagger() throws -> NameTagger? {
        guard configuration.findsNames == true else { return nil }
        guard let encoder = try makeEncoder() as? any WordEncoder else {
            throw ImprovementError.noData(
                configuration.encoder, "this encoder gives no states of words to find names by")
        }
        return try NameTagger(head: .shipped(), encoder: encoder)
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let store = try await StoreLocation(configuration.store).open()
        try FileManager.default.createDirectory(at: key.deletingLastPathComponent(), withIntermediateDirectories: true)
        var random = SystemRandomNumberGenerator()
        let deidentifier = try Deidentifier(
            key: DeidentificationKey.loadOrCreate(at: key, using: &random),
            lexicon: Lexicon(kept: configuration.keptNames))
        let file = work.own("conversations.jsonl")
        let half = work.own("conversations.part")
        var writer = try LogWriter(half)
        var (cameIn, kept, messages) = (0, 0, 0)
        var counts: [String: Int] = [:]
        let split = try Corpus.split(seed: configuration.seed)
        var learntFrom: Set<String> = []
        var everybody: Set<String> = []
        let tagger = try tagger()
        var waiting: [Conversation] = []
        func flush() async throws {
            let treated =
                if let tagger {
                    try await deidentifier.deidentify(waiting, with: tagger)
                } else { waiting.map { deidentifier.deidentify($0) } }
            for (said, (clean, findings)) in zip(waiting, treated) {
                // Whoever voted on a conversation belongs to it: a correction of theirs is learnt like one of its own person.
                let people = [said.userID] + said.messages.flatMap(\.feedback).map(\.userID)
                // The others' words judge the model, and it never meets them.
                if split.part(of: clean.userID) == Corpus.Part.learn.rawValue { learntFrom.formUnion(people) }
                everybody.formUnion(people)
                for finding in findings { counts[finding.entity.rawValue, default: 0] += 1 }
                try writer.write(clean)
                kept += 1
                messages += clean.messages.count
            }
            waiting = []
        }
        // The store hands conversations out by id, so the file is the same whatever order they came in.
        for try await conversation in store.conversations(consent: .none) {
            cameIn += 1
            guard conversation.consent >= .improve else { continue }
            waiting.append(conversation)
            if waiting.count >= Self.batch {
                try await flush()
                if tagger != nil, cameIn % 500 < Self.batch { work.report("\(cameIn) conversations") }
            }
        }
        try await flush()
        try writer.close()
        guard kept > 0 else {
            throw ImprovementError.noData(
                configuration.storeName, "none of \(cameIn) conversations may be learnt from (consent)")
        }
        try? FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: half, to: file)
        try RunFolder.write(counts, to: work.own("findings.json"))
        let id = Self.dataset(in: work.folder, on: work.today)
        try Data(id.utf8).write(to: work.own(Self.datasetFile), options: .atomic)
        try await store.record(
            DatasetRecord(
                id: id, path: file.path, shape: "run", conversations: kept, people: learntFrom.count,
                createdAt: work.today), people: learntFrom)
        // The file holds the others too, and whoever voted: no model learns from it as this data set, but a deletion names it.
        try await store.record(
            DatasetRecord(
                id: id + "-all", path: file.path, shape: "run", conversations: kept, people: everybody.count,
                createdAt: work.today), people: everybody)
        let found = counts.values.reduce(0, +)
        let most = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5)
            .map { "\($0.key) \(StageOutcome.grouped($0.value))" }.joined(separator: ", ")
        return StageOutcome(
            unit: "conversations", cameIn: cameIn, wentOut: kept, dropped: ["no consent": cameIn - kept],
            figures: [
                .init("messages", StageOutcome.grouped(messages)),
                .init("replaced", found == 0 ? "0" : "\(StageOutcome.grouped(found)) (\(most))"),
            ])
    }

    /// Holds the data set's id: a folder that is moved, or copied by another run, is still what the store knows.
    static let datasetFile = "dataset"

    /// The id of the data set in a stage's folder: the one kept there, or else the one of its place and day.
    static func dataset(in folder: URL, on day: Date) -> String {
        let kept = try? String(contentsOf: folder.appending(path: datasetFile), encoding: .utf8)
        return kept.flatMap { $0.isEmpty ? nil : $0 } ?? datasetID(of: folder, on: day)
    }

    /// Under which the store knows who is in a run's conversations. What was said after the run's day counts as not in them, even
    /// where the run came to this stage later.
    static func datasetID(of folder: URL, on day: Date) -> String {
        StableHash.identifier(
            of: Array("\(folder.standardizedFileURL.path) \(day.timeIntervalSince1970)".utf8))
    }
}

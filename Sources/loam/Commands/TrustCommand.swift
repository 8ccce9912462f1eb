import ArgumentParser
import Conversations
import Foundation
import Generation
import Statistics
import Trust

struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "From votes to whom to believe: a CSV in, users and items out.",
        discussion: """
            Votes have the columns user,item,label[,time]; texts the columns item,text. Labels are thumbs (1 or 0, up or down)
            unless --labels says otherwise. Writes users.csv, items.csv, votes_weighted.csv and report.html.

            Example: loam trust --votes votes.csv --texts texts.csv --out trust
            Example: loam trust --votes votes.csv --labels any --method dawid-skene --out trust
            Example: loam trust --votes votes.csv --why anna
            """)

    @Flag(name: .long, help: "Names the methods.")
    var list = false

    @Option(name: .long, help: "The votes.")
    var votes: String?

    @Option(name: .long, help: "What the items say.")
    var texts: String?

    @Option(name: .long, help: "The method (default: joint with texts or anchors, guarded without).")
    var method: String?

    @Option(name: .long, help: "The classes: thumbs, any (every label in the file), or names separated by commas.")
    var labels = "thumbs"

    @Option(name: .long, help: "Known classes, columns item,label: accuracy and a reliability curve against them.")
    var gold: String?

    @Option(name: .long, help: "Items whose truth is known, columns item,label, for the method joint to go by.")
    var anchors: String?

    @Option(name: .long, help: "People who are trusted beforehand, separated by commas, for the method joint.")
    var trusted: String?

    @Option(name: .long, help: "Says in plain words why this person is believed as far as they are.")
    var why: String?

    @Option(name: .long, help: "The folder to write to.")
    var out: String?

    @Option(name: .long, help: "Makes the run repeatable.")
    var seed: UInt64 = 1

    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var method: String
        var votes: Int
        var people: Int
        var items: Int
        var flagged: Int
        var skipped: Int
        var accuracy: Double?
        var logLikelihood: Double?
        var why: [String]?

        enum CodingKeys: String, CodingKey {
            case method, votes, people, items, flagged, skipped, accuracy, why
            case logLikelihood = "log_likelihood"
        }
    }

    /// What `--list` says of a method.
    struct Method: Encodable {
        var name: String
        var readsTexts: Bool
        var summary: String
        var source: String

        init(_ method: any TrustMethod) {
            name = method.name
            readsTexts = method.usesContent
            summary = method.summary
            source = method.source
        }

        enum CodingKeys: String, CodingKey {
            case name, summary, source
            case readsTexts = "reads_texts"
        }
    }

    /// The classes as they were asked for.
    private var kinds: BallotFile.Labels {
        switch labels {
        case "thumbs": .thumbs
        case "any": .any
        default: .named(labels.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
        }
    }

    func validate() throws {
        guard list || votes != nil && (out != nil || why != nil) else {
            throw ValidationError("--votes FILE and --out DIR, or --why PERSON, are needed (or --list)")
        }
        do {
            try kinds.check()
        } catch let error as TrustError {
            throw ValidationError("--labels: \(error.message)")
        }
    }

    func run() async throws {
        if list {
            try common.console.result(TrustMethods.all.map(Method.init))
            for method in TrustMethods.all {
                common.console.show(
                    "\(method.name)\(method.usesContent ? " (reads texts)" : ""): \(method.summary) (\(method.source))")
            }
            return
        }
        let method = try chosenMethod()
        let generator = SeededGenerator(seed: seed)
        let (findings, skipped, collusion, foretold) = try await weigh(method, generator)
        for line in skipped.lines.prefix(20) {
            common.console.say("skipped \(votes ?? ""):\(line.line): \(line.reason)")
        }
        if skipped.count > 20 { common.console.say("… \(skipped.count) lines skipped in all") }
        for note in findings.notes { common.console.say(note) }
        let known = try gold.flatMap {
            try HeldOutReliability.measure(findings, gold: VoteFile.gold(URL(filePath: $0)))
        }
        if let out {
            let folder = URL(filePath: out)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try findings.write(to: folder)
            var heldOut: Reliability?
            if let model = method as? any VoteModel {
                heldOut = try HeldOutReliability.measure(model, on: findings.ballots, generator: generator)
            }
            var page = TrustPage(findings, heldOut: heldOut ?? foretold, gold: known, skipped: skipped.count)
            if heldOut == nil { page.heldOutVotes = "every vote as all the others foretell it" }
            try Data(page.html.utf8).write(to: folder.appending(path: "report.html"), options: .atomic)
        }
        let explanation = try why.map { try UserExplanation($0, in: findings, collusion: collusion) }
        let flagged = findings.users.count { !$0.flags.isEmpty }
        try common.console.result(
            Answer(
                method: method.name, votes: findings.ballots.count, people: findings.users.count,
                items: findings.ballots.items.count, flagged: flagged, skipped: skipped.count,
                accuracy: known.map { Double($0.right) / Double($0.known) },
                logLikelihood: findings.solution.logLikelihood, why: explanation?.sentences))
        if let explanation { common.console.show(explanation.description) }
        if let out {
            let right = known.map { ", \($0.right) of \($0.known) known items right" } ?? ""
            common.console.show(
                "\(findings.ballots.count) votes of \(findings.users.count) people, \(flagged) flagged\(right); see \(out)/report.html"
            )
        }
    }

    private func chosenMethod() throws -> any TrustMethod {
        let hasAnchors = anchors != nil || trusted != nil
        let method = try TrustMethods.named(self.method ?? (texts == nil && !hasAnchors ? "guarded" : "joint"))
        guard hasAnchors else { return method }
        guard method is JointModel else {
            throw ValidationError("\(method.name) takes no anchors; leave --anchors and --trusted out, or take joint")
        }
        let users = Set(trusted?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? [])
        guard let anchors else { return JointModel(anchors: TrustAnchors(users: users)) }
        return JointModel(anchors: try TrustAnchors(items: URL(filePath: anchors), users: users))
    }

    /// Methods that look at votes alone read numbers straight from the file; the others get votes with what the items say.
    private func weigh(
        _ method: any TrustMethod, _ generator: SeededGenerator
    ) async throws -> (
        VoteFindings, skipped: (lines: [VoteFile.Skipped], count: Int), Collusion?, foretold: Reliability?
    ) {
        let url = URL(filePath: votes ?? "")
        let texts = try texts.map { try VoteFile.texts(URL(filePath: $0)) }
        if let model = method as? any VoteModel {
            let file = try BallotFile(url, labels: kinds)
            var solution = try model.solve(file.ballots, generator: generator)
            var collusion: Collusion?
            if let texts {
                let found = Collusion(file.ballots, texts: file.ballots.items.strings.map { texts[$0] })
                for (user, flags) in found.flags {
                    let known = solution.flags[user] ?? []
                    solution.flags[user] = known + flags.filter { !known.contains($0) }
                }
                collusion = found
            }
            let findings = VoteFindings(file.ballots, solution, method: model.name)
            return (findings, (file.skipped, file.skippedCount), collusion, nil)
        }
        guard labels == "thumbs" else { throw ValidationError("\(method.name) weighs thumbs only; leave --labels out") }
        let file = try VoteFile(url)
        let table = try await table(file.votes, texts)
        let report = try method.weigh(table, generator: generator)
        let collusion = Collusion(Ballots(table), texts: texts.map { known in table.items.map { known[$0] } })
        return (
            VoteFindings(
                report, on: table, flags: collusion.flags, weights: method is JointModel ? collusion.weights : nil),
            (file.skipped, file.skipped.count), collusion,
            try HeldOutReliability.measure(report)
        )
    }

    private func table(_ votes: [Vote], _ texts: [String: String]?) async throws -> VoteTable {
        guard let texts else { return try VoteTable(votes: votes) }
        // Nothing but CSVs is needed; a folder that was asked for by name must be there.
        guard places.encoder != nil || FileManager.default.fileExists(atPath: places.encoderFolder) else {
            common.console.say(
                "no sentence encoder at \(places.encoderFolder): the words of the texts are the content (TF-IDF)")
            return try VoteTable(votes: votes, texts: texts)
        }
        let encoder = try SentenceEncoder(folder: URL(filePath: places.encoderFolder))
        let items = Array(Set(votes.map(\.item))).sorted().filter { texts[$0] != nil }
        let vectors = try await encoder.encode(items.map { texts[$0] ?? "" })
        let rows = Dictionary(items.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let placed = votes.map { vote in
            var vote = vote
            vote.row = rows[vote.item]
            return vote
        }
        return try VoteTable(votes: placed, features: Matrix(vectors), texts: texts)
    }
}

// Votes that cannot be read, a method that there is not, a person whom nobody knows: what was given is at fault.
extension TrustError: InputFault {}

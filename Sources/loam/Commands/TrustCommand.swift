import ArgumentParser
import Foundation
import Generation
import Statistics
import Trust

struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "From votes to whom to believe: a CSV in, users and items out.",
        discussion: """
            Votes have the columns user,item,label[,time]; texts the columns item,text. Methods that look at content need
            the texts. Writes users.csv, items.csv and votes_weighted.csv.

            Example: loam trust --votes votes.csv --texts texts.csv --out trust
            """)

    @Flag(name: .long, help: "Names the methods.")
    var list = false

    @Option(name: .long, help: "The votes.")
    var votes: String?

    @Option(name: .long, help: "What the items say.")
    var texts: String?

    @Option(name: .long, help: "The method.")
    var method = "user-types"

    @Option(name: .long, help: "The folder to write to.")
    var out: String?

    @Option(name: .long, help: "Makes the run repeatable.")
    var seed: UInt64 = 1

    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var votes: Int
        var people: Int
        var flagged: Int
        var skipped: Int
    }

    func run() async throws {
        if list {
            for method in TrustMethods.all { print("\(method.name): \(method.summary) (\(method.source))") }
            return
        }
        guard let votes, let out else { throw ValidationError("--votes FILE and --out DIR are needed (or --list)") }
        let method = try TrustMethods.named(method)
        let file = try VoteFile(URL(filePath: votes))
        for skipped in file.skipped.prefix(20) {
            common.console.say("skipped \(votes):\(skipped.line): \(skipped.reason)")
        }
        var table: VoteTable
        if let texts {
            let texts = try VoteFile.texts(URL(filePath: texts))
            let encoder = try SentenceEncoder(folder: URL(filePath: places.encoderFolder))
            let items = Array(Set(file.votes.map(\.item))).sorted().filter { texts[$0] != nil }
            let vectors = try await encoder.encode(items.map { texts[$0] ?? "" })
            let rows = Dictionary(items.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            let placed = file.votes.map { vote in
                var vote = vote
                vote.row = rows[vote.item]
                return vote
            }
            table = try VoteTable(votes: placed, features: Matrix(vectors), texts: texts)
        } else {
            table = try VoteTable(votes: file.votes)
        }
        let report = try method.weigh(table, generator: SeededGenerator(seed: seed))
        let folder = URL(filePath: out)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try report.write(to: folder)
        for note in report.notes { common.console.say(note) }
        try common.console.result(
            Answer(
                votes: report.votes.count, people: report.users.count, flagged: report.flagged.count,
                skipped: file.skipped.count))
        common.console.show(
            "\(report.votes.count) votes of \(report.users.count) people, \(report.flagged.count) flagged; see \(out)/users.csv"
        )
    }
}

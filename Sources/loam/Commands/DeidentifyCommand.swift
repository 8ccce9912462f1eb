import ArgumentParser
import Conversations
import Deidentification
import Foundation
import Generation
import Improvement
import Torch

struct DeidentifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deidentify",
        abstract: "Takes out of text what tells who somebody is; or scores itself on labelled texts.",
        discussion: """
            Lines of plain text or of a Loam log, standard input to standard output unless files are named. With --names, names
            are found by an encoder too, beside the lists and rules.

            Examples: loam deidentify < chat.txt
                      loam deidentify --score labelled.json --held-out --names
                      loam deidentify --plant labelled.json --from convai2 --in chats.json --out planted.json
            """)

    @Option(name: .customLong("in"), help: "File to read (default: standard input).")
    var input: String?

    @Option(name: .customLong("out"), help: "File to write (default: standard output).")
    var output: String?

    @Option(name: .customLong("operator"), help: "pseudonymise, replace, redact, mask, hash or keep.")
    var rule: Operator = .pseudonymise

    @Option(name: .long, help: "File of the pseudonyms' key (default: deidentify.key, made when missing).")
    var key = "deidentify.key"

    @Flag(name: .long, help: "Find names by the encoder too.")
    var names = false

    @Option(name: .long, help: "Another name head for --names, written by Scripts/train-names.")
    var head: String?

    @Option(
        name: .long,
        help: "Labelled texts, presidio-research's JSON or lines `token TAB tag`: prints precision and recall instead.")
    var score: String?

    @Flag(name: .customLong("held-out"), help: "Score only texts of the templates that nothing was trained on.")
    var isHeldOut = false

    @Flag(name: .long, help: "Score what it does to a text: well-known places stay, and are not found.")
    var asUsed = false

    @Option(
        name: .long,
        help:
            "Plant made-up identities into the people's messages of the log --in; names come from these labelled texts."
    )
    var plant: String?

    @Option(name: .customLong("from"), help: "Format of the log to plant into.")
    var format = LogFormat.convai2.rawValue

    @Option(name: .long, help: "Makes planting repeatable.")
    var seed: UInt64 = 1

    @OptionGroup var kept: KeptNames
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if plant != nil, input == nil || output == nil { throw ValidationError("--plant needs --in and --out") }
        if head != nil, !names { throw ValidationError("--head goes with --names") }
        if isHeldOut, score == nil, plant == nil { throw ValidationError("--held-out goes with --score or --plant") }
        if asUsed, score == nil { throw ValidationError("--as-used goes with --score") }
        if score != nil, plant != nil || input != nil || output != nil {
            throw ValidationError("--score reads the file that it names: it goes without --plant, --in and --out")
        }
        if common.json, score == nil, output == nil {
            throw ValidationError("--json needs --out: without a file the text itself is what is printed")
        }
    }

    func run() async throws {
        if let plant {
            try planting(plant)
        } else if let score {
            try await scoring(score)
        } else {
            try await treating()
        }
    }

    private func tagger() throws -> NameTagger? {
        guard names else { return nil }
        return try places.nameTagger(head: head)
    }

    // MARK: Treating

    /// Lines that are encoded together.
    private static let batch = 64

    /// What came of it, as JSON.
    struct Treated: Encodable {
        var texts: Int
        var textsWithFindings: Int
        var findings: [String: Int]

        init(_ counts: FindingCounts) {
            (texts, textsWithFindings) = (counts.texts, counts.textsWithFindings)
            findings = Dictionary(uniqueKeysWithValues: counts.counts.map { ($0.key.rawValue, $0.value) })
        }

        enum CodingKeys: String, CodingKey {
            case texts, findings
            case textsWithFindings = "texts_with_findings"
        }
    }

    private func treating() async throws {
        guard let output else {
            _ = try await treating(to: FileHandle.standardOutput)
            return
        }
        // What is read may be the very file that is written.
        let file = try WholeFile(output)
        let counts: FindingCounts
        do {
            counts = try await treating(to: file.handle)
        } catch {
            file.discard()
            throw error
        }
        try file.close()
        try common.console.result(Treated(counts))
    }

    /// A line of a log.
    /// - Throws: `LogError` that names file, line and field.
    private func conversation(_ line: some Collection<UInt8>, _ number: Int) throws(LogError) -> Conversation {
        do throws(LogError) {
            return try Conversation(jsonLine: line)
        } catch {
            throw LogError(
                error.code, file: input ?? "standard input", line: number, field: error.field, reason: error.reason)
        }
    }

    private func treating(to handle: FileHandle) async throws -> FindingCounts {
        var random = SystemRandomNumberGenerator()
        let deidentifier = try Deidentifier(
            key: DeidentificationKey.loadOrCreate(at: URL(filePath: key), using: &random),
            operators: OperatorTable(rule), lexicon: Lexicon(kept: kept.names))
        let tagger = try tagger()
        var counts = FindingCounts()
        var number = 0
        var waiting: [(conversation: Conversation, isPlain: Bool)] = []
        func flush() async throws {
            let conversations = waiting.map(\.conversation)
            let treated: [(Conversation, [Finding])]
            if let tagger {
                treated = try await deidentifier.deidentify(conversations, with: tagger)
            } else {
                treated = conversations.map { deidentifier.deidentify($0) }
            }
            for (item, result) in zip(waiting, treated) {
                counts.add(result.1)
                let line = item.isPlain ? result.0.messages.first?.text ?? "" : result.0.jsonLine
                try handle.write(contentsOf: Data((line + "\n").utf8))
            }
            waiting = []
        }
        func add(_ line: some Collection<UInt8>) async throws {
            number += 1
            if line.first == UInt8(ascii: "{") {
                waiting.append((try conversation(line, number), false))
            } else {
                // A plain line is a text of its own: pseudonyms hold within it.
                let text = String(decoding: line, as: UTF8.self)
                let message = Message(id: "", sender: .human, text: text)
                waiting.append((Conversation(id: "line \(number)", userID: "", messages: [message]), true))
            }
            if tagger == nil || waiting.count >= Self.batch { try await flush() }
        }
        if let input {
            var reader = try LineReader(URL(filePath: input))
            while let line = try reader.next() {
                guard case .bytes(let bytes) = line.content else {
                    throw LogError(.invalidUTF8, file: input, line: line.number, reason: "too long, or not UTF-8")
                }
                try await add(bytes)
            }
        } else {
            while let line = readLine(strippingNewline: true) { try await add(Array(line.utf8)) }
        }
        try await flush()
        common.console.say("replaced: \(counts)")
        return counts
    }

    // MARK: Scoring

    struct Answer: Encodable {
        struct Row: Encodable {
            var marked, found, removed, findings, right: Int
            var recall, precision, f1, f2: Double

            init(_ row: DeidentificationScore.Row) {
                (marked, found, removed, findings, right) = (
                    row.marked, row.found, row.removed, row.findings, row.right
                )
                (recall, precision, f1, f2) = (row.recall, row.precision, row.f1, row.f2)
            }
        }
        var texts: Int
        var rows: [String: Row]
        var leakRate: Double
        var alarmsPerHundred: Double
        var textsPerSecond: Double
    }

    private func scoring(_ path: String) async throws {
        var random = SystemRandomNumberGenerator()
        var texts = try LabelledText.read(URL(filePath: path))
        if isHeldOut { texts = texts.filter(\.isHeldOut) }
        let deidentifier = try Deidentifier(
            key: DeidentificationKey(using: &random), lexicon: Lexicon(kept: kept.names), includesKnown: !asUsed)
        let tagger = try tagger()
        let clock = ContinuousClock()
        let start = clock.now
        var found: [[Finding]] = []
        for part in stride(from: 0, to: texts.count, by: 256).map({ texts[$0..<min($0 + 256, texts.count)] }) {
            let part = part.map(\.text)
            if let tagger {
                found += try await deidentifier.findings(in: part, with: tagger)
            } else {
                found += part.map { deidentifier.findings(in: $0) }
            }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let result = DeidentificationScorer().score(texts, found: found)
        let speed = Double(texts.count) / max(seconds, 1e-9)
        var rows = Dictionary(uniqueKeysWithValues: result.rows.map { ($0.key.rawValue, Answer.Row($0.value)) })
        rows["places"] = Answer.Row(result.places)
        rows["patterns"] = Answer.Row(result.patterns)
        rows["all"] = Answer.Row(result.overall)
        try common.console.result(
            Answer(
                texts: result.texts, rows: rows, leakRate: result.leakRate, alarmsPerHundred: result.alarmsPerHundred,
                textsPerSecond: speed))
        let console = common.console
        console.show("entity                marked  found  recall  precision      F1      F2")
        for (entity, row) in result.rows.sorted(by: { $0.key < $1.key }) {
            console.show(Self.line(entity.rawValue, row))
        }
        console.show(Self.line("places", result.places))
        console.show(Self.line("patterns", result.patterns))
        console.show(Self.line("all", result.overall))
        console.show(
            String(
                format:
                    "%d texts, %.0f a second; %.2f %% of the marked spans can still be read in part; %.2f findings beside any mark per 100 texts",
                result.texts, speed, 100 * result.leakRate, result.alarmsPerHundred))
    }

    private static func line(_ name: String, _ row: DeidentificationScore.Row) -> String {
        let figures = [row.recall, row.precision, row.f1, row.f2].map { String(format: "%7.3f", $0) }.joined(
            separator: "  ")
        return name.padding(toLength: 20, withPad: " ", startingAt: 0)
            + String(format: "%8d%7d ", row.marked, row.found) + figures
    }

    // MARK: Planting

    /// What came of it, as JSON.
    struct Planted: Encodable {
        var messages: Int
        var planted: Int
    }

    private func planting(_ labelled: String) throws {
        var people: Set<String> = []
        for text in try LabelledText.read(URL(filePath: labelled)) where !isHeldOut || text.isHeldOut {
            let scalars = Array(text.text.unicodeScalars)
            for span in text.spans where span.entity == "PERSON" && span.end <= scalars.count {
                people.insert(String(String.UnicodeScalarView(scalars[span.start..<span.end])))
            }
        }
        let planter = try PlantedIdentities(people: people.sorted(), seed: seed)
        var messages: [String] = []
        for file in try LogFormat.files(at: URL(filePath: input ?? "")) {
            let reader = try LogFormat(parsing: format).reader(of: file)
            while let event = try reader.next() {
                guard case .conversation(let conversation) = event else { continue }
                messages += conversation.messages.filter { $0.sender == .human && !$0.text.isEmpty }.map(\.text)
            }
        }
        let planted = planter.plant(into: messages)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let file = try WholeFile(output ?? "")
        do {
            try file.handle.write(contentsOf: encoder.encode(planted))
        } catch {
            file.discard()
            throw error
        }
        try file.close()
        let count = planted.count { !$0.spans.isEmpty }
        try common.console.result(Planted(messages: planted.count, planted: count))
        common.console.say("\(planted.count) messages, \(count) with something planted")
    }
}

extension Operator: ExpressibleByArgument {}

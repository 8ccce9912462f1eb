import Foundation

/// What the simulation knows and a log does not show: what each reply really was and what kind each person is.
public struct HiddenTruth: Sendable, Hashable {
    /// Verdicts by message id.
    public var verdicts: [String: Verdict]
    /// Kinds by user id.
    public var kinds: [String: PersonKind]

    public init(verdicts: [String: Verdict] = [:], kinds: [String: PersonKind] = [:]) {
        self.verdicts = verdicts
        self.kinds = kinds
    }

    private struct Line: Codable {
        var messageID: String?
        var category: String?
        var userID: String?
        var kind: String?

        enum CodingKeys: String, CodingKey {
            case category, kind
            case messageID = "message_id"
            case userID = "user_id"
        }
    }

    /// One JSON object a line: `{"kind", "user_id"}` for people, then `{"category", "message_id"}` for replies.
    public func write(to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = Data()
        for (user, kind) in kinds.sorted(by: { $0.key < $1.key }) {
            data.append(try encoder.encode(Line(userID: user, kind: kind.rawValue)))
            data.append(0x0A)
        }
        for (message, verdict) in verdicts.sorted(by: { $0.key < $1.key }) {
            data.append(try encoder.encode(Line(messageID: message, category: verdict.name)))
            data.append(0x0A)
        }
        try data.write(to: file, options: .atomic)
    }

    /// Reads what `write(to:)` wrote. Throws `SimulationError` that names the line.
    public init(contentsOf file: URL) throws {
        self.init()
        let decoder = JSONDecoder()
        for (at, line) in try Data(contentsOf: file).split(separator: 0x0A).enumerated() {
            guard let line = try? decoder.decode(Line.self, from: Data(line)) else {
                throw SimulationError(file: file, line: at + 1, problem: "not a line of hidden truth")
            }
            if let user = line.userID, let kind = line.kind.flatMap(PersonKind.init(rawValue:)) {
                kinds[user] = kind
            } else if let message = line.messageID, let verdict = line.category.flatMap(Verdict.init(name:)) {
                verdicts[message] = verdict
            } else {
                throw SimulationError(
                    file: file, line: at + 1, problem: "neither user_id with kind nor message_id with category")
            }
        }
    }
}

/// Something wrong with what the simulation was given.
public struct SimulationError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(file: URL, line: Int, problem: String) {
        description = "\(file.lastPathComponent):\(line): \(problem)"
    }
}

import Conversations
import Foundation

/// Blind votes as JSON lines: `conversation`, `rater`, `first`, `second`, `choice`, and `first_length`, `second_length` where
/// known.
public enum PairVoteFile {
    /// Reads every vote; empty lines are passed over.
    /// - Throws: `LogError` that names file, line and field of the first line that is no vote, or says that there is none.
    public static func read(_ url: URL) throws -> [PairVote] {
        var reader = try LineReader(url)
        let decoder = JSONDecoder()
        var votes: [PairVote] = []
        while let line = try reader.next() {
            guard let text = line.text else {
                throw LogError(.invalidUTF8, file: url.path, line: line.number, reason: "too long, or not UTF-8")
            }
            guard !text.allSatisfy(\.isWhitespace) else { continue }
            do {
                votes.append(try decoder.decode(PairVote.self, from: Data(text.utf8)))
            } catch let error as DecodingError {
                throw fault(error, file: url.path, line: line.number)
            }
        }
        guard !votes.isEmpty else { throw LogError(.emptyFile, file: url.path, reason: "holds no votes") }
        return votes
    }

    private static func fault(_ error: DecodingError, file: String, line: Int) -> LogError {
        func field(_ path: [any CodingKey]) -> String? { path.last?.stringValue }
        switch error {
        case .keyNotFound(let key, _):
            return LogError(.missingField, file: file, line: line, field: key.stringValue, reason: "is missing")
        case .typeMismatch(let type, let context):
            return LogError(
                .invalidField, file: file, line: line, field: field(context.codingPath), reason: "expected \(type)")
        case .valueNotFound(_, let context):
            return LogError(
                .invalidField, file: file, line: line, field: field(context.codingPath), reason: "must not be null")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return LogError(
                .invalidField, file: file, line: line, field: field(context.codingPath),
                reason: "expected first, second or tie")
        default:
            return LogError(.invalidJSON, file: file, line: line, reason: "is not JSON")
        }
    }
}

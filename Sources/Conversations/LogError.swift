/// Why a log, or one record of it, cannot be used: which file, where in it, which field, what is wrong.
///
/// `log.jsonl:17: message_history[3].text: expected a string, found a number`
public struct LogError: InputFault, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of faults: a short closed list to count by.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The file is missing, a directory, or may not be read or written.
        case unreadableFile = "unreadable_file"
        /// Reading or writing broke off: the machine's fault, not the log's.
        case failed
        /// The file holds no record at all.
        case emptyFile = "empty_file"
        /// Bytes that are not UTF-8.
        case invalidUTF8 = "invalid_utf8"
        /// A line or element above the cap.
        case tooLong = "too_long"
        /// Not JSON: cut off, or otherwise broken.
        case invalidJSON = "invalid_json"
        /// A field of another type than the format says, or a value that makes no sense there.
        case invalidField = "invalid_field"
        /// A field without which the record means nothing.
        case missingField = "missing_field"
        /// Who wrote a message cannot be told.
        case unknownSender = "unknown_sender"
        /// No message at all: in a BB3x log the mark of a person who did not consent.
        case noMessages = "no_messages"
        /// A record of a log of votes that holds no vote.
        case noVote = "no_vote"
        /// A conversation with the id of an earlier one in the same file.
        case duplicate = "duplicate"
    }

    public var code: Code
    /// Path of the file as it was given.
    public var file: String
    /// Line from 1; `nil` when the whole file is at fault.
    public var line: Int?
    /// Path of the field in the record, such as `message_history[3].text`; `nil` when the whole record is at fault.
    public var field: String?
    public var reason: String

    public init(_ code: Code, file: String, line: Int? = nil, field: String? = nil, reason: String) {
        self.code = code
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
    }

    public var isInputAtFault: Bool { code != .failed }

    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return [place, field, reason].compactMap { $0 }.joined(separator: ": ")
    }
}

/// One record that a reader left out, and why.
public struct SkipReason: Sendable, Hashable, CustomStringConvertible {
    public var code: LogError.Code
    public var file: String
    /// Line from 1.
    public var line: Int
    /// Path of the field in the record; `nil` when the whole record is at fault.
    public var field: String?
    public var reason: String

    public init(_ code: LogError.Code, file: String, line: Int, field: String? = nil, reason: String) {
        self.code = code
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
    }

    /// The same as an error: what strict reading throws.
    public var error: LogError { LogError(code, file: file, line: line, field: field, reason: reason) }

    public var description: String { error.description }
}

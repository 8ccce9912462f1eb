/// What a log yields.
public enum LogEvent: Sendable, Hashable {
    case conversation(Conversation)
    /// A record that was left out. Nothing is left out silently.
    case skipped(SkipReason)
}

/// Reads a log record by record, in constant memory but for 9 to 24 bytes per conversation, by which repeated ids are
/// known. Of those with one id the first counts; a later one by which the person allows less is handed out too.
///
/// Used by one task at a time. `LogFormat.reader(of:options:)` opens one.
public protocol LogReader: AnyObject {
    /// The next record, `nil` at the end. Throws when the file as a whole cannot be used, and in strict reading at the
    /// first record that would be skipped.
    func next() throws(LogError) -> LogEvent?
}

extension LogReader {
    /// Everything at once, for small logs.
    public func readAll() throws(LogError) -> (conversations: [Conversation], skipped: [SkipReason]) {
        var conversations: [Conversation] = []
        var skipped: [SkipReason] = []
        while let event = try next() {
            switch event {
            case .conversation(let conversation): conversations.append(conversation)
            case .skipped(let reason): skipped.append(reason)
            }
        }
        return (conversations, skipped)
    }
}

/// The one reader behind all formats.
final class RecordLogReader: LogReader {
    private let source: any RawLog
    private let file: String
    private let decoder: RecordDecoder
    private let isStrict: Bool
    private var hasRead = false
    private var seen = SeenConversations()

    init(source: any RawLog, file: String, decoder: RecordDecoder, isStrict: Bool) {
        self.source = source
        self.file = file
        self.decoder = decoder
        self.isStrict = isStrict
    }

    func next() throws(LogError) -> LogEvent? {
        while let record = try nextRecord() {
            if record.isBlank { continue }
            hasRead = true
            let skip: SkipReason
            switch decoder.decode(record) {
            case .success(let conversation):
                if seen.insert(conversation.id.hashValue, conversation.consent) { return .conversation(conversation) }
                skip = SkipReason(
                    .duplicate, file: file, line: record.line, field: record.element.map { "[\($0)]" },
                    reason: "conversation \(quoted(conversation.id)) came before in this file")
            case .failure(let error): skip = error.skip(file: file, record: record)
            }
            if isStrict { throw skip.error }
            return .skipped(skip)
        }
        if !hasRead { throw LogError(.emptyFile, file: file, reason: "holds no conversation") }
        return nil
    }

    private func nextRecord() throws(LogError) -> RawRecord? {
        do throws(LogError) {
            return try source.nextRecord()
        } catch {
            // Said once: whoever goes on reading finds the end, not a second, wrong fault.
            hasRead = true
            throw error
        }
    }
}

/// Which conversations of a file came before, by which repeated ids are known.
///
/// A repeated id that allows less is no repetition: whoever keeps the earlier one has to hear of it, once.
struct SeenConversations {
    /// The least that was allowed so far, by hashes of the ids, seeded per process by the language: no log can be made
    /// to collide on purpose.
    private var least: [Int: Consent] = [:]

    /// Whether a record is to be read, and not left out as one that came before.
    mutating func insert(_ hash: Int, _ consent: Consent) -> Bool {
        if let before = least[hash], before <= consent { return false }
        least[hash] = consent
        return true
    }
}

extension RawRecord {
    /// A line of white space.
    var isBlank: Bool {
        guard case .bytes(let bytes) = content else { return false }
        return bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }
}

extension RecordDecoder {
    func decode(_ record: RawRecord) -> Result<Conversation, FieldError> {
        switch record.content {
        case .tooLong(let length):
            return .failure(FieldError(code: .tooLong, reason: "\(length) bytes long, which is above the cap"))
        case .invalidUTF8(let offset):
            return .failure(FieldError(code: .invalidUTF8, reason: "invalid UTF-8 at byte \(offset + 1) of the file"))
        case .bytes(let bytes):
            do throws(JSONError) {
                let value = try JSONValue(parsing: bytes)
                do throws(FieldError) {
                    return .success(try conversation(from: value, bytes: bytes))
                } catch {
                    return .failure(error)
                }
            } catch {
                return .failure(FieldError(code: .invalidJSON, reason: error.description))
            }
        }
    }
}

extension FieldError {
    func skip(file: String, record: RawRecord) -> SkipReason {
        var place = field
        if let element = record.element {
            place = field.map { "[\(element)].\($0)" } ?? "[\(element)]"
        }
        return SkipReason(code, file: file, line: record.line, field: place, reason: reason)
    }
}

/// A value from a log in a message: in quotes and cut short, since a log may hold anything.
func quoted(_ text: String) -> String {
    let short = text.count > 40 ? text.prefix(40) + "…" : text[...]
    return "\"" + short.map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } == true ? "?" : String($0) }.joined()
        + "\""
}

import Foundation

/// Writes conversations as Loam's own log: one JSON object per line, in the BB3x release schema and, where that has no
/// room, more. What it writes, `LogFormat.loam` reads back as the same value (times to the microsecond; a number that
/// JSON lacks, infinity or NaN, is left out).
///
/// Fields of a conversation; those of BB3x are marked ●:
///
/// | field | type | what |
/// | --- | --- | --- |
/// | `chat_id` ● | string | `Conversation.id` |
/// | `user_pseudo_id` ● | string | `userID` |
/// | `consent` | `none`, `improve`, `release` | `consent` |
/// | `started_at` | ISO 8601 | `startedAt` |
/// | `source` | string | `source` |
/// | `message_history` ● | array | `messages`, in order |
///
/// Fields of a message; what is absent, false or empty is not written:
///
/// | field | type | what |
/// | --- | --- | --- |
/// | `sender` ● | `bot`, `human` | |
/// | `text` ● | string | |
/// | `bot_message_id` ●, `human_message_id` ● | string | `Message.id` |
/// | `parent_id` | string | the message it answers, where that is not the one before |
/// | `sent_at` | ISO 8601 | |
/// | `is_liked` ●, `is_disliked` ● | bool | the person's thumb on a bot message |
/// | `dislike_type` ● | string | the person's first reason |
/// | `feedback` | array of `{user_id, rating: 1 or -1, reasons, comment, correction, given_at}` | the exact list, only where the three above cannot carry it; it then counts |
/// | `is_dislike_feedback` ● | bool | a person's text about the reply before it |
/// | `generation` | `{model, temperature, top_p, seed, mean_log_probability}` | |
/// | `search_decision` ●, `search_query` ●, `search_knowledge` ● | string | |
/// | `search_knowledge_doc_titles` ●, `…_doc_content` ●, `…_doc_urls` ● | arrays side by side | |
/// | `search_provider`, `search_failure` | string | who searched; why nothing came of it |
/// | `memories` ●, `memory_decision` ●, `memory_knowledge` ● | array, string, string | |
/// | `modules` | array of `{module, model, output, failure, prompt_tokens, cached_tokens, tokens}` | every call of the bot's modules |
/// | `asks_about` | string | the reply that this message of the bot asks the person about |
/// | `is_safety_controlled_response` ● | bool | a canned reply |
/// | `previous_interaction_failure` ● | string | |
/// | `annotations` ● | `{safety {duo_safety, string_matcher}, reward, mturk {label: count}}` | |
/// | `safety_decisions` | array of `{layer, unsafe, category, score}` | the exact list, only where `annotations` cannot carry it |
/// | `labels` | array of `{source, label, value}` | the same |
///
/// Fields that no version knows follow as they came, but for those named like one above.
public struct LogWriter: ~Copyable {
    /// Path as given.
    public let file: String
    private let handle: FileHandle
    private var writer = JSONWriter()
    private var buffer: [UInt8] = []

    /// Creates the file, or empties it. `close()` when done.
    public init(_ url: URL) throws(LogError) {
        file = url.relativePath
        guard FileManager.default.createFile(atPath: url.path, contents: nil),
            let handle = FileHandle(forWritingAtPath: url.path)
        else { throw LogError(.unreadableFile, file: file, reason: "may not be written") }
        self.handle = handle
    }

    deinit { try? handle.close() }

    public mutating func write(_ conversation: Conversation) throws(LogError) {
        writer.reset()
        ConversationEncoder.encode(conversation, into: &writer)
        buffer.append(contentsOf: writer.bytes)
        buffer.append(0x0A)
        if buffer.count >= 256 * 1024 { try flush() }
    }

    /// Writes what is left and waits until it is on the disk. Nothing can be written afterwards.
    public mutating func close() throws(LogError) {
        try flush()
        do {
            try handle.synchronize()
            try handle.close()
        } catch {
            throw LogError(.failed, file: file, reason: "writing failed: \(error.localizedDescription)")
        }
    }

    private mutating func flush() throws(LogError) {
        do {
            try handle.write(contentsOf: Data(buffer))
        } catch {
            throw LogError(.failed, file: file, reason: "writing failed: \(error.localizedDescription)")
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

extension Conversation {
    /// The conversation as one line of a Loam log, without the line's end; `LogWriter` describes it.
    public var jsonLine: String {
        var writer = JSONWriter()
        ConversationEncoder.encode(self, into: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads one line of a Loam log. Throws `LogError` that names the field.
    public init(jsonLine: some Collection<UInt8>) throws(LogError) {
        let bytes = Array(jsonLine)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw LogError(.invalidJSON, file: "line", reason: error.description)
        }
        do throws(FieldError) {
            self = try RecordDecoder(format: .loam, fileName: "", consent: nil).conversation(from: value, bytes: bytes)
        } catch {
            throw LogError(error.code, file: "line", field: error.field, reason: error.reason)
        }
    }
}

import Foundation

/// A log read in batches: records are cut by the caller, decoded and transformed by other processors meanwhile, and handed
/// out in the log's order.
///
/// What comes out is the same as from `LogFormat.reader(of:options:)`; in strict reading the first record that would be
/// skipped is thrown. Used by one task at a time.
public final class MappedLog<Value: Sendable> {
    /// What a record came to.
    public enum Event: Sendable {
        case value(Value)
        case skipped(SkipReason)
    }

    private struct Decoded: Sendable {
        var line: Int
        var field: String?
        /// Hash of the conversation's id, the id itself for a message, and what the person allows.
        var id: (hash: Int, text: String, consent: Consent)?
        var event: Event
    }

    private let source: any RawLog
    private let file: String
    private let decoder: RecordDecoder
    private let isStrict: Bool
    private let transform: @Sendable (Conversation) -> Value
    private var waiting: [Task<[Decoded], Never>] = []
    private var seen = SeenConversations()
    private var hasRead = false
    private var end: Result<Void, LogError>?

    /// Bytes of a batch: a few thousand messages.
    private static var batchLength: Int { 1 << 20 }
    /// Batches on their way at once.
    private static var width: Int { 4 }

    init(
        source: any RawLog, file: String, decoder: RecordDecoder, isStrict: Bool,
        transform: @escaping @Sendable (Conversation) -> Value
    ) {
        self.source = source
        self.file = file
        self.decoder = decoder
        self.isStrict = isStrict
        self.transform = transform
    }

    deinit { for task in waiting { task.cancel() } }

    /// The next batch, `nil` at the end.
    /// - Throws: `LogError` when the file as a whole cannot be used, after the batches before the fault.
    public func next() async throws(LogError) -> [Event]? {
        fill()
        guard !waiting.isEmpty else {
            // Said once: whoever goes on reading finds the end, not a second fault.
            defer { end = .success(()) }
            if case .failure(let error) = end { throw error }
            defer { hasRead = true }
            if !hasRead { throw LogError(.emptyFile, file: file, reason: "holds no conversation") }
            return nil
        }
        let batch = await waiting.removeFirst().value
        fill()
        var events: [Event] = []
        events.reserveCapacity(batch.count)
        for item in batch {
            var event = item.event
            if let id = item.id, !seen.insert(id.hash, id.consent) {
                event = .skipped(
                    SkipReason(
                        .duplicate, file: file, line: item.line, field: item.field,
                        reason: "conversation \(quoted(id.text)) came before in this file"))
            }
            if isStrict, case .skipped(let reason) = event { throw reason.error }
            events.append(event)
        }
        return events
    }

    /// Cuts records until enough batches are on their way.
    private func fill() {
        while waiting.count < Self.width, end == nil {
            var records: [RawRecord] = []
            var length = 0
            do throws(LogError) {
                while length < Self.batchLength {
                    guard let record = try source.nextRecord() else {
                        end = .success(())
                        break
                    }
                    if record.isBlank { continue }
                    if case .bytes(let bytes) = record.content { length += bytes.count }
                    length += 64
                    records.append(record)
                }
            } catch {
                end = .failure(error)
            }
            guard !records.isEmpty else { return }
            hasRead = true
            waiting.append(Self.start(records, decoder, file, transform))
        }
    }

    private static func start(
        _ records: [RawRecord], _ decoder: RecordDecoder, _ file: String,
        _ transform: @escaping @Sendable (Conversation) -> Value
    ) -> Task<[Decoded], Never> {
        Task { decode(records, decoder, file, transform) }
    }

    private static func decode(
        _ records: [RawRecord], _ decoder: RecordDecoder, _ file: String,
        _ transform: @Sendable (Conversation) -> Value
    ) -> [Decoded] {
        records.map { record in
            let field = record.element.map { "[\($0)]" }
            switch decoder.decode(record) {
            case .success(let conversation):
                return Decoded(
                    line: record.line, field: field,
                    id: (conversation.id.hashValue, conversation.id, conversation.consent),
                    event: .value(transform(conversation)))
            case .failure(let error):
                return Decoded(line: record.line, field: field, event: .skipped(error.skip(file: file, record: record)))
            }
        }
    }
}

/// Records cut out of some file.
protocol RawLog: AnyObject {
    func nextRecord() throws(LogError) -> RawRecord?
}

/// Any way of cutting records, as an object.
final class RecordBox<Source: RecordReader & ~Copyable>: RawLog {
    private var source: Source

    init(_ source: consuming Source) { self.source = source }

    func nextRecord() throws(LogError) -> RawRecord? { try source.nextRecord() }
}

extension LogFormat {
    /// Opens a log to be read on several processors; `transform` is called on any of them.
    public func mapped<Value: Sendable>(
        _ file: URL, options: LogReadingOptions = LogReadingOptions(),
        _ transform: @escaping @Sendable (Conversation) -> Value
    ) throws(LogError) -> MappedLog<Value> {
        MappedLog(
            source: try rawLog(file, options), file: file.relativePath,
            decoder: RecordDecoder(format: self, fileName: file.lastPathComponent, consent: options.consent),
            isStrict: options.isStrict, transform: transform)
    }
}

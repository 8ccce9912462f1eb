import Foundation

/// The log formats that can be read. `docs/formats.md` describes each.
public enum LogFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// Loam's own: one conversation per line, the BB3x release schema and more (`LogWriter` has the table).
    case loam
    /// The BB3x release: one conversation per line.
    case bb3x
    /// The ConvAI2 wild evaluation: one JSON array of dialogues.
    case convai2
    /// ParlAI's Conversations format and FITS: one dialogue per line.
    case parlai
    /// ShareGPT: `conversations` of `{from, value}`; lines or one array.
    case shareGPT = "sharegpt"
    /// OpenAI's chats, with or without feedback, and its preference lines; lines or one array.
    case openAI = "openai"
    /// The feedback export of open-webui: one array, or lines.
    case openWebUI = "open-webui"
    /// FastChat's arena logs and cleaned battles; lines or one array.
    case fastChat = "fastchat"

    /// The format with a name in any case.
    public init(parsing name: String) throws(UnknownLogFormat) {
        guard let format = LogFormat(rawValue: name.lowercased()) else { throw UnknownLogFormat(name: name) }
        self = format
    }

    /// What a log that says nothing of consent counts as.
    public var defaultConsent: Consent { self == .bb3x ? .release : .improve }

    /// Opens a log. Throws `LogError` when the file is missing, a directory or may not be read.
    public func reader(of file: URL, options: LogReadingOptions = LogReadingOptions()) throws(LogError)
        -> any LogReader
    {
        RecordLogReader(
            source: try rawLog(file, options), file: file.relativePath,
            decoder: RecordDecoder(format: self, fileName: file.lastPathComponent, consent: options.consent),
            isStrict: options.isStrict)
    }

    /// Cuts a file into this format's records.
    func rawLog(_ file: URL, _ options: LogReadingOptions) throws(LogError) -> any RawLog {
        switch self {
        case .loam, .bb3x: return RecordBox(try LineReader(file, maximumLength: options.maximumRecordLength))
        case .convai2: return RecordBox(try ArrayElementReader(file, maximumLength: options.maximumRecordLength))
        case .parlai, .shareGPT, .openAI, .openWebUI, .fastChat:
            // Published as one array or as lines; the first character tells.
            if try Self.beginsWithArray(file) {
                return RecordBox(try ArrayElementReader(file, maximumLength: options.maximumRecordLength))
            }
            return RecordBox(try LineReader(file, maximumLength: options.maximumRecordLength))
        }
    }

    private static func beginsWithArray(_ file: URL) throws(LogError) -> Bool {
        let source = try ByteSource(file, pieceSize: 4096)
        let piece = try source.next()
        let start = try byteOrderMark(of: piece, file: source.file)
        return piece.dropFirst(start).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
    }

    /// The files of a log: itself, or of a folder all its chunks in the order of their names.
    public static func files(at url: URL) throws(LogError) -> [URL] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue else {
            return [url]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        let chunks = names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".jsonl") || $0.hasSuffix(".json")) }.sorted()
        guard !chunks.isEmpty else {
            throw LogError(.emptyFile, file: url.relativePath, reason: "a folder without .jsonl or .json files")
        }
        return chunks.map { url.appending(path: $0) }
    }
}

/// A name that is no log format.
public struct UnknownLogFormat: InputFault, Sendable, Hashable, CustomStringConvertible {
    public var name: String

    public init(name: String) { self.name = name }

    public var description: String {
        "unknown log format '\(name)'; known are \(LogFormat.allCases.map(\.rawValue).joined(separator: ", "))"
    }
}

/// How a log is read.
public struct LogReadingOptions: Sendable, Hashable {
    /// Throw at the first record that cannot be used, instead of passing over it. Off by default.
    public var isStrict: Bool
    /// What the operator says the people of this log allowed. It stands in where the log says nothing, and narrows what
    /// the log says; it never widens it.
    public var consent: Consent?
    /// A longer line or array element is passed over; in bytes, 16 MiB by default.
    public var maximumRecordLength: Int

    public init(
        isStrict: Bool = false, consent: Consent? = nil, maximumRecordLength: Int = LineReader.defaultMaximumLength
    ) {
        self.isStrict = isStrict
        self.consent = consent
        self.maximumRecordLength = maximumRecordLength
    }
}

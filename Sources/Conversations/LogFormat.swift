import Foundation

/// The log formats that can be read. `docs/formats.md` describes each.
public enum LogFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// Loam's own: one conversation per line, the BB3x release schema and more (`LogWriter` has the table).
    case loam
    /// The BB3x release: one conversation per line.
    case bb3x
    /// The ConvAI2 wild evaluation: one JSON array of dialogues.
    case convai2

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
        let name = file.relativePath
        let decoder = RecordDecoder(format: self, fileName: file.lastPathComponent, consent: options.consent)
        switch self {
        case .loam, .bb3x:
            return RecordLogReader(
                source: try LineReader(file, maximumLength: options.maximumRecordLength), file: name, decoder: decoder,
                isStrict: options.isStrict)
        case .convai2:
            return RecordLogReader(
                source: try ArrayElementReader(file, maximumLength: options.maximumRecordLength), file: name,
                decoder: decoder, isStrict: options.isStrict)
        }
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

import Foundation

/// The folder of one run of the loop: `run.json`, one folder per stage, the store, the report.
///
/// Every file in it appears whole or not at all: it is written under another name and moved into place, so a run that
/// is killed at any moment leaves nothing half-written.
public struct RunFolder: Sendable {
    public let url: URL

    /// Opens or makes the folder. Throws `ImprovementError.folder` where that cannot be done.
    public init(_ url: URL) throws {
        self.url = url
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw ImprovementError.folder(url.path, "\(error.localizedDescription)")
        }
    }

    /// Where the conversations of the run that was begun here are, by its `run.json`: of a database without user and password.
    /// - Throws: `ImprovementError` where there is none.
    public var store: String {
        get throws { try Self.read(ImproveConfiguration.self, from: url.appending(path: "run.json")).store }
    }

    /// The folder of one stage: `03-trust`, numbered so that a listing shows the loop.
    func stage(_ number: Int, _ name: String) -> URL {
        url.appending(path: "\(number < 10 ? "0" : "")\(number)-\(name)", directoryHint: .isDirectory)
    }

    /// Writes JSON with sorted keys, so that equal values are equal bytes.
    static func write(_ value: some Encodable, to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .useDefaultKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try encoder.encode(value).write(to: file, options: .atomic)
    }

    static func read<Value: Decodable>(_ type: Value.Type, from file: URL) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: Data(contentsOf: file))
        } catch let error as DecodingError {
            throw ImprovementError.unreadable(file.path, "\(error)")
        }
    }

    /// Writes one JSON object per line.
    static func write(lines values: some Sequence<some Encodable>, to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = Data()
        for value in values {
            data.append(try encoder.encode(value))
            data.append(0x0A)
        }
        try data.write(to: file, options: .atomic)
    }

    /// Reads what `write(lines:to:)` wrote.
    static func readLines<Value: Decodable>(_ type: Value.Type, from file: URL) throws -> [Value] {
        let decoder = JSONDecoder()
        let data = try Data(contentsOf: file)
        return try data.split(separator: 0x0A).enumerated().map { number, line in
            do {
                return try decoder.decode(type, from: line)
            } catch {
                throw ImprovementError.unreadable("\(file.path):\(number + 1)", "\(error)")
            }
        }
    }
}

/// Held while a run works in its folder, so that two runs never write into the same one.
///
/// An advisory lock of the operating system: it goes with the process, a killed run leaves none behind.
final class RunLock: Sendable {
    private let descriptor: Int32

    /// Throws `ImprovementError.busy` when another process holds it.
    init(_ folder: RunFolder) throws {
        let path = folder.url.appending(path: "lock").path
        descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ImprovementError.folder(path, String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ImprovementError.busy(folder.url.path)
        }
    }

    deinit { close(descriptor) }
}

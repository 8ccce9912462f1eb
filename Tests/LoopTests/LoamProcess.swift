import Foundation
import Testing

/// The real binary, run as a person would run it.
struct LoamProcess {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
        /// Ended by a signal rather than by itself.
        var wasKilled: Bool
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The binary that was built beside this test bundle.
    static func binary() throws -> URL {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        var candidates = [own.deletingLastPathComponent().appending(path: "loam")]
        candidates += CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
            .map { URL(filePath: $0).deletingLastPathComponent().appending(path: "loam") }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "the loam binary is not beside the tests: \(candidates.map(\.path))")
    }

    /// Runs to the end; `input` is what is typed. `killWhen` sees each line on standard error and sends the process
    /// a signal when it says so.
    static func run(
        _ arguments: [String], folder: URL? = nil, input: String? = nil, environment: [String: String] = [:],
        signal: Int32 = SIGKILL, killWhen: (@Sendable (String) -> Bool)? = nil
    ) throws -> Result {
        let process = Process()
        process.executableURL = try binary()
        process.arguments = arguments
        process.currentDirectoryURL = folder ?? root
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        let said = Lines(killWhen: killWhen)
        let outputRead = Lines(killWhen: nil)
        let typed = Pipe()
        if input != nil { process.standardInput = typed }
        try process.run()
        if let input {
            try typed.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try typed.fileHandleForWriting.close()
        }
        let identifier = process.processIdentifier
        let reader = Thread {
            said.read(errors.fileHandleForReading) { kill(identifier, signal) }
        }
        let outputReader = Thread { outputRead.read(output.fileHandleForReading) {} }
        reader.start()
        outputReader.start()
        process.waitUntilExit()
        said.finished.wait()
        outputRead.finished.wait()
        return Result(
            status: process.terminationStatus, output: outputRead.text, errors: said.text,
            wasKilled: process.terminationReason == .uncaughtSignal)
    }

    /// Collects what a pipe says, line by line, on its own thread.
    private final class Lines: @unchecked Sendable {
        private let killWhen: (@Sendable (String) -> Bool)?
        private(set) var text = ""
        let finished = DispatchSemaphore(value: 0)

        init(killWhen: (@Sendable (String) -> Bool)?) { self.killWhen = killWhen }

        func read(_ handle: FileHandle, end: () -> Void) {
            var rest = Data()
            while true {
                let piece = handle.availableData
                if piece.isEmpty { break }
                rest.append(piece)
                while let newline = rest.firstIndex(of: 0x0A) {
                    let line = String(decoding: rest[rest.startIndex..<newline], as: UTF8.self)
                    rest = Data(rest[rest.index(after: newline)...])
                    text += line + "\n"
                    if killWhen?(line) == true { end() }
                }
            }
            text += String(decoding: rest, as: UTF8.self)
            finished.signal()
        }
    }
}

/// A folder that goes away with the test.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "loam-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func callAsFunction(_ name: String) -> String { url.appending(path: name).path }

    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url.appending(path: name))
        return self(name)
    }
}

import ArgumentParser
import Foundation
import Improvement

/// Where words go: progress and logs to standard error, results to standard output, one JSON object where asked.
struct Console: Sendable {
    var json: Bool

    /// A line about the work, for a person.
    func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// The result for a person; silent with `--json`.
    func show(_ text: String) {
        if !json { print(text) }
    }

    /// The result for a machine: one object; silent without `--json`.
    func result(_ value: some Encodable) throws {
        guard json else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
    }

    /// The line of one stage of the loop.
    func show(_ event: ImproveEvent) {
        switch event {
        case .started(let number, let count, let name):
            say("[\(number)/\(count)] \(name) …")
        case .progress(let name, let text):
            say("        \(name): \(text)")
        case .finished(let number, let count, let name, let outcome, let seconds, let kept):
            let time = kept ? "kept" : String(format: "%.1f s", seconds)
            say("[\(number)/\(count)] \(name): \(outcome.line) (\(time))")
        }
    }
}

/// Options that most commands share.
struct CommonOptions: ParsableArguments {
    @Flag(name: .long, help: "One machine-readable object on standard output.")
    var json = false

    var console: Console { Console(json: json) }
}

/// Where the parts that are not in the binary lie.
struct PlaceOptions: ParsableArguments {
    @Option(name: .long, help: "Folder of the sentence encoder (default: LOAM_ENCODER, or .deps/encoder).")
    var encoder: String?

    var encoderFolder: String {
        encoder ?? ProcessInfo.processInfo.environment["LOAM_ENCODER"] ?? Self.beside(".deps/encoder")
    }

    /// The model that ships with Loam, where it is to hand.
    static var shippedBase: String? {
        let path = beside("Models/loam-base")
        return FileManager.default.fileExists(atPath: path + "/config.json") ? path : nil
    }

    /// A path of the project: from the working folder, or else from where the binary was built.
    static func beside(_ path: String) -> String {
        if FileManager.default.fileExists(atPath: path) { return path }
        // .build/<triple>/<configuration>/loam → the project's root is four levels up.
        let program = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        var folder = program.resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appending(path: path)
            if FileManager.default.fileExists(atPath: candidate.path) { return candidate.path }
            folder.deleteLastPathComponent()
        }
        return path
    }
}

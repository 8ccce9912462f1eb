import Foundation

/// A Python with the packages that `Scripts/setup --tests` installs: OpenAI's client, Prometheus' parser, schemathesis.
enum TestPython {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// `nil` where they are not installed; tests that need them skip themselves by name.
    static var program: String? {
        if let own = ProcessInfo.processInfo.environment["LOAM_TEST_PYTHON"] { return own }
        let folder = root.appending(path: ".deps/tests")
        // Written last, once all packages are there.
        let isWhole = FileManager.default.fileExists(atPath: folder.appending(path: "wanted").path)
        return isWhole ? folder.appending(path: "bin/python").path : nil
    }

    static var isThere: Bool { program != nil }

    /// Runs a script of `Fixtures`, or of another place from there.
    /// - Parameter program: what runs it; that Python where it is left out.
    /// - Returns: how it ended, and all that it printed.
    static func run(
        program other: String? = nil, script: String, _ arguments: [String], input: String = ""
    ) async throws -> (status: Int32, output: String) {
        let program = other ?? program ?? "python3"
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        let before = [folder.appending(path: script).standardizedFileURL.path]
        return try await Curl.apart {
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = before + arguments
            var environment = ProcessInfo.processInfo.environment
            // Nothing but the server under test is asked, whatever proxy there may be.
            for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
                environment[name] = nil
            }
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
            environment["LOAM_TEST_PYTHON"] = Self.program
            process.environment = environment
            let (output, given) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = output
            process.standardInput = given
            try process.run()
            try given.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try given.fileHandleForWriting.close()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: data, as: UTF8.self))
        }
    }
}

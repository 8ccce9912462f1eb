import Foundation

/// Runs curl: a client that is not ours, for tests over a real socket.
enum Curl {
    /// - Returns: what it printed; empty when it failed.
    @discardableResult
    static func run(_ arguments: [String], input: Data? = nil) async throws -> Data {
        try await apart {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["curl", "-sS"] + arguments
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            if let input {
                let pipe = Pipe()
                process.standardInput = pipe
                try process.run()
                try pipe.fileHandleForWriting.write(contentsOf: input)
                try pipe.fileHandleForWriting.close()
            } else {
                process.standardInput = FileHandle.nullDevice
                try process.run()
            }
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return data
        }
    }

    /// Reads until `mark` is seen (or the answer ends), then goes away without a word, as a closed browser does.
    static func leave(after mark: String, _ arguments: [String]) async throws -> String {
        try await apart {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["curl", "-sS", "-N", "--max-time", "20"] + arguments
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            try process.run()
            var seen = ""
            while !seen.contains(mark) {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { break }
                seen += String(decoding: data, as: UTF8.self)
            }
            kill(process.processIdentifier, SIGKILL)
            return seen
        }
    }

    /// Runs what blocks on a thread of its own: Swift's tasks share as few threads as there are cores, and the server
    /// under test needs them.
    static func apart<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}

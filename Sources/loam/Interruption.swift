import ArgumentParser
import Dispatch
import Foundation

/// A command whose work goes on where it stopped when it is given again.
protocol ResumableCommand: AsyncParsableCommand {
    /// Whether the work that was asked for does. What does not is ended by the first signal, as by a kill.
    var goesOn: Bool { get }
}

extension ResumableCommand {
    var goesOn: Bool { true }
}

/// Lets long work end in order: Ctrl-C, or a service manager's stop, cancels it, so that a training keeps the step it is at. A second
/// signal ends the process at once.
enum Interruption {
    private static let signals = [SIGINT, SIGTERM]

    /// Runs a command.
    /// - Throws: What it throws, `CancellationError` when it was interrupted.
    static func ending(_ command: any ResumableCommand) async throws {
        // Handed over whole: nobody else has the command, which ArgumentParser does not promise to be sendable.
        nonisolated(unsafe) let given = command
        let work: @Sendable () async throws -> Void = {
            var command = given
            try await command.run()
        }
        try await cancelling(work)
    }

    /// Runs a part of a command's work; behind it signals do again what they did before.
    /// - Throws: What it throws, `CancellationError` when it was interrupted.
    static func cancelling<Outcome: Sendable>(
        _ work: @escaping @Sendable () async throws -> Outcome
    ) async throws -> Outcome {
        let task = Task(operation: work)
        let sources = signals.map { number in
            // The source hears of it only where the signal itself does nothing.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                FileHandle.standardError.write(Data("loam: ending after this step; once more ends at once\n".utf8))
                task.cancel()
            }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in signals { signal(number, SIG_DFL) }
        }
        return try await task.value
    }
}

import ArgumentParser
import Dispatch
import Foundation

/// Where a new password comes from: LOAM_PASSWORD, the terminal (asked twice, not shown), or the first line of standard input.
enum PasswordPrompt {
    static func newPassword() throws -> String {
        if let given = ProcessInfo.processInfo.environment["LOAM_PASSWORD"], !given.isEmpty { return given }
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true), !line.isEmpty else {
                throw ValidationError("no password: set LOAM_PASSWORD, or write it to standard input")
            }
            return line
        }
        let first = try ask("New password: ")
        guard try ask("Once more: ") == first else { throw ValidationError("the two differ; nothing was changed") }
        return first
    }

    /// What ends the process while it asks.
    private static let signals = [SIGINT, SIGTERM, SIGQUIT]

    /// Reads a line from the terminal without showing it.
    private static func ask(_ question: String) throws -> String {
        var before = termios()
        tcgetattr(STDIN_FILENO, &before)
        let shown = before
        // The terminal outlives the process: ended here, it would show nothing of what is typed next.
        let sources = signals.map { number in
            // The source hears of it only where the signal itself does nothing.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                var shown = shown
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
                FileHandle.standardError.write(Data("\n".utf8))
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.resume()
            return source
        }
        FileHandle.standardError.write(Data(question.utf8))
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            FileHandle.standardError.write(Data("\n".utf8))
            for source in sources { source.cancel() }
            for number in signals { signal(number, SIG_DFL) }
        }
        guard let line = readLine(strippingNewline: true) else { throw ValidationError("no password was given") }
        return line
    }
}

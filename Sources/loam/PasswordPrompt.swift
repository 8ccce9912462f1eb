import ArgumentParser
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

    /// Reads a line from the terminal without showing it.
    private static func ask(_ question: String) throws -> String {
        FileHandle.standardError.write(Data(question.utf8))
        var before = termios()
        tcgetattr(STDIN_FILENO, &before)
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        guard let line = readLine(strippingNewline: true) else { throw ValidationError("no password was given") }
        return line
    }
}

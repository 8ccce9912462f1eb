import ArgumentParser
import Conversations
import Foundation
import Improvement

/// Turns an error into what a person reads and a script can test: one line on standard error, exit status 1 or 2.
struct ErrorReport {
    let message: String
    let status: Int32
    private let original: any Error
    private let isUsage: Bool

    init(_ error: any Error) {
        original = error
        let code = Loam.exitCode(for: error)
        isUsage = error is ValidationError || code == .validationFailure || code == .success || error is ExitCode
        if isUsage {
            message = Loam.fullMessage(for: error)
            status = code == .success ? 0 : (code == .validationFailure ? 2 : code.rawValue)
        } else {
            message = Self.text(of: error)
            status = Self.isInputAtFault(error) ? 2 : 1
        }
    }

    func exit() -> Never {
        if status == 0 {
            // Help and version are answers, not errors.
            if !message.isEmpty { print(message) }
        } else if !message.isEmpty {
            let line = isUsage ? message : "loam: \(message)"
            FileHandle.standardError.write(Data((line + "\n").utf8))
        }
        Foundation.exit(status)
    }

    private static func text(of error: any Error) -> String {
        if error is CancellationError { return "interrupted; the same command goes on where it stopped" }
        // Foundation's errors describe themselves better in their own words than by their type.
        if error is CocoaError || error is POSIXError { return error.localizedDescription }
        return String(describing: error)
    }

    /// Whether what was given is at fault rather than the machine.
    private static func isInputAtFault(_ error: any Error) -> Bool {
        if let error = error as? ImprovementError { return error.isInputAtFault }
        if let error = error as? any InputFault { return error.isInputAtFault }
        return false
    }
}

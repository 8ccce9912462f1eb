import Foundation
import Testing

/// Passwords typed at a terminal, by the real binary.
@Suite("Password prompts")
struct PasswordPrompts {
    @Test("a signal while a password is asked for leaves a terminal that shows what is typed", .timeLimit(.minutes(1)))
    func interrupted() throws {
        let folder = try TemporaryFolder()
        var (terminal, line): (Int32, Int32) = (-1, -1)
        let opened = openpty(&terminal, &line, nil, nil, nil)
        try #require(opened == 0)
        let (near, far) = (terminal, line)
        defer {
            close(near)
            close(far)
        }
        func shows() -> Bool {
            var state = termios()
            tcgetattr(far, &state)
            return state.c_lflag & tcflag_t(ECHO) != 0
        }
        try #require(shows())
        let process = Process()
        process.executableURL = try LoamProcess.binary()
        process.arguments = ["accounts", "add", "ann", "--role", "operator", "--store", folder("chats.sqlite")]
        process.environment = ProcessInfo.processInfo.environment.merging(["LOAM_PASSWORD": ""]) { $1 }
        process.standardInput = FileHandle(fileDescriptor: far, closeOnDealloc: false)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while shows(), process.isRunning { usleep(10_000) }
        // Its wait for signals begins on a thread of its own.
        usleep(300_000)
        try #require(process.isRunning && !shows())
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGINT)
        #expect(shows())
    }
}

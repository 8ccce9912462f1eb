import Conversations
import Foundation
import GRDB
import Storage
import Testing

/// Whatever happens, nothing that was acknowledged is lost and nothing half-written is seen.
@Suite("Faults")
struct FaultTests {
    /// The process that writes until something happens to it.
    private static func writer(_ arguments: [String]) throws -> (process: Process, output: FileHandle) {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "store-writer")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe.fileHandleForReading)
    }

    private static func lines(_ data: Data) -> [String] {
        // A line without its end was not said in full.
        String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map(String.init)
    }

    private static func check(_ store: any ConversationStore, prefix: String, acknowledged: Int) async throws {
        let counts = try await store.counts()
        #expect(counts.conversations >= 20 * acknowledged)
        #expect(counts.conversations % 20 == 0)
        #expect(counts.messages == 3 * counts.conversations)
        #expect(counts.likes == counts.conversations)
        if acknowledged > 0 {
            #expect(try await store.conversation(id: "\(prefix)-\(acknowledged - 1)-19")?.messages.count == 3)
        }
        #expect(try await store.check().isEmpty)
    }

    @Test("kill -9 in the middle of writing", arguments: StoreKind.present)
    func kill(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        for (round, milliseconds) in [UInt32(350), 700].enumerated() {
            // A store of its own for each round: how far the other got does not matter.
            let address = round == 0 ? bench.address : try StoreBench(kind).address + (kind == .sqlite ? ".two" : "")
            if kind == .sqlite {
                try FileManager.default.createDirectory(
                    at: URL(filePath: address).deletingLastPathComponent(), withIntermediateDirectories: true)
            }
            let (process, output) = try Self.writer([address, "r"])
            // Once it writes, some time for it to be somewhere in the middle. Not `Task.sleep`: beside tests that keep every thread
            // busy that took minutes, and all of them the process wrote.
            let first = output.availableData
            usleep(milliseconds * 1_000)
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            let said = Self.lines(first + output.readDataToEndOfFile())
            #expect(!said.isEmpty)
            #expect(process.terminationReason == .uncaughtSignal)
            try await Self.check(StoreLocation(address).open(), prefix: "r", acknowledged: said.count)
            // And it can be written to again.
            #expect(try await StoreLocation(address).open().save(chat("after", of: "u")).added == 1)
        }
    }

    @Test("a disk that is full: a clear error, and what was acknowledged stays")
    func fullDisk() async throws {
        let bench = try StoreBench(.sqlite)
        let (process, output) = try Self.writer([bench.address, "f", "1500000"])
        let said = Self.lines(output.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(process.terminationStatus == 3)
        let last = try #require(said.last)
        #expect(last.hasPrefix("failed: \(bench.address): "), "\(last)")
        #expect(said.count > 3)
        try await Self.check(bench.open(), prefix: "f", acknowledged: said.count - 1)
    }

    @Test(
        "a server that is killed in the middle of a transaction, and starts again",
        .enabled(if: PostgresServer.programs != nil, PostgresServer.absence))
    func serverRestarts() async throws {
        let server = try PostgresServer(programs: #require(PostgresServer.programs))
        let address = try server.address()
        let store = try await PostgresStore(at: address)
        try await store.save(chat("before", of: "u"))
        let error = await #expect(throws: StorageError.self) {
            try await store.writing(.store) { session in
                try session.query(
                    "INSERT INTO conversation VALUES (99, 'half', 'u', 1, 0, '{}')", []
                ) { _ in }
                try server.kill()
                try server.start()
                try session.query(
                    "INSERT INTO conversation VALUES (100, 'written', 'u', 1, 0, '{}')", []
                ) { _ in }
            }
        }
        #expect(error?.code == .unreachable, "\(error?.description ?? "")")
        #expect(error?.description.contains("loam@") == false)
        // The same store goes on without being opened again.
        #expect(try await store.counts().conversations == 1)
        try await store.save(chat("after", of: "u"))
        #expect(try await store.all().map(\.id) == ["after", "before"])
        try server.kill()
    }

    @Test(
        "a password that is wrong or missing is said to be so, not a server that cannot be reached",
        .enabled(if: PostgresServer.programs != nil, PostgresServer.absence))
    func wrongPassword() async throws {
        let server = try PostgresServer(programs: #require(PostgresServer.programs))
        let address = try server.address()
        try server.sql("CREATE ROLE guest SUPERUSER LOGIN PASSWORD 'plum'", at: address)
        try server.askPassword(of: "guest")
        for user in ["guest:cherry", "guest"] {
            let wrong = address.replacingOccurrences(of: "loam@", with: user + "@")
            let error = await #expect(throws: StorageError.self) { try await PostgresStore(at: wrong) }
            #expect(error?.code == .unavailable, "\(error?.description ?? "")")
            #expect(error?.isInputAtFault == true)
            #expect(error?.description.contains("cherry") == false)
        }
        let right = address.replacingOccurrences(of: "loam@", with: "guest:plum@")
        #expect(try await PostgresStore(at: right).counts().conversations == 0)
        // Where nobody answers it is still that.
        try server.kill()
        let error = await #expect(throws: StorageError.self) { try await PostgresStore(at: right) }
        #expect(error?.code == .unreachable, "\(error?.description ?? "")")
    }

    @Test(
        "a lock that somebody holds on the server",
        .enabled(if: PostgresServer.programs != nil, PostgresServer.absence))
    func lockedServer() async throws {
        let bench = try StoreBench(.postgres)
        let store = try await bench.open()
        try await store.save(chat("c", of: "u"))
        let other = try #require(try await bench.open() as? PostgresStore)
        let error = await #expect(throws: StorageError.self) {
            try await other.writing(.store) { session in
                // The first waits for a lock that this one holds, and this one for none: the first gives up.
                try session.query("SET LOCAL lock_timeout = '100ms'", []) { _ in }
                let waiting = DispatchSemaphore(value: 0)
                let box = Outcome()
                Task {
                    do {
                        try await (store as? PostgresStore)?.writing(.conversation) { session in
                            try session.query("SELECT 1", []) { _ in }
                        }
                        box.error = nil
                    } catch { box.error = error as? StorageError }
                    waiting.signal()
                }
                waiting.wait()
                if let error = box.error { throw error }
            }
        }
        #expect(error?.code == .locked)
        #expect(try await store.counts().conversations == 1)
    }

    private final class Outcome: @unchecked Sendable { var error: StorageError? }
}

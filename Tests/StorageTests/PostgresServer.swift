import Foundation
import Storage
import Synchronization
import Testing

/// A real PostgreSQL server in a folder of its own, on a socket of its own, for as long as the tests run.
///
/// It refuses to run as root, so root starts it as the user `postgres` (Debian's package makes that one).
final class PostgresServer: Sendable {
    /// The one server of this run, `nil` where PostgreSQL is not installed.
    static let shared: PostgresServer? = {
        guard let programs else { return nil }
        do {
            return try PostgresServer(programs: programs)
        } catch {
            Issue.record("PostgreSQL is installed and does not start: \(error)")
            return nil
        }
    }()

    /// Folder of `initdb` and `pg_ctl`, `nil` where there is none.
    static let programs: String? = {
        var folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        folders += versions.sorted().reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        return folders.first { folder in
            ["initdb", "pg_ctl", "psql"].allSatisfy { FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }
        }
    }()

    /// Why the tests of PostgreSQL are skipped.
    static let absence: Comment = "PostgreSQL is not installed (Debian: apt-get install postgresql)"

    let folder: String
    private let programs: String
    private let number = Mutex(0)

    init(programs: String) throws {
        self.programs = programs
        // Short: the path of a socket has a hundred characters at most.
        folder = "/tmp/loam-pg-\(ProcessInfo.processInfo.processIdentifier)-\(UInt16.random(in: 0...UInt16.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if getuid() == 0 { try Self.run("/bin/chown", ["postgres", folder]) }
        try run("initdb", ["-D", data, "-U", "loam", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        try start()
        // Ends with the process that runs the tests, however that ends.
        Self.folders.withLock { $0.append((programs, folder)) }
        _ = Self.ending
    }

    private static let folders = Mutex<[(programs: String, folder: String)]>([])
    private static let ending: Void = {
        _ = atexit {
            for (programs, folder) in PostgresServer.folders.withLock({ $0 }) {
                try? PostgresServer.run(programs, "pg_ctl", ["-D", folder + "/data", "-m", "immediate", "stop"])
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
    }()

    private var data: String { folder + "/data" }

    func start() throws {
        let options = "-c listen_addresses='' -c unix_socket_directories='\(folder)' -c shared_buffers=32MB"
        // After a crash the old processes may hold the shared memory for a moment still.
        for attempt in 0... {
            do {
                return try run("pg_ctl", ["-D", data, "-w", "-t", "60", "-l", folder + "/log", "-o", options, "start"])
            } catch {
                guard attempt < 40 else { throw error }
                Thread.sleep(forTimeInterval: 0.25)
            }
        }
    }

    /// As a crash: nothing is finished, connections break.
    func kill() throws { try run("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"]) }

    /// Has the server ask a role for its password; all others come in without.
    func askPassword(of role: String) throws {
        let rules = data + "/pg_hba.conf"
        let old = try String(contentsOfFile: rules, encoding: .utf8)
        // Into the file that is there, which is the server's own and has to stay so.
        let file = try FileHandle(forWritingTo: URL(filePath: rules))
        try file.write(contentsOf: Data("local all \(role) md5\n\(old)".utf8))
        try file.close()
        try kill()
        try start()
    }

    private func run(_ program: String, _ arguments: [String]) throws { try Self.run(programs, program, arguments) }

    private static func run(_ programs: String, _ program: String, _ arguments: [String]) throws {
        let command = [programs + "/" + program] + arguments
        if getuid() == 0 {
            try run("/sbin/runuser", ["-u", "postgres", "--"] + command)
        } else {
            try run(command[0], Array(command.dropFirst()))
        }
    }

    /// Foundation's `Process` waits until the last heir of the child's files is gone, which a server never is.
    private static func run(_ path: String, _ arguments: [String]) throws {
        struct Failed: Error, CustomStringConvertible { var description: String }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in Int32(0)...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        var status: Int32 = 0
        guard posix_spawn(&child, path, &actions, nil, &words, environ) == 0,
            waitpid(child, &status, 0) == child, status == 0
        else { throw Failed(description: "\(path) \(arguments.joined(separator: " ")): status \(status)") }
    }

    /// Address of a store of its own.
    func address() throws -> String {
        let count = number.withLock { number in
            number += 1
            return number
        }
        let schema = "s\(count)"
        try Self.run(
            programs, "psql", ["-h", folder, "-U", "loam", "-d", "postgres", "-qc", "CREATE SCHEMA \(schema)"])
        let host = folder.replacingOccurrences(of: "/", with: "%2F")
        return "postgres://loam@\(host)/postgres?options=-csearch_path%3D\(schema)"
    }

    /// Runs SQL in a store's schema, as a stranger would.
    func sql(_ sql: String, at address: String) throws {
        try Self.run(programs, "psql", [address, "-v", "ON_ERROR_STOP=1", "-qc", sql])
    }
}

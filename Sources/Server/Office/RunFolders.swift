import Foundation
import Synchronization

/// Runs of the loop in the folders below one folder, each worked on by a process of its own.
///
/// The process is the program itself with `improve …`; what it writes into its folder, the records of its stages first of
/// all, is what the page shows. A run outlives this server and can be told of by any other that sees the folder.
public final class RunFolders: ImprovementRunner {
    /// What to start for a run.
    public struct Command: Sendable {
        public var arguments: [String]
        /// Beside what this process has.
        public var environment: [String: String]

        public init(arguments: [String], environment: [String: String] = [:]) {
            self.arguments = arguments
            self.environment = environment
        }
    }

    private let folder: URL
    private let program: URL
    /// What to run for a request; the second is the run's folder.
    private let command: @Sendable (ImprovementRequest, URL) async throws -> Command
    /// How long a run that is stopped may take to end in order.
    private let patience: Duration
    private let processes = Mutex<[String: Process]>([:])

    /// - Parameters:
    ///   - folder: where the runs' folders lie; made when the first run begins.
    ///   - program: what is started.
    ///   - patience: how long a run that is stopped may take for the step that it is at and its checkpoint.
    ///   - command: what it is told, for a folder that is there; throws `OfficeRefusal` where a request cannot be.
    public init(
        folder: URL, program: URL, patience: Duration = .seconds(20),
        command: @escaping @Sendable (ImprovementRequest, URL) async throws -> Command
    ) {
        self.folder = folder
        self.program = program
        self.patience = patience
        self.command = command
    }

    static let logName = "office.log"

    public func runs() async throws -> [ImprovementRun] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { read($0) }.sorted { ($1.changedAt, $0.name) < ($0.changedAt, $1.name) }
    }

    public func run(named name: String) async throws -> ImprovementRun? { read(name) }

    public func start(_ request: ImprovementRequest) async throws {
        let place = folder.appending(path: request.name, directoryHint: .isDirectory)
        guard !isRunning(request.name, place) else { throw OfficeRefusal("\(request.name) is running already") }
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let command = try await command(request, place)
        let log = place.appending(path: Self.logName)
        let process = Process()
        process.executableURL = program
        process.arguments = command.arguments
        process.environment = ProcessInfo.processInfo.environment.merging(command.environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        try processes.withLock { processes in
            guard processes.values.allSatisfy({ !$0.isRunning }) else {
                throw OfficeRefusal("another run is going on; one at a time")
            }
            // Only now: what the run said before is not to be lost to a start that is refused.
            try Data().write(to: log)
            let output = try FileHandle(forWritingTo: log)
            process.standardOutput = output
            process.standardError = output
            do { try Self.launch(process) } catch {
                throw OfficeRefusal("\(program.lastPathComponent) cannot be started: \(error.localizedDescription)")
            }
            processes[request.name] = process
        }
    }

    public func stop(_ name: String) async throws {
        let process = processes.withLock { $0[name] }
        guard let process, process.isRunning else {
            throw OfficeRefusal("\(name) was not begun here, or is over")
        }
        // Asked first, so that it keeps the step it is at; asked a second time it ends at once.
        let identifier = process.processIdentifier
        kill(identifier, SIGTERM)
        // Nobody waits for it: the page sees the run go on until it has ended.
        Task { [self] in
            try? await Task.sleep(for: patience)
            if isAtWork(name, identifier) { kill(identifier, SIGKILL) }
        }
    }

    /// Whether the process of a run is still that one: a later one may have taken its place.
    private func isAtWork(_ name: String, _ identifier: Int32) -> Bool {
        processes.withLock { processes in
            guard let process = processes[name] else { return false }
            return process.processIdentifier == identifier && process.isRunning
        }
    }

    /// Starts a process that SIGTERM reaches. A child inherits what the thread that starts it blocks, and the threads
    /// that tasks run on block every signal.
    private static func launch(_ process: Process) throws {
        var heard = sigset_t()
        var before = sigset_t()
        sigemptyset(&heard)
        sigaddset(&heard, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &heard, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
    }

    public func report(of name: String) async throws -> Data? {
        guard ImprovementRequest.isName(name) else { return nil }
        return try? Data(contentsOf: folder.appending(path: name).appending(path: "report.html"))
    }

    public func people() async throws -> TrustedPeople? {
        for run in try await runs() {
            let place = folder.appending(path: run.name)
            guard let stage = run.stages.first(where: { $0.name == "trust" }) else { continue }
            let file = place.appending(path: Self.folderName(stage.number, stage.name)).appending(path: "users.json")
            guard let data = try? Data(contentsOf: file) else { continue }
            let people = try JSONDecoder().decode([TrustedPeople.Person].self, from: data)
            return TrustedPeople(run: run.name, people: people)
        }
        return nil
    }

    // MARK: Reading a folder

    private struct Record: Decodable {
        struct Outcome: Decodable {
            var unit: String
            var cameIn: Int
            var wentOut: Int
            var dropped: [String: Int]
            var figures: [ImprovementRun.Stage.Figure]

            enum CodingKeys: String, CodingKey {
                case unit, dropped, figures
                case cameIn = "came_in"
                case wentOut = "went_out"
            }
        }
        var outcome: Outcome
    }

    private static func folderName(_ number: Int, _ name: String) -> String {
        "\(number < 10 ? "0" : "")\(number)-\(name)"
    }

    /// A run's folder; `nil` for any other.
    private func read(_ name: String) -> ImprovementRun? {
        guard ImprovementRequest.isName(name) else { return nil }
        let place = folder.appending(path: name, directoryHint: .isDirectory)
        let files = FileManager.default
        guard let entries = try? files.contentsOfDirectory(atPath: place.path),
            entries.contains("run.json") || entries.contains(Self.logName)
        else { return nil }
        var changed = Self.changed(place)
        let stages = entries.sorted().compactMap { entry -> ImprovementRun.Stage? in
            guard let match = entry.wholeMatch(of: /(\d\d)-([a-z0-9-]+)/), let number = Int(match.1) else { return nil }
            let done = place.appending(path: entry).appending(path: "done.json")
            guard let data = try? Data(contentsOf: done),
                let record = try? JSONDecoder().decode(Record.self, from: data)
            else { return nil }
            changed = max(changed, Self.changed(done))
            let outcome = record.outcome
            return ImprovementRun.Stage(
                number: number, name: String(match.2), unit: outcome.unit, cameIn: outcome.cameIn,
                wentOut: outcome.wentOut, dropped: outcome.dropped, figures: outcome.figures)
        }
        let lines = Self.lastLines(of: place.appending(path: Self.logName))
        let count = lines.reversed().lazy.compactMap { $0.firstMatch(of: /^\[\d+\/(\d+)\]/).flatMap { Int($0.1) } }
            .first
        let isRunning = isRunning(name, place)
        let isFinished = stages.contains { $0.name == "report" }
        return ImprovementRun(
            name: name, state: isRunning ? .running : isFinished ? .finished : .stopped, changedAt: changed,
            stages: stages, stageCount: count ?? (isFinished ? stages.count : nil), log: lines,
            hasReport: entries.contains("report.html"))
    }

    private static func changed(_ url: URL) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }

    /// The last lines of a log, however long it is.
    static func lastLines(of file: URL, count: Int = 14, bytes: UInt64 = 16_384) -> [String] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        guard let end = try? handle.seekToEnd() else { return [] }
        try? handle.seek(toOffset: end > bytes ? end - bytes : 0)
        let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").suffix(count).map { String($0.prefix(400)) }
    }

    /// Whether a process works in the folder: one of ours, or anybody's who holds the run's lock.
    private func isRunning(_ name: String, _ place: URL) -> Bool {
        if processes.withLock({ $0[name]?.isRunning == true }) { return true }
        let descriptor = open(place.appending(path: "lock").path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return true }
        flock(descriptor, LOCK_UN)
        return false
    }
}

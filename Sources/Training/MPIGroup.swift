import Foundation

#if LOAM_MPI
    import CMPI

    /// The processes that `mpirun`, `srun` or the Kubeflow MPI operator started together.
    public final class MPIGroup: ProcessGroup {
        public let rank: Int
        public let size: Int

        /// Joins the others; once per process.
        /// - Throws: `TrainingError` `processes` with MPI's words.
        public init() throws {
            try Self.check(cm_start())
            rank = Int(cm_rank())
            size = Int(cm_size())
        }

        public func sum(_ values: [Double]) throws -> [Double] {
            var values = values
            try values.withUnsafeMutableBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                try Self.check(cm_sum_doubles(start, Int64(buffer.count)))
            }
            return values
        }

        public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws {
            guard let start = bytes.baseAddress else { return }
            try Self.check(cm_broadcast(start, Int64(bytes.count), 0))
        }

        public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) throws {
            guard let start = values.baseAddress else { return }
            try Self.check(cm_queue_sum(start, Int64(values.count)))
        }

        public func wait() throws { try Self.check(cm_wait()) }

        func finish() throws { try Self.check(cm_finish()) }

        func abort(status: Int32) { cm_abort(status) }

        /// The library's name and version.
        public static var library: String { String(cString: cm_library()) }

        private static func check(_ status: Int32) throws {
            guard status == 0 else { throw TrainingError(.processes, String(cString: cm_last_error())) }
        }
    }
#endif

/// Finds out whether this process is one of several, and ends all of them together.
public enum ProcessGroups {
    /// Whether this build can talk to other processes.
    public static var isMPIBuilt: Bool {
        #if LOAM_MPI
            true
        #else
            false
        #endif
    }

    /// Number of processes that were started together, by what `mpirun`, `srun` and the like tell each of them; 1 without.
    public static func startedTogether(_ environment: [String: String]) -> Int {
        let names = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"]
        if let size = names.lazy.compactMap({ environment[$0].flatMap { Int($0) } }).first { return max(1, size) }
        // srun --mpi=pmix tells the size by its own variable; without --mpi the tasks know nothing of one another.
        if environment["PMIX_RANK"] != nil, let size = environment["SLURM_NTASKS"].flatMap({ Int($0) }) {
            return max(1, size)
        }
        return 1
    }

    /// Runs `body` as one of the processes that were started together, or alone.
    ///
    /// When one of them fails, it says why and with which number, and all end: none waits for one that is gone. (One that is
    /// killed ends the others through `mpirun`, which says so.)
    /// - Parameter status: The exit status for an error that ends several processes.
    /// - Throws: What `body` throws, when it is alone; `TrainingError` `processes` when this build has no MPI and there are
    ///   several.
    public static func run<R>(
        environment: [String: String] = ProcessInfo.processInfo.environment, status: (any Error) -> Int32 = { _ in 1 },
        _ body: (any ProcessGroup) async throws -> R
    ) async throws -> R {
        if let wanted = environment["LOAM_COMMUNICATION"], wanted != "mpi" {
            throw TrainingError(
                .options, "LOAM_COMMUNICATION is \(wanted); gradients go over mpi, nothing else is built in")
        }
        guard startedTogether(environment) > 1 else { return try await body(SingleProcess()) }
        #if LOAM_MPI
            let group = try MPIGroup()
            do {
                let result = try await body(group)
                try group.finish()
                return result
            } catch {
                let line = "process \(group.rank) of \(group.size): \(error); all processes end\n"
                FileHandle.standardError.write(Data(line.utf8))
                group.abort(status: status(error))
                throw error
            }
        #else
            throw TrainingError(
                .processes,
                "\(startedTogether(environment)) processes were started together, but this build has no MPI: install "
                    + "libopenmpi-dev (Scripts/setup does) and build again")
        #endif
    }
}

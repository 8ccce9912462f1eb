import Foundation

/// One thread that an actor does all its work on: an executor for actors that call libtorch, and for tasks that do (SE-0392, SE-0417).
///
/// libtorch's OpenMP keeps a team of workers for every thread that asks it, and MKL keeps buffers, measured at 5 to 43 MB, for each
/// of those. Swift runs an actor on whichever of its threads is free, so a server kept as many sets as it had threads that ever
/// multiplied (Benchmarks/RESULTS.md).
public final class ComputeThread: SerialExecutor, TaskExecutor {
    /// What the thread and those who give it work share; it outlives the executor until the thread has ended.
    private final class Work: @unchecked Sendable {
        private let condition = NSCondition()
        private var jobs: [(job: UnownedJob, executor: ComputeThread)] = []
        private var isStarted = false
        private var isOver = false

        /// - Returns: Whether this is the first one: a thread is to be started.
        func add(_ job: UnownedJob, of executor: ComputeThread) -> Bool {
            condition.withLock {
                jobs.append((job, executor))
                condition.signal()
                defer { isStarted = true }
                return !isStarted
            }
        }

        func end() {
            condition.withLock {
                isOver = true
                condition.signal()
            }
        }

        /// Runs jobs in the order of asking until there is nobody left who could ask.
        func run() {
            while let (job, executor) = next() {
                job.runSynchronously(
                    isolatedTo: executor.asUnownedSerialExecutor(), taskExecutor: executor.asUnownedTaskExecutor())
            }
        }

        private func next() -> (job: UnownedJob, executor: ComputeThread)? {
            condition.withLock {
                while jobs.isEmpty, !isOver { condition.wait() }
                return jobs.isEmpty ? nil : jobs.removeFirst()
            }
        }
    }

    private let work = Work()
    private let name: String

    /// - Parameter name: what the system calls the thread; it starts with the first piece of work and ends with the last owner.
    public init(name: String) { self.name = name }

    deinit { work.end() }

    public func enqueue(_ job: consuming ExecutorJob) {
        // The executor stays until its jobs are done, also where the actor is gone by then.
        guard work.add(UnownedJob(job), of: self) else { return }
        let thread = Thread { [work] in work.run() }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    public func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
}

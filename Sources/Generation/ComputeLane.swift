import Torch

/// Where models compute: one step at a time, in the order of asking.
///
/// libtorch uses every core for one step already, so steps side by side would only be slower. A request takes the lane
/// for one step and goes back to the end of the queue, so a long reply does not hold up a short one, and waiting blocks
/// no thread. Models that run in one process may share a lane.
public actor ComputeLane {
    private let thread = ComputeThread(name: "loam.lane")

    public init() {}

    nonisolated public var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Runs one step. Work that is cancelled before its turn does not run.
    func run<Result: Sendable>(_ step: @Sendable () throws -> Result) throws -> Result {
        try Task.checkCancellation()
        return try step()
    }
}

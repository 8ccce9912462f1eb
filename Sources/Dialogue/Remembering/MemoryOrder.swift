/// Lets one change of a person's memories happen after the other. Each reads what is there before it writes: what was
/// forgotten or edited between the two would come back.
actor MemoryOrder {
    private var last: [String: (number: Int, task: Task<Void, Never>)] = [:]
    private var count = 0

    /// Runs a change once all that came before it for the same person are over.
    func run<R: Sendable>(_ userID: String, _ change: @escaping @Sendable () async throws -> R) async throws -> R {
        count += 1
        let number = count
        let earlier = last[userID]?.task
        let task = Task { () async throws -> R in
            await earlier?.value
            return try await change()
        }
        // Whatever came of it, the next one may begin.
        last[userID] = (number, Task { _ = await task.result })
        defer { if last[userID]?.number == number { last[userID] = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

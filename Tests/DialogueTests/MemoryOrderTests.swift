import Conversations
import Foundation
import Testing

@testable import Dialogue

@Suite("Memory: one change after the other")
struct MemoryOrderTests {
    /// A notebook whose first reading takes until it is let go.
    private actor SlowStore: MemoryStore {
        private let base: NotebookStore
        private var readings = 0
        private var gate: CheckedContinuation<Void, Never>?

        init(_ memories: [Memory]) { base = NotebookStore(memories) }

        var isReading: Bool { gate != nil }

        func letGo() {
            gate?.resume()
            gate = nil
        }

        func memories(of userID: String) async throws -> [Memory] {
            readings += 1
            let isFirst = readings == 1
            let found = try await base.memories(of: userID)
            if isFirst { await withCheckedContinuation { gate = $0 } }
            return found
        }

        func save(_ memory: Memory) async throws { try await base.save(memory) }

        func forget(memory id: String, of userID: String) async throws {
            try await base.forget(memory: id, of: userID)
        }

        func forgetMemories(of userID: String) async throws { try await base.forgetMemories(of: userID) }
    }

    @Test("what is forgotten while a reply notes that it stood on it does not come back", arguments: [false, true])
    func forgotten(isAll: Bool) async throws {
        let store = SlowStore([memory("I have a dog.", id: "1")])
        let bank = MemoryBank(store: store, encoder: nil)
        async let used: Void = bank.markUsed("1", of: "ann")
        while await !store.isReading { await Task.yield() }
        let forgetting = Task {
            if isAll { try await bank.forgetAll(of: "ann") } else { _ = try await bank.forget("1", of: "ann") }
        }
        // Long enough to get in between, were it let.
        try await Task.sleep(for: .milliseconds(100))
        await store.letGo()
        try await used
        try await forgetting.value
        let left = try await bank.memories(of: "ann")
        #expect(left.isEmpty)
    }

    @Test("words that a person chose while a reply notes that it stood on the old ones stay")
    func edited() async throws {
        let store = SlowStore([memory("I have a dog.", id: "1")])
        let bank = MemoryBank(store: store, encoder: nil)
        async let used: Void = bank.markUsed("1", of: "ann")
        while await !store.isReading { await Task.yield() }
        let editing = Task { try await bank.edit("1", of: "ann", to: "I have a cat.") }
        try await Task.sleep(for: .milliseconds(100))
        await store.letGo()
        try await used
        let isEdited = try await editing.value
        let left = try await bank.memories(of: "ann")
        #expect(isEdited && left.map(\.text) == ["I have a cat."])
    }

    @Test("a change that fails, or whose caller has left, holds up no other")
    func failures() async throws {
        struct Failure: Error {}
        let order = MemoryOrder()
        await #expect(throws: Failure.self) {
            try await order.run("ann") { () async throws -> Int in throw Failure() }
        }
        let left = Task { try await order.run("ann") { try await Task.sleep(for: .seconds(3600)) } }
        left.cancel()
        let next = try await order.run("ann") { 7 }
        #expect(next == 7)
    }
}

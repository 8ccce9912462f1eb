import Foundation
import Testing

@testable import Torch

@Suite("The thread that an actor computes on")
struct ComputeThreadTests {
    private actor Worker {
        private let thread: ComputeThread
        private var done: [Int] = []
        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

        init(_ thread: ComputeThread) { self.thread = thread }

        /// - Returns: The thread that ran it.
        func work(_ number: Int) throws -> UInt {
            done.append(number)
            _ = try Tensor([Float](repeating: 1, count: 4)).sum().item()
            return UInt(bitPattern: pthread_self().hashValue)
        }

        func all() -> [Int] { done }
    }

    @Test("all work of an actor is done on one thread, each piece once, and another actor's on another")
    func one() async throws {
        let (worker, other) = (Worker(ComputeThread(name: "test")), Worker(ComputeThread(name: "test")))
        let threads = try await withThrowingTaskGroup(of: UInt.self) { group in
            for number in 0..<200 { group.addTask { try await worker.work(number) } }
            return try await group.reduce(into: Set<UInt>()) { $0.insert($1) }
        }
        #expect(threads.count == 1)
        #expect(await worker.all().sorted() == Array(0..<200))
        #expect(try await !threads.contains(other.work(0)))
    }

    @Test("two actors may share one")
    func shared() async throws {
        let thread = ComputeThread(name: "test")
        let (first, second) = (Worker(thread), Worker(thread))
        #expect(try await first.work(0) == second.work(0))
    }

    @Test("work that belongs to no actor may be given to it too")
    func preferred() async throws {
        let thread = ComputeThread(name: "test")
        @concurrent func place() async -> UInt { UInt(bitPattern: pthread_self().hashValue) }
        let worker = Worker(thread)
        let own = try await worker.work(0)
        let places = await withTaskExecutorPreference(thread) {
            await withTaskGroup(of: UInt.self) { group in
                for _ in 0..<20 { group.addTask { await place() } }
                return await group.reduce(into: Set<UInt>()) { $0.insert($1) }
            }
        }
        #expect(places == [own])
    }

    @Test("it ends with the last who could ask, and what was asked before is done")
    func ends() async throws {
        weak var gone: ComputeThread?
        func work() async throws -> Int {
            let thread = ComputeThread(name: "test")
            gone = thread
            let worker = Worker(thread)
            return try await withThrowingTaskGroup(of: UInt.self) { group in
                for number in 0..<20 { group.addTask { try await worker.work(number) } }
                return try await group.reduce(into: 0) { count, _ in count += 1 }
            }
        }
        #expect(try await work() == 20)
        for _ in 0..<200 where gone != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(gone == nil)
    }
}

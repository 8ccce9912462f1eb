import Foundation
import Testing
import Torch

/// Handles and memory are counted for the whole process, in which other suites run at the same time.
@Suite("Engine", .serialized)
struct EngineTests {
    /// Resident memory in bytes, where the system tells.
    private static func residentMemory() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 }
    }

    /// A graph with views, in-place writes and a backward pass, and errors of every kind.
    private static func work(_ generator: Generator) throws -> Double {
        let weight = try Tensor.randn([32, 32], generator: generator).requireGradient()
        let x = try Tensor.randn([16, 32], generator: generator)
        let hidden = try x.linear(weight: weight).silu().rmsNorm(weight: Tensor.ones([32]), eps: 1e-5)
        let top = try hidden.topK(4, dim: 1)
        let loss = try (hidden.crossEntropy(targets: Tensor.arange(16)).mean() + top.values.sum())
        try loss.backward()
        try withoutGradients { try weight.narrow(dim: 0, start: 0, length: 2).zero() }
        for attempt in [
            { _ = try x.matmul(x) }, { _ = try x.reshape([7]) }, { _ = try Tensor([99]).embedding(weight: weight) },
            { try weight.copy(from: x) }, { _ = try Tensor.zeros([1 << 50]) },
            { _ = try Tensor.stack([x, weight]) }, { _ = try hidden.topK(99, dim: 1) }, { try loss.backward() },
        ] as [() throws -> Void] {
            #expect(throws: TorchError.self) { try attempt() }
        }
        return try loss.item()
    }

    @Test("thousands of graphs and errors leave no handle and no memory behind")
    func soak() throws {
        let generator = try Generator(seed: 1)
        _ = try (0..<100).map { _ in try Self.work(generator) }
        // A leak shows in every round: 300 handles or more, and 20 kB of each of the 300 graphs. What other tests take
        // at the same time does not, so a few quiet rounds are proof.
        var quiet = 0
        var rounds: [String] = []
        for _ in 0..<15 where quiet < 4 {
            let (handles, memory) = (Engine.liveTensorCount, Self.residentMemory() ?? 0)
            for _ in 0..<300 { #expect(try Self.work(generator).isFinite) }
            let grown = (Engine.liveTensorCount - handles, (Self.residentMemory() ?? 0) - memory)
            if grown.0 < 100, grown.1 < 3 << 20 { quiet += 1 }
            rounds.append("\(grown.0) handles and \(grown.1 >> 10) kB")
        }
        #expect(quiet == 4, "grew by \(rounds.joined(separator: ", "))")
    }

    @Test("a handle counts while it is held and no longer")
    func liveTensors() throws {
        // A hundred at once stand out over what other tests hold.
        let start = Engine.liveTensorCount
        var held: [Tensor] = try (0..<5000).map { _ in try Tensor.zeros([1]) }
        #expect(Engine.liveTensorCount - start > 4000)
        held.removeAll()
        #expect(Engine.liveTensorCount - start < 1000)
    }

    @Test("threads and version")
    func settings() throws {
        let before = Engine.threadCount
        try Engine.setThreadCount(2)
        #expect(Engine.threadCount == 2)
        try Engine.setThreadCount(before)
        #expect(Engine.threadCount == before)
        #expect(Engine.version.hasPrefix("2."))
        #expect(try Generator(seed: 0, device: .cpu).device == .cpu)
        if !Engine.isCUDAAvailable { #expect(throws: TorchError.self) { try Generator(seed: 0, device: .cuda(0)) } }
    }

    /// What the kernel says of the processor, where it says anything.
    private static let flags: Set<Substring>? = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
        .split(separator: "\n").first { $0.hasPrefix("flags") }.map { Set($0.split(separator: " ")) }

    @Test(
        "the type of products is bfloat16 where the processor multiplies it, as the kernel tells, and float32 elsewhere",
        .enabled(if: flags != nil, "the kernel lists no flags of an x86 processor here"))
    func matrixType() throws {
        let flags = try #require(Self.flags)
        #expect(Device.cpu.matrixType == (flags.contains("avx512_bf16") ? .bfloat16 : .float32))
        #expect(Device.cuda(0).matrixType == .bfloat16)
    }
}

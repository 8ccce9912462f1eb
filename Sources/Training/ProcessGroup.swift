import Foundation
import Torch

/// The processes that train one model together, each on its share of every step: data parallelism.
///
/// All of them run the same program with the same arguments and data, hold the same weights, and call these in the same order.
public protocol ProcessGroup: AnyObject {
    /// Number of this process, from 0. The first one writes the files.
    var rank: Int { get }
    /// Number of processes.
    var size: Int { get }
    /// Sums numbers over all processes; the same bits come back everywhere.
    func sum(_ values: [Double]) throws -> [Double]
    /// Overwrites the bytes with the first process's.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws
    /// Begins to sum float32 numbers over all processes, in place; `wait()` says when it is done. The memory must stay until
    /// then, and every process must begin the same sums in the same order.
    func beginSum(_ values: UnsafeMutableBufferPointer<Float>) throws
    /// Waits for every sum that was begun.
    func wait() throws
}

extension ProcessGroup {
    public var isFirst: Bool { rank == 0 }

    /// This process's part of a list of `count`: neighbours, as many as the others have or one less or more.
    public func share(of count: Int) -> Range<Int> { count * rank / size..<count * (rank + 1) / size }

    /// Whether any process says yes.
    func any(_ truth: Bool) throws -> Bool { size == 1 ? truth : try sum([truth ? 1 : 0])[0] > 0 }

    /// Overwrites a tensor with the first process's.
    func broadcast(_ tensor: Tensor) throws {
        guard size > 1 else { return }
        let host = try tensor.detach().to(.cpu).contiguous()
        var bytes = try host.withBytes { [UInt8]($0) }
        try bytes.withUnsafeMutableBytes { try broadcast($0) }
        let received = try bytes.withUnsafeBytes { try Tensor(bytes: $0, shape: tensor.shape, dtype: tensor.dtype) }
        try withoutGradients { try tensor.copy(from: received.to(tensor.device)) }
    }
}

/// A process by itself.
public final class SingleProcess: ProcessGroup {
    public init() {}

    public var rank: Int { 0 }
    public var size: Int { 1 }
    public func sum(_ values: [Double]) -> [Double] { values }
    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {}
    public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {}
    public func wait() {}
}

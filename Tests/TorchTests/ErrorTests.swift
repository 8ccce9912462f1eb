import Testing
import Torch

@Suite("Tensor: what does not fit is an error")
struct ErrorTests {
    private func code(_ body: () throws -> Any) -> TorchError.Code? {
        do {
            _ = try body()
            return nil
        } catch let error as TorchError {
            #expect(!error.message.isEmpty)
            return error.code
        } catch {
            return nil
        }
    }

    @Test("shapes")
    func shapes() throws {
        let a = try Tensor.zeros([2, 3])
        #expect(code { try a + Tensor.zeros([4]) } == .shape)
        #expect(code { try a.matmul(a) } == .shape)
        #expect(code { try a.reshape([4]) } == .shape)
        #expect(code { try a.squeeze(0) } == .shape)
        #expect(code { try a.item() } == .shape)
        #expect(code { try a.backward() } == .shape)
        #expect(code { try Tensor.cat([a, Tensor.zeros([2, 3, 1])], dim: 0) } == .shape)
        #expect(code { try Tensor([1.0, 2.0], shape: [3]) } == .shape)
        #expect(code { try Tensor([1.0], shape: [-1]) } == .shape)
        #expect(
            code { try Tensor(bytes: .init(start: nil, count: 0), shape: [1 << 40, 1 << 40], dtype: .int64) } == .shape)
        #expect(code { try a.crossEntropy(targets: Tensor([0, 1, 2])) } == .shape)
        #expect(code { try a.bceWithLogits(targets: Tensor.zeros([2])) } == .shape)
        #expect(code { try a.scaledDotProductAttention(key: a, value: a) } == .shape)
        let (query, key) = (try Tensor.zeros([1, 3, 2, 4]), try Tensor.zeros([1, 2, 2, 4]))
        #expect(code { try query.scaledDotProductAttention(key: key, value: key) } == .shape)
    }

    @Test("copy does not broadcast")
    func copy() throws {
        let a = try Tensor.zeros([2, 3])
        #expect(code { try a.copy(from: Tensor.ones([3])) } == .shape)
        #expect(code { try a.copy(from: Tensor.ones([1])) } == .shape)
        #expect(try a.sum().item() == 0)
    }

    @Test("types")
    func types() throws {
        let a = try Tensor.zeros([2, 2])
        #expect(code { try a.matmul(Tensor.zeros([2, 2], dtype: .float64)) } == .dtype)
        #expect(code { try Tensor([1, 2]).mean() } == .dtype)
        #expect(code { try Tensor([1, 2]).requireGradient() } == .dtype)
        #expect(code { try Tensor([1.0]).embedding(weight: a) } == .dtype)
    }

    @Test("ranges")
    func ranges() throws {
        let a = try Tensor.zeros([2, 3])
        #expect(code { try a.sum(dim: 2) } == .argument)
        #expect(code { try a.select(dim: 0, index: 2) } == .argument)
        #expect(code { try a.topK(4, dim: 1) } == .argument)
        #expect(code { try Tensor([2]).embedding(weight: a) } == .argument)
        #expect(code { try a.indexSelect(dim: 0, index: Tensor([-1])) } == .argument)
        #expect(code { try a.gather(dim: 0, index: Tensor([5], shape: [1, 1])) } == .argument)
        #expect(code { try a.crossEntropy(targets: Tensor([0, 3])) } == .argument)
        #expect(code { try Tensor.arange(-1) } == .argument)
        #expect(code { try Engine.setThreadCount(0) } == .argument)
        #expect(throws: TorchError.self) { try a.narrow(dim: 1, start: 2, length: 2) }
        #expect(throws: TorchError.self) { try a.clamp() }
        #expect(throws: TorchError.self) { try Tensor.cat([], dim: 0) }
    }

    @Test("memory that is not there")
    func memory() throws {
        #expect(code { try Tensor.zeros([1 << 50], dtype: .uint8) } == .outOfMemory)
        #expect(code { try Tensor.zeros([1 << 31, 1 << 31, 8], dtype: .float64) } == .outOfMemory)
        // The process goes on.
        #expect(try Tensor.ones([3]).sum().item() == 3)
    }

    @Test("devices")
    func devices() throws {
        #expect(try Device(parsing: "cpu") == .cpu)
        #expect(try Device(parsing: "cuda") == .cuda(0))
        #expect(try Device(parsing: "cuda:3") == .cuda(3))
        for text in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:999"] {
            #expect(code { try Device(parsing: text) } == .argument)
        }
        #expect("\(Device.cuda(1))" == "cuda:1")
        #expect(code { try Tensor.zeros([1], device: .cuda(100)) } == .argument)
    }

    @Test("the message says what did not fit")
    func messages() throws {
        let error = #expect(throws: TorchError.self) { try Tensor.zeros([2]).copy(from: Tensor.zeros([3])) }
        #expect(error?.description == "torch (shape): copy of shape [3] into shape [2]")
        let second = #expect(throws: TorchError.self) { try Tensor.zeros([2]) + Tensor.zeros([3]) }
        #expect(second?.message.contains("(2)") == true && second?.message.contains("(3)") == true)
    }
}

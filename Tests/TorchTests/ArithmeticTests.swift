import Testing
import Torch

/// Whether two lists of numbers agree within a tolerance.
func close(_ a: [Double], _ b: [Double], within tolerance: Double = 1e-6) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

@Suite("Tensor: arithmetic")
struct ArithmeticTests {
    @Test("operators on tensors and numbers")
    func operators() throws {
        let a = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        let b = try Tensor([10, 20] as [Float])
        #expect(try (a + b).floats() == [11, 22, 13, 24])
        #expect(try (b - a).floats() == [9, 18, 7, 16])
        #expect(try (a * b).floats() == [10, 40, 30, 80])
        #expect(try (b / a).floats() == [10, 10, 10 / 3.0, 5])
        #expect(try (a + 1).floats() == [2, 3, 4, 5])
        #expect(try (0.5 + a).floats() == [1.5, 2.5, 3.5, 4.5])
        #expect(try (1.0 - a).floats() == [0, -1, -2, -3])
        #expect(try (a * 2 - 1).floats() == [1, 3, 5, 7])
        #expect(try (12.0 / a).floats() == [12, 6, 4, 3])
        #expect(try (-a).floats() == [-1, -2, -3, -4])
        #expect(try a.pow(2.0).floats() == [1, 4, 9, 16])
        #expect(try a.maximum(Tensor([2.5] as [Float])).floats() == [2.5, 2.5, 3, 4])
        #expect(try a.minimum(Tensor([2.5] as [Float])).floats() == [1, 2, 2.5, 2.5])
    }

    @Test("an integer beside an integer tensor keeps its type, a fraction makes it float32")
    func types() throws {
        let ids = try Tensor([7, -7])
        #expect(ids.dtype == .int64)
        #expect(try (ids + 1).dtype == .int64)
        #expect(try (ids * 0.5).dtype == .float32)
        #expect(try (ids / 2).floats() == [3.5, -3.5])
        #expect(try ids.floorDivide(2).ints() == [3, -4])
        #expect(try ids.remainder(2).ints() == [1, 1])
        #expect(try Tensor([9_007_199_254_740_993]).ints() == [9_007_199_254_740_993])
    }

    @Test("matrix products")
    func products() throws {
        let a = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        let b = try Tensor([1, 0, 2, 1, 0, 3] as [Float], shape: [3, 2])
        #expect(try a.matmul(b).floats() == [5, 11, 14, 23])
        #expect(try a.linear(weight: b.transpose(0, 1), bias: Tensor([1, -1] as [Float])).floats() == [6, 10, 15, 22])
    }

    @Test("functions of one number")
    func functions() throws {
        // Values from a table of functions, to ten digits.
        let x = try Tensor([-1, 0, 0.5, 2])
        #expect(close(try x.exp().doubles(), [0.3678794412, 1, 1.6487212707, 7.3890560989], within: 1e-9))
        #expect(close(try x.tanh().doubles(), [-0.7615941560, 0, 0.4621171573, 0.9640275801], within: 1e-9))
        #expect(close(try x.sigmoid().doubles(), [0.2689414214, 0.5, 0.6224593312, 0.8807970780], within: 1e-9))
        #expect(
            close(try x.softplus().doubles(), [0.3132616875, 0.6931471806, 0.9740769842, 2.1269280110], within: 1e-9))
        #expect(
            close(
                try x.logSigmoid().doubles(), [-1.3132616875, -0.6931471806, -0.4740769842, -0.1269280110], within: 1e-9
            ))
        // x Φ(x): Φ(−1) = 0.1586552539, Φ(0.5) = 0.6914624613, Φ(2) = 0.9772498681.
        #expect(close(try x.gelu().doubles(), [-0.1586552539, 0, 0.3457312306, 1.9544997361], within: 1e-9))
        #expect(close(try x.geluTanh().doubles(), [-0.1588080094, 0, 0.3457140165, 1.9545976940], within: 1e-8))
        #expect(close(try x.silu().doubles(), [-0.2689414214, 0, 0.3112296656, 1.7615941560], within: 1e-9))
        #expect(try x.relu().doubles() == [0, 0, 0.5, 2])
        #expect(try x.abs().doubles() == [1, 0, 0.5, 2])
        #expect(try x.square().doubles() == [1, 0, 0.25, 4])
        #expect(try x.clamp(min: -0.5, max: 1).doubles() == [-0.5, 0, 0.5, 1])
        #expect(try x.clamp(max: 1).doubles() == [-1, 0, 0.5, 1])
        #expect(close(try x.sin().doubles(), [-0.8414709848, 0, 0.4794255386, 0.9092974268], within: 1e-9))
        #expect(close(try x.cos().doubles(), [0.5403023059, 1, 0.8775825619, -0.4161468365], within: 1e-9))
        let y = try Tensor([0.25, 1, 4])
        #expect(try y.sqrt().doubles() == [0.5, 1, 2])
        #expect(try y.rsqrt().doubles() == [2, 1, 0.5])
        #expect(close(try y.log().doubles(), [-1.3862943611, 0, 1.3862943611], within: 1e-9))
        #expect(close(try y.log1p().doubles(), [0.2231435513, 0.6931471806, 1.6094379124], within: 1e-9))
    }

    @Test("comparisons, logic and choice")
    func comparisons() throws {
        let a = try Tensor([1, 2, 3] as [Float])
        let b = try Tensor([3, 2, 1] as [Float])
        #expect(try a.equal(to: b).bools() == [false, true, false])
        #expect(try a.notEqual(to: 2).bools() == [true, false, true])
        #expect(try a.less(than: b).bools() == [true, false, false])
        #expect(try a.lessOrEqual(to: 2).bools() == [true, true, false])
        #expect(try a.greater(than: b).bools() == [false, false, true])
        #expect(try a.greaterOrEqual(to: b).bools() == [false, true, true])
        let odd = try a.notEqual(to: 2)
        #expect(try odd.logicalAnd(a.greater(than: 1)).bools() == [false, false, true])
        #expect(try odd.logicalOr(a.equal(to: 2)).bools() == [true, true, true])
        #expect(try odd.logicalNot().bools() == [false, true, false])
        #expect(try Tensor.where(odd, a, b).floats() == [1, 2, 3])
        #expect(try a.maskedFill(odd, -1).floats() == [-1, 2, -1])
        #expect(try odd.any().item() == 1 && odd.all().item() == 0)
        #expect(try a.isFinite())
        #expect(try !Tensor([1, .nan] as [Float]).isFinite())
        #expect(try Tensor([1, .infinity, .nan] as [Float]).finiteMask().bools() == [true, false, false])
    }
}

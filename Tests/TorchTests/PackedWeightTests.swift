import Testing

@testable import Torch

/// Products with weights in few bits, against the same weights unpacked and libtorch's own product.
@Suite("Packed weights")
struct PackedWeightTests {
    private func random(_ shape: [Int], _ seed: UInt64) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed))
    }

    @Test(
        "what the codes stand for is near the weights, in every corner of odd shapes",
        arguments: [(1, 1), (16, 64), (17, 65), (33, 200), (100, 63), (5, 128)])
    func roundTrip(outputs: Int, inputs: Int) throws {
        let weight = try random([outputs, inputs], 3)
        // Root mean square: 4 bits give up a little of a group's extremes for the rest.
        for (bits, limit) in [(PackedWeight.Bits.eight, 0.008), (.four, 0.11)] {
            let packed = try PackedWeight(weight, bits: bits)
            let error = try (packed.unpacked() - weight).square().mean().item().squareRoot()
            #expect(error < limit, "\(bits): \(error)")
            // bfloat16 is the float32 rounded once more.
            let narrow = try packed.unpacked(.bfloat16)
            #expect(try narrow.floats() == packed.unpacked().to(.bfloat16).floats())
        }
    }

    @Test(
        "one to nine rows give the unpacked weights' product, but for the rounding of the activations",
        arguments: PackedWeight.Bits.allCases, [1, 2, 3, 4, 5, 7, 8, 9, 40])
    func product(bits: PackedWeight.Bits, rows: Int) throws {
        for (outputs, inputs) in [(48, 128), (37, 190), (1, 64), (530, 70)] {
            let packed = try PackedWeight(random([outputs, inputs], 7), bits: bits)
            let (x, bias) = (try random([rows, inputs], 8), try random([outputs], 9))
            let ours = try packed.linear(x, bias: bias).floats()
            let theirs = try x.linear(weight: packed.unpacked(), bias: bias).floats()
            // An activation is off by at most 1/254 of its group's largest, so a sum of `inputs` by a few parts in a hundred.
            let scale = Double(inputs).squareRoot()
            let worst = zip(ours, theirs).map { Double(abs($0 - $1)) }.max() ?? 1
            #expect(worst < 0.05 * scale, "\(outputs)×\(inputs): \(worst)")
            let without = try packed.linear(x).floats()
            #expect(without != ours)
            #expect(try packed.linear(x.to(.bfloat16)).dtype == .bfloat16)
        }
    }

    @Test("activations that 8 bits hold exactly give the exact product")
    func exact() throws {
        // Whole numbers up to 127 with 127 in every group are their own codes; weights of −1, 0 and 1 times a power of two too.
        let inputs = 192
        let values = (0..<inputs).map { place -> Float in
            let code: Int = place % 64 == 0 ? 127 : (place * 37) % 255 - 127
            return Float(code)
        }
        let x = try Tensor(values, shape: [1, inputs])
        let codes: [Float] = [-127, 0, 64, 127]
        let weights = (0..<(40 * inputs)).map { place -> Float in
            let which: Int = (place * 7 + place / inputs) % 4
            return codes[which] / 128
        }
        let weight = try Tensor(weights, shape: [40, inputs])
        let packed = try PackedWeight(weight, bits: .eight)
        let difference = try (packed.linear(x) - x.linear(weight: packed.unpacked())).floats().map(abs)
        #expect((difference.max() ?? 1) < 1e-2)
    }

    /// Products in float16, whose sums of 32 carry 11 bits, are off by less than the rounding of activations to bfloat16 would be;
    /// those widened to float32 hardly at all.
    @Test("16 bits are the bfloat16 weights, and their product is libtorch's but for rounding of the sums")
    func sixteen() throws {
        let isFloat16 = PackedWeight.kernelName == "avx512-float16"
        for (outputs, inputs) in [(48, 128), (37, 190), (1, 31), (530, 70)] {
            let weight = try random([outputs, inputs], 7).to(.bfloat16)
            let packed = try PackedWeight(weight, bits: .sixteen)
            #expect(try packed.unpacked(.bfloat16).floats() == weight.floats())
            #expect(try packed.unpacked().floats() == weight.floats())
            for rows in [1, 3, 6, 7, 13] {
                // Activations that bfloat16 holds.
                let (x, bias) = (try random([rows, inputs], 8).to(.bfloat16).to(.float32), try random([outputs], 9))
                let ours = try packed.linear(x, bias: bias).floats()
                let theirs = try x.linear(weight: weight.to(.float32), bias: bias).floats()
                for (a, b) in zip(ours, theirs) {
                    #expect(abs(a - b) <= (isFloat16 ? 6e-3 * Float(inputs).squareRoot() : 1e-4 * max(1, abs(b))))
                }
                let wide = try packed.linear(x.to(.bfloat16), bias: bias, isWide: true)
                // The portable kernels leave many rows to libtorch, which rounds in the type of x.
                let isSame = PackedWeight.hasFastKernels || rows <= 8
                #expect(try wide.dtype == .float32 && (wide.floats() == ours || !isSame))
            }
        }
    }

    @Test(
        "a row's numbers are the same whatever rows are beside it",
        .enabled(if: PackedWeight.hasFastKernels, "the portable kernels leave many rows to libtorch"),
        arguments: PackedWeight.Bits.allCases)
    func independent(bits: PackedWeight.Bits) throws {
        let packed = try PackedWeight(random([150, 200], 7), bits: bits)
        let x = try random([41, 200], 8)
        let all = try packed.linear(x).floats()
        for count in [1, 2, 5, 7, 8, 12, 40] {
            let some = try packed.linear(x.narrow(dim: 0, start: 1, length: count)).floats()
            #expect(some == Array(all[150..<(150 * (count + 1))]))
        }
    }

    @Test("activations far beyond what float16 holds, and weights at its border, still give the product of 16 bits")
    func largeNumbers() throws {
        let weight = try random([33, 128], 3).to(.bfloat16)
        let packed = try PackedWeight(weight, bits: .sixteen)
        let x = try random([3, 128], 4) * 1e6
        let theirs = try x.linear(weight: weight.to(.float32)).floats()
        for (a, b) in zip(try packed.linear(x).floats(), theirs) { #expect(abs(a - b) <= 4e4) }
        let edge = try PackedWeight(Tensor([Float](repeating: 1000, count: 128), shape: [1, 128]), bits: .sixteen)
        let ones = try edge.linear(Tensor([Float](repeating: 1, count: 128), shape: [1, 128])).floats()
        #expect(abs(ones[0] - 128_000) < 1_000)
        #expect(throws: TorchError.self) { try PackedWeight(Tensor([1004, 0], shape: [1, 2]), bits: .sixteen) }
        #expect(throws: TorchError.self) { try PackedWeight(Tensor([Float.nan, 0], shape: [1, 2]), bits: .sixteen) }
    }

    @Test("a number that is none makes the product of its row none", arguments: PackedWeight.Bits.allCases)
    func notANumber(bits: PackedWeight.Bits) throws {
        let packed = try PackedWeight(random([40, 190], 7), bits: bits)
        let plain = try random([2, 190], 8).floats()
        let expected = try packed.linear(Tensor(plain, shape: [2, 190])).floats()
        for place in [0, 5, 70, 189] {
            for odd in [Float.nan, Float.infinity] {
                var values = plain
                values[place] = odd
                let product = try packed.linear(Tensor(values, shape: [2, 190])).floats()
                #expect(product[..<40].allSatisfy { !$0.isFinite }, "\(odd) at \(place)")
                #expect(Array(product[40...]) == Array(expected[40...]))
            }
        }
    }

    @Test("its parts make the same again, bit for bit", arguments: PackedWeight.Bits.allCases)
    func parts(bits: PackedWeight.Bits) throws {
        let packed = try PackedWeight(random([37, 190], 7), bits: bits)
        let parts = try packed.parts()
        #expect((parts.scales != nil) == (bits != .sixteen) && (parts.offsets != nil) == (bits == .four))
        let again = try PackedWeight(parts, shape: [37, 190], bits: bits)
        #expect(try again.unpacked().floats() == packed.unpacked().floats())
        #expect(throws: TorchError.self) { try PackedWeight(parts, shape: [38, 260], bits: bits) }
        #expect(throws: TorchError.self) { try PackedWeight(parts, shape: [37], bits: bits) }
        if bits != .sixteen {
            #expect(throws: TorchError.self) {
                try PackedWeight(PackedWeight.Parts(codes: parts.codes), shape: [37, 190], bits: bits)
            }
        }
    }

    @Test("the bfloat16 product of a few rows is libtorch's, with and without bias, at odd widths")
    func bfloat16() throws {
        for (outputs, inputs) in [(64, 128), (37, 190), (1, 31), (700, 33)] {
            for rows in [1, 2, 3, 5, 6, 7, 8, 9] {
                let weight = try random([outputs, inputs], 1).to(.bfloat16)
                let (x, bias) = (try random([rows, inputs], 2).to(.bfloat16), try random([outputs], 4).to(.bfloat16))
                for bias in [nil, bias] {
                    let ours = try x.linear(weight: weight, bias: bias).floats()
                    let wide = try x.to(.float32).linear(weight: weight.to(.float32), bias: bias?.to(.float32))
                    for (a, b) in zip(ours, try wide.floats()) { #expect(abs(a - b) <= 0.01 * max(1, abs(b))) }
                }
            }
        }
    }

    @Test("gradients still pass through a bfloat16 product of one row")
    func gradients() throws {
        let weight = try random([3, 4], 1).to(.bfloat16).requireGradient()
        try random([1, 4], 2).to(.bfloat16).linear(weight: weight).to(.float32).sum().backward()
        #expect(weight.gradient != nil)
    }

    @Test("what cannot be packed or multiplied says so")
    func refusals() throws {
        #expect(throws: TorchError.self) { try PackedWeight(random([2, 3, 4], 1), bits: .four) }
        #expect(throws: TorchError.self) { try PackedWeight(Tensor([1, 2], shape: [1, 2]), bits: .four) }
        let packed = try PackedWeight(random([8, 64], 1), bits: .four)
        #expect(throws: TorchError.self) { try packed.linear(random([1, 65], 1)) }
        #expect(throws: TorchError.self) { try packed.linear(random([1, 64], 1), bias: random([7], 1)) }
        #expect(packed.byteCount < 8 * 64 * 2)
    }
}

/// Steps in one pass against the small operations that they stand for, bit for bit.
@Suite("Rows in one pass")
struct RowTests {
    private func random(_ shape: [Int], _ seed: UInt64, _ type: DType) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed)).to(type)
    }

    @Test("norm, rotation and gate are the small operations' numbers", arguments: [DType.float32, .bfloat16, .float64])
    func same(type: DType) throws {
        for width in [2, 30, 64, 100] {
            let (x, weight) = (try random([2, 3, 5, width], 1, type), try random([width], 2, .float32))
            let wide: DType = type == .float64 ? .float64 : .float32
            let norm = try x.to(wide).rmsNorm(weight: weight.to(wide), eps: 1e-6).to(type)
            let ours = try x.rmsNormWide(weight: weight.to(type == .float64 ? .float64 : .float32), eps: 1e-6)
            #expect(ours.dtype == type)
            // The order of the sum differs: a unit in the last place.
            let step = type == .bfloat16 ? 0.008 : 1e-5
            for (a, b) in zip(try ours.doubles(), try norm.doubles()) { #expect(abs(a - b) <= step * max(1, abs(b))) }

            let (cosine, sine) = (try random([2, 1, 5, width], 3, type), try random([2, 1, 5, width], 4, type))
            let half = width / 2
            // Also from a view, as heads are split.
            let view = try x.transpose(1, 2).contiguous().transpose(1, 2)
            let turned = try Tensor.cat(
                [-x.narrow(dim: -1, start: half, length: half), x.narrow(dim: -1, start: 0, length: half)], dim: -1)
            let expected = try (x * cosine + turned * sine).doubles()
            for each in [x, view] {
                let rotated = try each.rotated(cosine: cosine, sine: sine).doubles()
                for (a, b) in zip(rotated, expected) { #expect(abs(a - b) <= (type == .bfloat16 ? 0 : 1e-6)) }
            }
            let up = try random([2, 3, 5, width], 5, type)
            let gated = try (x.silu() * up).doubles()
            for (a, b) in zip(try x.siluTimes(up).doubles(), gated) { #expect(abs(a - b) <= step * max(1, abs(b))) }
        }
    }

    @Test("gradients pass where they are recorded")
    func gradients() throws {
        let x = try random([1, 2, 3, 4], 1, .bfloat16).requireGradient()
        let weight = try random([4], 2, .float32).requireGradient()
        let angle = try random([1, 1, 3, 4], 3, .bfloat16)
        let y = try x.rmsNormWide(weight: weight, eps: 1e-6).rotated(cosine: angle, sine: angle)
        try y.siluTimes(y).to(.float32).sum().backward()
        #expect(x.gradient != nil && weight.gradient != nil)
    }
}

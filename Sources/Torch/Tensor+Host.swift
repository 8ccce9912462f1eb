import CTorch

extension Tensor {
    /// The elements in row-major order, converted to `Float` and copied off the device.
    public func floats() throws -> [Float] { try elements(as: .float32) }

    /// The elements as `Double`.
    public func doubles() throws -> [Double] { try elements(as: .float64) }

    /// The elements as `Int`; fractions are cut off.
    public func ints() throws -> [Int] {
        let values: [Int64] = try elements(as: .int64)
        return values.map(Int.init)
    }

    /// The elements as truth values; anything but zero is true.
    public func bools() throws -> [Bool] {
        let values: [UInt8] = try elements(as: .bool)
        return values.map { $0 != 0 }
    }

    /// The only element.
    /// - Throws: `TorchError` `shape` when there is not exactly one.
    public func item() throws -> Double {
        var value = 0.0
        try withHandle { try check(ct_item($0, &value)) }
        return value
    }

    /// Lends the elements' bytes (native order, row-major), brought to the CPU first where they are elsewhere. The bytes
    /// are only to be read and only inside `body`.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        let host = try detach().to(.cpu).contiguous()
        return try host.withHandle { this in
            var bytes: UnsafeRawPointer?
            var count: Int64 = 0
            try check(ct_bytes(this, &bytes, &count))
            return try body(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        }
    }

    private func elements<T: BitwiseCopyable>(as dtype: DType) throws -> [T] {
        try to(dtype).withBytes { bytes in
            [T](unsafeUninitializedCapacity: bytes.count / MemoryLayout<T>.stride) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = bytes.count / MemoryLayout<T>.stride
            }
        }
    }
}

import CTorch

extension Tensor {
    /// Copies floats, in row-major order.
    /// - Parameters:
    ///   - shape: One dimension when missing. Its product must be the number of values.
    ///   - dtype: `float32` when missing.
    /// - Throws: `TorchError` `shape` when shape and number of values differ.
    public init(_ values: [Float], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        self = try values.withUnsafeBytes {
            try Tensor(bytes: $0, shape: shape ?? [values.count], dtype: .float32)
        }.to(dtype ?? .float32).to(device)
    }

    /// Copies doubles; `float64` when `dtype` is missing.
    public init(_ values: [Double], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        self = try values.withUnsafeBytes {
            try Tensor(bytes: $0, shape: shape ?? [values.count], dtype: .float64)
        }.to(dtype ?? .float64).to(device)
    }

    /// Copies integers; `int64` when `dtype` is missing.
    public init(_ values: [Int], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        self = try int64s(values).withUnsafeBytes {
            try Tensor(bytes: $0, shape: shape ?? [values.count], dtype: .int64)
        }.to(dtype ?? .int64).to(device)
    }

    /// Copies truth values; `bool` when `dtype` is missing.
    public init(_ values: [Bool], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        let bytes: [UInt8] = values.map { $0 ? 1 : 0 }
        self = try bytes.withUnsafeBytes {
            try Tensor(bytes: $0, shape: shape ?? [values.count], dtype: .bool)
        }.to(dtype ?? .bool).to(device)
    }

    /// Copies raw elements (native byte order, row-major), as a checkpoint holds them.
    /// - Throws: `TorchError` `shape` when the bytes are not exactly the shape's.
    public init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device = .cpu) throws {
        self = try Tensor.make {
            ct_from_bytes(
                bytes.baseAddress, Int64(bytes.count), int64s(shape), Int64(shape.count), dtype.number, device.plain, $0
            )
        }
    }

    /// Every element is `value`.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try full(shape, CTScalar(value), dtype: dtype, device: device)
    }

    /// Every element is the integer `value`, exactly.
    public static func full(_ shape: [Int], _ value: Int, dtype: DType, device: Device = .cpu) throws -> Tensor {
        try full(shape, CTScalar(value), dtype: dtype, device: device)
    }

    public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
        try full(shape, CTScalar(0), dtype: dtype, device: device)
    }

    public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
        try full(shape, CTScalar(1), dtype: dtype, device: device)
    }

    /// 0, 1, …, n − 1.
    public static func arange(_ n: Int, dtype: DType = .int64, device: Device = .cpu) throws -> Tensor {
        try make { ct_arange(Int64(n), dtype.number, device.plain, $0) }
    }

    private static func full(_ shape: [Int], _ value: CTScalar, dtype: DType, device: Device) throws -> Tensor {
        try make { ct_full(int64s(shape), Int64(shape.count), value, dtype.number, device.plain, $0) }
    }
}

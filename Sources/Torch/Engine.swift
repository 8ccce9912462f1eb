import CTorch

/// libtorch as a whole.
public enum Engine {
    /// libtorch's version.
    public static var version: String { String(cString: ct_version()) }
    /// Tensor handles alive in this process: flat over time, or something leaks.
    public static var liveTensorCount: Int { Int(ct_live_tensor_count()) }
    public static var isCUDAAvailable: Bool {
        var available = false
        return ct_cuda_is_available(&available) == CT_OK && available
    }
    /// Threads that one operation may use.
    public static var threadCount: Int {
        var count: Int64 = 0
        return ct_thread_count(&count) == CT_OK ? Int(count) : 1
    }
    /// Throws `TorchError` for less than 1.
    public static func setThreadCount(_ count: Int) throws { try TorchError.check(ct_set_thread_count(Int64(count))) }
}

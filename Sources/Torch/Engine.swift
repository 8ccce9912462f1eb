import CTorch

/// The engine as a whole.
public enum Engine {
    /// libtorch's version.
    public static var version: String { String(cString: ct_version()) }

    /// Whether a CUDA device can be used.
    public static var isCUDAAvailable: Bool {
        var available = false
        return ct_cuda_is_available(&available) == Int32(CT_OK) && available
    }

    /// Threads that one operation is spread over.
    public static var threadCount: Int {
        var count: Int64 = 1
        return ct_thread_count(&count) == Int32(CT_OK) ? Int(count) : 1
    }

    /// Sets the threads of one operation, for the whole process. Sums may differ in their last bits between counts.
    /// - Throws: `TorchError` `argument` below 1.
    public static func setThreadCount(_ count: Int) throws { try check(ct_set_thread_count(Int64(count))) }

    /// Gives the system back what was freed and the C library still holds: glibc keeps it for each thread apart, and a server whose
    /// tensors are freed by other threads than made them grows by that. Takes milliseconds.
    public static func releaseFreeMemory() { ct_release_free_memory() }

    /// Tensors that Swift holds now, in the whole process: the measure of a leak.
    public static var liveTensorCount: Int { Int(ct_live_tensor_count()) }
}

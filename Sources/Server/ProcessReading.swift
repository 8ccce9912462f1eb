import Foundation

/// What the system says of this process, where it has `/proc`.
enum ProcessReading {
    /// Under the names that Prometheus' own client libraries use.
    static var families: [MetricFamily] {
        var found: [MetricFamily] = []
        if let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) {
            let pages = text.split(separator: " ").compactMap { Double($0) }
            let size = Double(sysconf(Int32(_SC_PAGESIZE)))
            if pages.count > 1 {
                found.append(
                    MetricFamily(
                        "process_resident_memory_bytes", "Resident memory size in bytes.", .gauge, pages[1] * size))
                found.append(
                    MetricFamily(
                        "process_virtual_memory_bytes", "Virtual memory size in bytes.", .gauge, pages[0] * size))
            }
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            // The look itself holds one open.
            found.append(
                MetricFamily("process_open_fds", "Number of open file descriptors.", .gauge, Double(open.count - 1)))
        }
        return found
    }
}

import ArgumentParser
import Foundation

/// Whether this machine lets `loam serve` listen on a port of its own address.
enum PortCheck {
    /// A number that is no port would be taken modulo 65,536, and the server listen elsewhere.
    /// - Throws: `ValidationError` for such a number.
    static func requirePort(_ number: Int) throws {
        guard (0...65_535).contains(number) else {
            throw ValidationError("--port must be from 0 to 65535, it is \(number)")
        }
    }

    /// What there is to say of a port. One that is taken is no fault of the installation: `loam serve` itself may run there.
    /// - Throws: `ImprovementFault` for a port that may not be listened on at all.
    static func text(of port: Int) throws -> String {
        guard let number = UInt16(exactly: port), number > 0 else { return "0 takes a free one" }
        #if os(Linux)
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let handle = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard handle >= 0 else { throw ImprovementFault(description: "no socket: \(String(cString: strerror(errno)))") }
        defer { close(handle) }
        // As the server does: a connection that ended a moment ago does not hold the port.
        var reuse: Int32 = 1
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = number.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let fault = errno
        if bound == 0 { return "\(port) is free" }
        guard fault == EADDRINUSE else {
            throw ImprovementFault(description: "\(port): \(String(cString: strerror(fault)))")
        }
        return "\(port) is taken, by a `loam serve` that runs or by another program; --port chooses another"
    }
}

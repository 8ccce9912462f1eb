import Foundation

/// A TCP connection that does as a test likes: sends halves, reads nothing, goes away.
final class RawSocket: @unchecked Sendable {
    private var handle: Int32

    init(port: Int) throws {
        handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let handle = handle
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close() }

    func close() {
        if handle >= 0 { _ = Foundation.close(handle) }
        handle = -1
    }

    static func post(_ path: String, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            + "\(body.utf8.count)\r\n\r\n\(body)"
    }

    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw POSIXError(.EPIPE) }
            rest = rest.dropFirst(count)
        }
    }

    /// At most so many bytes; none at the end.
    private func receive(_ count: Int) throws -> Data {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = recv(handle, &buffer, count, 0)
        return got > 0 ? Data(buffer.prefix(got)) : Data()
    }

    /// The first byte of an answer; waits on a thread of its own.
    func firstByte() async throws -> Int { try await Curl.apart { try self.receive(1).count } }

    /// Everything until the other side closes; waits on a thread of its own.
    func everything() async throws -> Data { try await Curl.apart { try self.receiveAll() } }

    private func receiveAll() throws -> Data {
        var all = Data()
        while true {
            let part = try receive(1 << 16)
            if part.isEmpty { return all }
            all += part
        }
    }
}

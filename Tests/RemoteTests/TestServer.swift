import Foundation
import Remote
import Synchronization

/// A server on loopback that answers each request with what the test says. One connection at a time, closed after its
/// answer.
final class TestServer: Sendable {
    struct Asked: Sendable {
        var line: String
        var headers: String
        var body: String
    }

    let port: UInt16
    private let socket: Int32
    private let record = Mutex([Asked]())
    private let respond: @Sendable (Asked, Int) -> String
    private let whenSent: @Sendable () -> Void

    var asked: [Asked] { record.withLock { $0 } }
    var address: String { "http://127.0.0.1:\(port)" }

    /// - Parameters:
    ///   - respond: the whole answer, head and body, to a request and its number from 0.
    ///   - whenSent: called before the connection is closed.
    init(
        _ respond: @escaping @Sendable (Asked, Int) -> String, whenSent: @escaping @Sendable () -> Void = {}
    ) throws {
        let descriptor = listeningSocket()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                var length = size
                return bind(descriptor, raw, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, raw, &length) == 0
            }
        }
        guard isBound else { throw RemoteError(.unreachable, "the test's server has no port") }
        self.respond = respond
        self.whenSent = whenSent
        socket = descriptor
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            // Closed by this thread alone, once it no longer accepts: closed elsewhere, its number goes to the next test's
            // server, whose first caller this thread would take away.
            defer { close(descriptor) }
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { return }
                guard let self else {
                    close(connection)
                    return
                }
                self.serve(connection)
            }
        }
    }

    deinit {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var wanted: Int?
        while wanted.map({ bytes.count < $0 }) ?? true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            if wanted == nil, let head = text.range(of: "\r\n\r\n") {
                let length = text[..<head.lowerBound].lowercased().split(separator: "\r\n")
                    .first { $0.hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
                wanted = text[..<head.upperBound].utf8.count + (length ?? 0)
            }
        }
        let parts = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        let head = parts[0].components(separatedBy: "\r\n")
        let asked = Asked(
            line: head[0], headers: head.dropFirst().joined(separator: "\n"),
            body: parts.dropFirst().joined(separator: "\r\n\r\n"))
        let number = record.withLock { record in
            record.append(asked)
            return record.count - 1
        }
        let answer = Array(respond(asked, number).utf8)
        var sent = 0
        while sent < answer.count {
            let count = answer[sent...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0x4000) }
            guard count > 0 else { return }
            sent += count
        }
        whenSent()
    }

    static func answer(_ status: Int, _ body: String, headers: [String] = []) -> String {
        (["HTTP/1.1 \(status) x", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers)
            .joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}

/// Says what the test says of every host.
struct FixedResolver: NameResolver {
    var table: [String: [String]]

    func addresses(of host: String) async throws -> [String] {
        guard let found = table[host] else { throw RemoteError(.unreachable, "\(host): no such host") }
        return found
    }
}

private func listeningSocket() -> Int32 {
    #if canImport(Darwin)
        socket(AF_INET, SOCK_STREAM, 0)
    #else
        socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
}

import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Server

@Suite("Server: the name that it is asked by")
struct NameGateTests {
    private func code(_ host: String, _ path: String, _ port: Int) async throws -> String {
        let code = try await Curl.run([
            "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: \(host)", "http://127.0.0.1:\(port)\(path)",
        ])
        return String(decoding: code, as: UTF8.self)
    }

    private static let own = ["127.0.0.1:81", "localhost", "LOCALHOST.:81", "loam.localhost", "[::1]:81", "192.0.2.7"]
    private static let foreign = ["a.example", "a.example:81", "localhost.a.example", "127.0.0.1.a.example", "alocal"]

    @Test("on a loopback address another site's name is refused, but for probes; its own names and addresses are not")
    func rebinding() async throws {
        let bench = try Workbench()
        try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            for host in Self.own { #expect(try await code(host, "/api/session", port) == "200", "\(host)") }
            for host in Self.foreign {
                #expect(try await code(host, "/api/session", port) == "421", "\(host)")
                #expect(try await code(host, "/", port) == "421", "\(host)")
            }
            for probe in ["/healthz", "/readyz"] { #expect(try await code("a.example", probe, port) == "200") }
        }
    }

    @Test("a trusted proxy's names are good, and so are all where the server is not on a loopback address")
    func named() async throws {
        let proxied = try Workbench(proxies: TrustedProxies(["127.0.0.1"]))
        try await proxied.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            #expect(try await code("chat.example.org", "/api/session", port) == "200")
        }
        let other = try Workbench(proxies: TrustedProxies(["10.0.0.0/8"]))
        try await other.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            #expect(try await code("chat.example.org", "/api/session", port) == "421")
        }
        let wide = try Workbench()
        try await wide.server.application(hostname: "0.0.0.0", port: 0).test(.live) { client in
            let port = try #require(client.port)
            #expect(try await code("chat.example.org", "/api/session", port) == "200")
        }
    }

    @Test("the raters' pages alone have the same door")
    func office() async throws {
        let bench = try await OfficeBench()
        try await bench.office.application(port: 0, logger: bench.server.logger).test(.live) { client in
            let port = try #require(client.port)
            #expect(try await code("a.example", "/rate", port) == "421")
            #expect(try await code("localhost", "/rate", port) == "200")
        }
    }

    @Test(
        "which addresses to listen on are this machine's alone",
        arguments: [
            ("127.0.0.1", true), ("127.0.0.9", true), ("::1", true), ("localhost", true), ("0.0.0.0", false),
            ("::", false), ("10.0.0.7", false), ("chat.example.org", false),
        ])
    func loopback(_ name: String, _ isLoopback: Bool) { #expect(NameGate.isLoopback(name) == isLoopback) }
}

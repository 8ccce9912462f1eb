import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Server

@Suite("Server: the raters' pages alone on the wire")
struct OfficeTransportTests {
    @Test("each client behind a trusted proxy has a bound of its own")
    func proxied() async throws {
        let limits = ServerLimits(requestBurst: 2, secondsPerRequest: 100)
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        let bench = try await OfficeBench()
        let application = try bench.office.application(
            port: 0, limits: limits, proxies: TrustedProxies(["127.0.0.0/8", "::1"]), logger: bench.server.logger)
        try await application.test(.ahc(.http)) { client in
            var codes: [Int] = []
            for address in ["1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2"] {
                let response = try await client.execute(uri: "/healthz", method: .get, headers: [name: address])
                codes.append(response.status.code)
            }
            #expect(codes == [200, 200, 429, 200])
        }
    }

    @Test("a connection that brings no whole request is closed", .timeLimit(.minutes(1)))
    func halfOpen() async throws {
        var limits = ServerLimits()
        limits.idleSeconds = 1
        let bench = try await OfficeBench()
        let application = try bench.office.application(port: 0, limits: limits, logger: bench.server.logger)
        try await application.test(.live) { client in
            let socket = try RawSocket(port: try #require(client.port))
            try socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            _ = try await socket.everything()
        }
    }
}

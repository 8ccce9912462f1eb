import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Server

@Suite("Server: bad company on the wire")
struct TransportTests {
    /// Waits until something holds, for at most ten seconds.
    private func eventually(_ holds: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<500 {
            if try await holds() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    private static let chat = #"{"model":"scripted-1","messages":[{"role":"user","content":"hi"}]"#

    private func counting(_ count: Int = 200, pause: Duration = .milliseconds(50)) -> ScriptedGenerator {
        ScriptedGenerator(pause: pause) { _, _ in (0..<count).map { "\($0) " } }
    }

    @Test("whoever leaves an answer that is not streamed stops the model too")
    func leaving() async throws {
        let generator = counting()
        let bench = try Workbench(generator)
        try await bench.server.application(port: 0).test(.live) { client in
            let socket = try RawSocket(port: try #require(client.port))
            try socket.send(RawSocket.post("/v1/chat/completions", Self.chat + "}"))
            #expect(try await eventually { generator.calls == 1 })
            socket.close()
            #expect(try await eventually { generator.wasCancelled })
            #expect(try await eventually { await bench.host.load == 0 })
        }
    }

    @Test("who waits for an answer that is not streamed gets it whole, twice over one client")
    func staying() async throws {
        let bench = try Workbench()
        try await bench.server.application(port: 0).test(.ahc(.http)) { client in
            for _ in 0..<3 {
                let response = try await client.execute(
                    uri: "/v1/chat/completions", method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: Self.chat + "}"))
                #expect(response.status == .ok && response.text.contains("You said"))
            }
            #expect(await bench.host.load == 0)
        }
    }

    @Test("stopping finishes what is being written, streamed and not, and takes nothing new")
    func drain() async throws {
        let bench = try Workbench(counting(10, pause: .milliseconds(100)))
        let (streamed, whole) = try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            let url = "http://localhost:\(port)/v1/chat/completions"
            let streamed = Task {
                try await Curl.run(
                    ["-N", url, "-H", "Content-Type: application/json", "-d", Self.chat + #","stream":true}"#])
            }
            let whole = Task {
                try await Curl.run([url, "-H", "Content-Type: application/json", "-d", Self.chat + "}"])
            }
            #expect(try await eventually { bench.generator.calls == 2 })
            return (streamed, whole)
        }
        // The server has stopped; both readers have everything.
        let events = String(decoding: try await streamed.value, as: UTF8.self)
        #expect(events.contains(#""content":"9 "#) && events.hasSuffix("data: [DONE]\n\n"))
        #expect(String(decoding: try await whole.value, as: UTF8.self).contains("7 8 9 "))
        #expect(!bench.generator.wasCancelled)
    }

    @Test("a reader who stops reading is let go, and the place is free again", .timeLimit(.minutes(1)))
    func slowReader() async throws {
        var limits = ServerLimits()
        limits.idleSeconds = 0.5
        // Far more than the buffers of two sockets hold.
        let (pieces, size) = (100, 256 * 1024)
        let generator = ScriptedGenerator { _, _ in (0..<pieces).map { _ in String(repeating: "x", count: size) } }
        let bench = try Workbench(generator, limits: limits)
        try await bench.server.application(port: 0).test(.live) { client in
            let socket = try RawSocket(port: try #require(client.port))
            try socket.send(RawSocket.post("/v1/chat/completions", Self.chat + #","stream":true}"#))
            #expect(try await socket.firstByte() == 1)
            // However long the machine takes to write all that, and then far longer than a reader may stand idle.
            #expect(try await eventually { await bench.host.load == 0 })
            try await Task.sleep(for: .seconds(6))
            let rest = try await socket.everything()
            #expect(rest.count < pieces * size)
            #expect(!String(decoding: rest.suffix(100), as: UTF8.self).contains("[DONE]"))
            // A quick reader of as much gets it all.
            let quick = try RawSocket(port: try #require(client.port))
            try quick.send(RawSocket.post("/v1/chat/completions", Self.chat + #","stream":true}"#))
            let all = try await quick.everything()
            #expect(String(decoding: all.suffix(100), as: UTF8.self).contains("[DONE]"))
        }
    }

    @Test("half-open connections and requests that never end are closed", .timeLimit(.minutes(1)))
    func halfOpen() async throws {
        var limits = ServerLimits()
        limits.idleSeconds = 1
        let bench = try Workbench(limits: limits)
        try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            for beginning in [
                "", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
            ] {
                let socket = try RawSocket(port: port)
                try socket.send(beginning)
                _ = try await socket.everything()
            }
            #expect(await bench.host.load == 0)
            #expect(try await Curl.run(["http://localhost:\(port)/healthz"]).isEmpty == false)
        }
    }

    @Test("a flood of headers, one huge header, a line without end: 400 or the door, and the server lives")
    func headers() async throws {
        let bench = try Workbench()
        try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            let many = (0..<5000).map { "X-H\($0): y\r\n" }.joined()
            for head in [
                "GET /healthz HTTP/1.1\r\nHost: x\r\n\(many)\r\n",
                "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: \(String(repeating: "y", count: 200_000))\r\n\r\n",
                "GET /\(String(repeating: "a", count: 300_000)) HTTP/1.1\r\nHost: x\r\n\r\n",
                "\u{0}\u{1}\u{2} nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            ] {
                let socket = try RawSocket(port: port)
                // The server may close before it has read all.
                try? socket.send(head)
                let answer = String(decoding: try await socket.everything(), as: UTF8.self)
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer.prefix(80))")
            }
            #expect(try await Curl.run(["http://localhost:\(port)/healthz"]).isEmpty == false)
        }
    }

    @Test("a body of 10 MB is refused before it is read, announced or not")
    func largeBody() async throws {
        let bench = try Workbench()
        try await bench.server.application(port: 0).test(.live) { client in
            let url = "http://localhost:\(try #require(client.port))/v1/chat/completions"
            let body = Data(repeating: 0x20, count: 10 << 20)
            for extra in [[], ["-H", "Transfer-Encoding: chunked"]] {
                let out = try await Curl.run(
                    [
                        url, "-H", "Content-Type: application/json", "-H", "Expect:", "--data-binary", "@-", "-w",
                        "%{http_code}",
                    ] + extra, input: body)
                #expect(String(decoding: out, as: UTF8.self).contains("body_too_large"))
                #expect(String(decoding: out, as: UTF8.self).hasSuffix("413"))
            }
            #expect(bench.generator.calls == 0)
        }
    }

    @Test("bytes that are no UTF-8 are 400, in bodies, in strings, in paths")
    func badText() async throws {
        let bench = try Workbench()
        try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            var body = Data(#"{"model":"scripted-1","messages":[{"role":"user","content":""#.utf8)
            body += [0xFF, 0xC0, 0x80, 0xED, 0xA0, 0x80]
            body += Data(#""}]}"#.utf8)
            let out = try await Curl.run(
                [
                    "http://localhost:\(port)/v1/chat/completions", "-H", "Content-Type: application/json",
                    "--data-binary", "@-", "-w", "%{http_code}",
                ], input: body)
            #expect(String(decoding: out, as: UTF8.self).hasSuffix("400"))
            #expect(bench.generator.calls == 0)
            for path in ["/v1/models/%FF%FE", "/v1/models/%00", "/%ff", "/api/conversations/%C0%80"] {
                let code = try await Curl.run(
                    ["-o", "/dev/null", "-w", "%{http_code}", "http://localhost:\(port)\(path)"])
                #expect(String(decoding: code, as: UTF8.self) == "404", "\(path)")
            }
            let lone = try await Curl.run(
                [
                    "http://localhost:\(port)/v1/chat/completions", "-H", "Content-Type: application/json", "-d",
                    #"{"model":"scripted-1","messages":[{"role":"user","content":"\ud800"}]}"#, "-o", "/dev/null",
                    "-w", "%{http_code}",
                ])
            #expect(["200", "400"].contains(String(decoding: lone, as: UTF8.self)))
        }
    }

    @Test("over TLS with files of one's own; files that are none are refused by name")
    func tls() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (cert, key) = (folder.appending(path: "cert.pem"), folder.appending(path: "key.pem"))
        let made = try await Curl.apart {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", key.path, "-out", cert.path,
            ]
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        try #require(made == 0, "openssl is needed to make a certificate")
        let bench = try Workbench()
        let files = TLSFiles(certificate: cert, key: key)
        try await bench.server.application(port: 0, tls: files).test(.live) { client in
            let port = try #require(client.port)
            let answer = try await Curl.run(["--cacert", cert.path, "https://localhost:\(port)/healthz"])
            #expect(String(decoding: answer, as: UTF8.self) == #"{"status":"ok"}"#)
            // Who comes by TLS comes by nothing else from then on, and sends the cookie by nothing else.
            let opened = String(
                decoding: try await Curl.run([
                    "--cacert", cert.path, "-i", "https://localhost:\(port)/api/conversations", "-H",
                    "Content-Type: application/json", "-d", #"{"consent":"improve"}"#,
                ]), as: UTF8.self)
            #expect(opened.contains("; Secure") && opened.lowercased().contains("strict-transport-security: max-age="))
            let streamed = try await Curl.run([
                "--cacert", cert.path, "-N", "https://localhost:\(port)/v1/chat/completions", "-H",
                "Content-Type: application/json", "-d", Self.chat + #","stream":true}"#,
            ])
            #expect(String(decoding: streamed, as: UTF8.self).hasSuffix("data: [DONE]\n\n"))
        }
        for wrong in [TLSFiles(certificate: key, key: key), TLSFiles(certificate: cert, key: folder)] {
            #expect(throws: ServerSetupFault.self) { _ = try bench.server.application(port: 0, tls: wrong) }
        }
    }

    @Test("every answer has its request's id, which is in the log; the log has no word of anybody")
    func logs() async throws {
        let bench = try Workbench()
        let name = try #require(HTTPField.Name("X-Request-Id"))
        try await bench.server.application(port: 0).test(.ahc(.http)) { client in
            let response = try await client.execute(
                uri: "/v1/chat/completions", method: .post,
                headers: [.contentType: "application/json", .authorization: "Bearer sk-private"],
                body: ByteBuffer(
                    string: #"{"model":"scripted-1","messages":[{"role":"user","content":"my secret"}],"user":"ann"}"#))
            let id = try #require(response.headers[name])
            #expect(bench.log.text.contains(id))
            let missing = try await client.execute(uri: "/v1/models/secret-name", method: .get)
            #expect(missing.headers[name] != nil && missing.headers[name] != id)
            let log = bench.log.text
            for word in ["secret", "You said", "ann\"", "sk-private", "127.0.0.1\""] {
                #expect(!log.contains(word), "\(word)")
            }
            #expect(log.contains("/v1/chat/completions") && log.contains("status"))
        }
    }

    @Test("each client behind a trusted proxy has a bound of its own")
    func proxied() async throws {
        var limits = ServerLimits()
        limits.requestBurst = 2
        limits.secondsPerRequest = 100
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        func codes(_ proxies: TrustedProxies) async throws -> [Int] {
            let bench = try Workbench(limits: limits, proxies: proxies)
            return try await bench.server.application(hostname: "127.0.0.1", port: 0).test(.ahc(.http)) { client in
                var codes: [Int] = []
                for address in ["1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2"] {
                    codes.append(
                        try await client.execute(uri: "/healthz", method: .get, headers: [name: address]).status.code)
                }
                return codes
            }
        }
        #expect(try await codes(TrustedProxies(["127.0.0.0/8", "::1"])) == [200, 200, 429, 200])
        #expect(try await codes(TrustedProxies()) == [200, 200, 429, 429])
    }
}

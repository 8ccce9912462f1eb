import Foundation
import Synchronization
import Testing

@testable import Remote

@Suite("Remote: addresses that may be asked")
struct AddressTests {
    @Test(
        "addresses inside the house may not",
        arguments: [
            "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
            "169.254.169.254", "100.64.0.1", "100.127.0.1", "192.0.0.1", "192.0.2.7", "198.18.0.1", "198.51.100.1",
            "203.0.113.9", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:10::1",
            "ff02::1", "[::1]", "localhost", "", "1.2.3", "0x7f.1",
        ])
    func forbidden(address: String) {
        #expect(!AddressRule().allows(address))
    }

    @Test(
        "public ones may", arguments: ["93.184.216.34", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1"])
    func allowed(address: String) {
        #expect(AddressRule().allows(address))
    }

    private func body(_ url: String, rule: AddressRule = AddressRule(), _ table: [String: [String]] = [:]) async throws
        -> String
    {
        let client = WebClient(
            rule: rule, limits: .init(seconds: 120, bytes: 1000, redirects: 2), resolver: FixedResolver(table: table))
        return String(decoding: try await client.body(of: WebClient.Request(url)), as: UTF8.self)
    }

    private func code(_ body: () async throws -> String) async -> RemoteError.Code? {
        do {
            _ = try await body()
            return nil
        } catch let error as RemoteError {
            return error.code
        } catch {
            return nil
        }
    }

    @Test("forgery: a private address, by number or by name, is never asked; a mixed answer neither")
    func forgery() async throws {
        let server = try TestServer { _, _ in TestServer.answer(200, "secret") }
        #expect(await code { try await body(server.address) } == .forbiddenAddress)
        #expect(await code { try await body("http://[::1]:\(server.port)") } == .forbiddenAddress)
        let names = ["in.example": ["127.0.0.1"], "both.example": ["93.184.216.34", "127.0.0.1"], "none.example": []]
        for name in names.keys {
            #expect(await code { try await body("http://\(name):\(server.port)", names) } == .forbiddenAddress)
        }
        for odd in ["file:///etc/passwd", "ftp://a.example", "gopher://a", "no address", "http://"] {
            #expect(await code { try await body(odd) } == .badAddress)
        }
        #expect(server.asked.isEmpty)
        // The address that was checked is the one that is asked, whatever the name says elsewhere.
        let allowed = AddressRule(allowsPrivate: true)
        #expect(
            try await body("http://in.example:\(server.port)/x", rule: allowed, ["in.example": ["127.0.0.1"]])
                == "secret")
        #expect(server.asked.count == 1 && server.asked[0].headers.lowercased().contains("host: in.example"))
    }

    @Test("forgery: a redirect is checked as if it were asked for itself, and bounded")
    func redirects() async throws {
        let inside = try TestServer { _, _ in TestServer.answer(200, "secret") }
        let server = try TestServer { asked, _ in
            let next = asked.line.contains("/loop") ? "/loop" : "http://inside.example:\(inside.port)/"
            return TestServer.answer(302, "", headers: ["Location: \(next)"])
        }
        // Only the first server's address counts as public here.
        struct OneHost: NameResolver {
            func addresses(of host: String) async throws -> [String] {
                host == "out.example" ? ["127.0.0.1"] : ["10.0.0.1"]
            }
        }
        let client = WebClient(
            rule: AddressRule(allowsPrivate: true), limits: .init(seconds: 120, redirects: 2),
            resolver: FixedResolver(table: ["out.example": ["127.0.0.1"], "inside.example": ["127.0.0.1"]]))
        let followed = try await client.body(of: .init("http://out.example:\(server.port)/"))
        #expect(String(decoding: followed, as: UTF8.self) == "secret")
        #expect(
            await code {
                String(
                    decoding: try await client.body(of: .init("http://out.example:\(server.port)/loop")), as: UTF8.self)
            } == .redirects)
        #expect(server.asked.count == 4)
        // The same redirect with an address of the house at its end.
        #expect(await RedirectRule.isRefused(to: "http://inside.example/", resolver: OneHost()))
    }

    @Test("a key stays with the service that it was given for, which its port tells too")
    func keys() async throws {
        let other = try TestServer { _, _ in TestServer.answer(200, "other") }
        let elsewhere = other.address + "/"
        let server = try TestServer { asked, _ in
            if asked.line.contains("/own") { return TestServer.answer(200, "own") }
            let next = asked.line.contains("/here") ? "/own" : elsewhere
            return TestServer.answer(302, "", headers: ["Location: \(next)"])
        }
        let client = WebClient(rule: AddressRule(allowsPrivate: true), limits: .init(seconds: 120, redirects: 2))
        var request = WebClient.Request(server.address + "/away")
        request.headers = [("X-Subscription-Token", "secret")]
        #expect(String(decoding: try await client.body(of: request), as: UTF8.self) == "other")
        #expect(other.asked.map { $0.headers.contains("secret") } == [false])
        request.url = server.address + "/here"
        #expect(String(decoding: try await client.body(of: request), as: UTF8.self) == "own")
        #expect(server.asked.map { $0.headers.contains("secret") } == [true, true, true])
    }

    @Test("bounds: bytes, told and untold; time")
    func bounds() async throws {
        let allowed = AddressRule(allowsPrivate: true)
        let large = try TestServer { asked, _ in
            let body = String(repeating: "x", count: 5000)
            return asked.line.contains("untold")
                ? "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n" + body : TestServer.answer(200, body)
        }
        #expect(await code { try await body(large.address, rule: allowed) } == .tooLarge)
        #expect(await code { try await body(large.address + "/untold", rule: allowed) } == .tooLarge)
        // Answers only when the client has given up, however late a busy machine lets it.
        let gaveUp = DispatchSemaphore(value: 0)
        let slow = try TestServer { _, _ in
            _ = gaveUp.wait(timeout: .now() + 300)
            return TestServer.answer(200, "late")
        }
        let client = WebClient(rule: allowed, limits: .init(seconds: 0.2))
        #expect(
            await code { String(decoding: try await client.body(of: .init(slow.address)), as: UTF8.self) } == .timeout)
        gaveUp.signal()
        // Nobody listens there: asked again until the time is up.
        let brief = WebClient(rule: allowed, limits: .init(seconds: 10))
        #expect(
            await code { String(decoding: try await brief.body(of: .init("http://127.0.0.1:1")), as: UTF8.self) }
                == .unreachable)
    }

    @Test("an answer whose body stalls, or goes on for too long, is given up; the error names the host")
    func stalled() async throws {
        let allowed = AddressRule(allowsPrivate: true)
        // Half an answer, and a connection that stays open until the client has given up.
        let gaveUp = DispatchSemaphore(value: 0)
        let half = try TestServer(
            { _, _ in "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\nhalf\n" },
            whenSent: { _ = gaveUp.wait(timeout: .now() + 300) })
        let brief = WebClient(rule: allowed, limits: .init(seconds: 0.2))
        for isStream in [false, true] {
            let error = await #expect(throws: RemoteError.self) {
                if isStream {
                    try await brief.lines(of: .init(half.address)) { _ in }
                } else {
                    _ = try await brief.body(of: .init(half.address))
                }
            }
            #expect(error?.code == .timeout && error?.description.contains("127.0.0.1") == true)
            gaveUp.signal()
        }
        // An answer that is all there, but a clock that leaps once its head was asked for.
        let whole = try TestServer { _, _ in TestServer.answer(200, "late\n") }
        for isStream in [false, true] {
            let start = ContinuousClock.now
            let calls = Mutex(0)
            let client = WebClient(rule: allowed, limits: .init(seconds: 120)) {
                calls.withLock { calls in
                    calls += 1
                    return calls <= (isStream ? 3 : 2) ? start : start + .seconds(3600)
                }
            }
            let error = await #expect(throws: RemoteError.self) {
                if isStream {
                    try await client.lines(of: .init(whole.address)) { _ in }
                } else {
                    _ = try await client.body(of: .init(whole.address))
                }
            }
            #expect(error?.code == .timeout)
        }
    }
}

/// Asks for a redirect's target as the client does.
private enum RedirectRule {
    static func isRefused(to url: String, resolver: any NameResolver) async -> Bool {
        do {
            _ = try await WebClient(limits: .init(seconds: 120), resolver: resolver).body(of: .init(url))
            return false
        } catch let error as RemoteError {
            return error.code == .forbiddenAddress
        } catch {
            return false
        }
    }
}

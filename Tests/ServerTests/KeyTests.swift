import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Server

@Suite("Server: keys of the API")
struct KeyTests {
    private func ask(
        _ client: any TestClientProtocol, _ path: String = "/v1/models", key: String? = nil
    ) async throws -> TestResponse {
        try await client.execute(
            uri: path, method: .get, headers: key.map { [.authorization: "Bearer \($0)"] } ?? [:])
    }

    private func make(_ bench: Workbench, _ name: String, _ role: APIKey.Role = .client) async throws -> String {
        let (secret, key) = APIKey.make(name: name, role: role, now: bench.clock.now)
        try await bench.store.add(key)
        return secret
    }

    @Test("without keys nobody is asked for one, and what is sent in its place is not looked at")
    func open() async throws {
        try await Workbench().server.application().test(.router) { client in
            let plain = try await ask(client)
            #expect(plain.status == .ok)
            #expect(try await ask(client, key: "none").status == .ok)
        }
    }

    @Test("with keys only their holders come in; a revoked one is out, and the last one does not open the door again")
    func closed() async throws {
        let bench = try Workbench()
        let secret = try await make(bench, "page")
        try await bench.server.application().test(.router) { client in
            let missing = try await ask(client)
            #expect(missing.status == .unauthorized && missing.error["type"] as? String == "invalid_request_error")
            #expect(missing.headers[.wwwAuthenticate] == "Bearer")
            let wrong = try await ask(client, key: String(secret.dropLast()) + "_")
            #expect(wrong.status == .unauthorized && wrong.error["code"] as? String == "invalid_api_key")
            #expect(try await ask(client, key: secret).status == .ok)
            // Other spellings of a path lead through the same door.
            #expect(try await ask(client, "//v1//models").status == .unauthorized)
            // The page and the probes need none.
            for path in ["/", "/api/session", "/healthz", "/openapi.json"] {
                #expect(try await ask(client, path).status == .ok)
            }
            try await bench.store.revokeAPIKey(named: "page")
            bench.clock.advance(KeyRing.secondsKept)
            #expect(try await ask(client, key: secret).status == .unauthorized)
            #expect(try await ask(client).status == .unauthorized)
        }
    }

    @Test("keys can be asked for before there is one, and one that is made later holds")
    func required() async throws {
        let bench = try Workbench(requiresKeys: true)
        try await bench.server.application().test(.router) { client in
            #expect(try await ask(client).status == .unauthorized)
            let secret = try await make(bench, "late")
            bench.clock.advance(KeyRing.secondsKept)
            #expect(try await ask(client, key: secret).status == .ok)
        }
    }

    @Test("each key has a bound of its own")
    func bound() async throws {
        var limits = ServerLimits()
        limits.keyBurst = 2
        limits.secondsPerKeyRequest = 10
        let bench = try Workbench(limits: limits)
        let (ann, bob) = (try await make(bench, "ann"), try await make(bench, "bob"))
        try await bench.server.application().test(.router) { client in
            for _ in 0..<2 { #expect(try await ask(client, key: ann).status == .ok) }
            let refused = try await ask(client, key: ann)
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "10")
            #expect(try await ask(client, key: bob).status == .ok)
            bench.clock.advance(10)
            #expect(try await ask(client, key: ann).status == .ok)
        }
    }

    @Test("only an operator is told how much of a prompt had been read before")
    func cached() async throws {
        let bench = try Workbench()
        let keys = [(try await make(bench, "page"), false), (try await make(bench, "ops", .operator), true)]
        try await bench.server.application().test(.router) { client in
            for (key, isTold) in keys {
                let response = try await client.execute(
                    uri: "/v1/chat/completions", method: .post,
                    headers: [.contentType: "application/json", .authorization: "Bearer \(key)"],
                    body: ByteBuffer(string: #"{"model":"loam","messages":[{"role":"user","content":"hi"}]}"#))
                let usage = try #require(response.object["usage"] as? [String: any Sendable])
                #expect((usage["prompt_tokens_details"] != nil) == isTold)
            }
        }
    }

    @Test("what is kept of a key is no key")
    func hashed() async throws {
        let bench = try Workbench()
        let secret = try await make(bench, "page")
        let kept = try #require(try await bench.store.apiKeys().first)
        #expect(secret.hasPrefix("sk-loam-") && secret.count == 56)
        #expect(kept.hash.count == 64 && !kept.hash.contains(secret.dropFirst(8)))
        #expect(kept.hint == "…" + secret.suffix(4))
        try await bench.server.application().test(.router) { client in
            let response = try await ask(client, key: kept.hash)
            #expect(response.status == .unauthorized)
        }
    }
}

@Suite("Server: whose request it is")
struct ClientAddressTests {
    @Test("addresses and networks, of both kinds")
    func ranges() throws {
        let net = try #require(AddressRange("10.1.0.0/16"))
        #expect(net.contains("10.1.255.1") && net.contains("::ffff:10.1.0.9") && !net.contains("10.2.0.1"))
        let six = try #require(AddressRange("fd00::/8"))
        #expect(six.contains("fdab::1") && !six.contains("fe80::1") && !six.contains("10.1.0.1"))
        #expect(AddressRange("0.0.0.0/0")?.contains("8.8.8.8") == true)
        for wrong in ["", "host", "10.0.0.0/33", "10.0.0.0/x", "1.2.3", "10.0.0.0/8/8"] {
            #expect(AddressRange(wrong) == nil)
        }
        #expect(throws: ServerSetupFault.self) { try TrustedProxies(["10.0.0.1", "nginx"]) }
    }

    @Test(
        "bounds count by address, of IPv6 by its network of 64 bits",
        arguments: [
            ("10.1.2.3", "10.1.2.3"), ("::ffff:10.1.2.3", "10.1.2.3"), ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
            ("2001:db8:0:7:ffff:1:2:3", "2001:db8:0:7::/64"), ("2001:db8:0:8::1", "2001:db8:0:8::/64"),
            ("fe80::1%eth0", "fe80:0:0:0::/64"), ("local", "local"),
        ])
    func networks(_ address: String, _ network: String) { #expect(AddressRange.network(of: address) == network) }

    @Test("a client with a whole network of IPv6 has the bounds of one address")
    func manyAddresses() async throws {
        let limits = ServerLimits(requestBurst: 2, secondsPerRequest: 60)
        let bench = try Workbench(limits: limits, proxies: TrustedProxies(["127.0.0.0/8", "::1"]))
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        try await bench.server.application(hostname: "127.0.0.1", port: 0).test(.ahc(.http)) { client in
            var codes: [Int] = []
            for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"] {
                let response = try await client.execute(uri: "/healthz", method: .get, headers: [name: address])
                codes.append(response.status.code)
            }
            #expect(codes == [200, 200, 429, 200])
        }
    }

    @Test("a proxy is believed where it is trusted, and only as far as its own word goes")
    func forwarded() throws {
        let proxies = try TrustedProxies(["10.0.0.0/8", "::1"])
        func client(_ address: String, _ forwarded: String...) -> String {
            proxies.client(address: address, forwarded: forwarded)
        }
        #expect(client("10.0.0.1", "1.2.3.4") == "1.2.3.4")
        // Whoever comes by themselves says nothing that counts.
        #expect(client("9.9.9.9", "1.2.3.4") == "9.9.9.9")
        // What stands before the address that our proxy saw was written by the client.
        #expect(client("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2") == "1.2.3.4")
        #expect(client("10.0.0.1", "6.6.6.6", "1.2.3.4") == "1.2.3.4")
        #expect(client("::1", "[2001:db8::7]:4711") == "2001:db8::7")
        #expect(client("::1", "1.2.3.4:80") == "1.2.3.4")
        #expect(client("10.0.0.1", "unknown") == "10.0.0.1")
        #expect(client("10.0.0.1") == "10.0.0.1")
        #expect(TrustedProxies().client(address: "10.0.0.1", forwarded: ["1.2.3.4"]) == "10.0.0.1")
    }
}

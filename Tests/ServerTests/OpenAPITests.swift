import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Server

@Suite("Server: the description of the API")
struct OpenAPITests {
    private static let methods = ["get", "put", "post", "delete", "patch"]

    private func document() throws -> [String: any Sendable] {
        let value = try JSONDecoder().decode(JSONValue.self, from: OpenAPIDescription().data)
        return try #require(plain(value) as? [String: any Sendable])
    }

    /// `GET /api/me` and the like.
    private func described() throws -> [String: [String: any Sendable]] {
        let paths = try #require(document()["paths"] as? [String: any Sendable])
        var found: [String: [String: any Sendable]] = [:]
        for (path, item) in paths {
            for (method, operation) in item as? [String: any Sendable] ?? [:] where Self.methods.contains(method) {
                found[method.uppercased() + " " + path] = operation as? [String: any Sendable]
            }
        }
        return found
    }

    @Test("every route of programs and pages is described, and nothing else is")
    func routes() async throws {
        let routes = try Workbench().server.router().routes.compactMap { route -> String? in
            let path = route.path.description.replacing("**", with: "{id}")
            let isOurs =
                ["/v1/", "/api/"].contains { path.hasPrefix($0) }
                || ["/healthz", "/readyz", "/metrics", "/openapi.json"].contains(path)
            return isOurs && route.method != .head ? "\(route.method.rawValue) \(path)" : nil
        }
        let described = Set(try described().keys)
        #expect(
            Set(routes).subtracting(described).isEmpty,
            "describe these in Sources/Server/Resources/openapi.json: \(Set(routes).subtracting(described).sorted())")
        #expect(described.subtracting(routes).isEmpty, "described, but not there")
        #expect(described.count > 20)
    }

    @Test("every operation has a name of its own, a summary, its path's parameters, and shapes that are there")
    func operations() throws {
        let operations = try described()
        var names: Set<String> = []
        for (route, operation) in operations {
            let name = try #require(operation["operationId"] as? String, "\(route)")
            #expect(names.insert(name).inserted, "\(route)")
            #expect((operation["summary"] as? String)?.isEmpty == false, "\(route)")
            let responses = try #require(operation["responses"] as? [String: any Sendable], "\(route)")
            #expect(responses.keys.contains { $0.hasPrefix("2") }, "\(route)")
            let parameters = (operation["parameters"] as? [any Sendable] ?? []).compactMap {
                ($0 as? [String: any Sendable])?["name"] as? String
            }
            let inPath = route.matches(of: /\{(\w+)\}/).map { String($0.1) }
            #expect(parameters == inPath, "\(route)")
        }
        let text = String(decoding: try OpenAPIDescription().data, as: UTF8.self)
        let components = try #require(document()["components"] as? [String: any Sendable])
        for match in text.matches(of: /"#\/components\/(\w+)\/(\w+)"/) {
            let group = components[String(match.1)] as? [String: any Sendable]
            #expect(group?[String(match.2)] != nil, "\(match.2)")
        }
    }

    @Test("it is served, and only once to who has it")
    func served() async throws {
        try await Workbench().server.application().test(.router) { client in
            let first = try await client.execute(uri: "/openapi.json", method: .get)
            #expect(first.status == .ok && first.object["openapi"] as? String == "3.1.0")
            let tag = try #require(first.headers[.eTag])
            let again = try await client.execute(uri: "/openapi.json", method: .get, headers: [.ifNoneMatch: tag])
            #expect(again.status == .notModified)
        }
    }

    @Test("a method that a path has not is 405 with those that it has")
    func methodNotAllowed() async throws {
        try await Workbench().server.application().test(.router) { client in
            for (method, path, allowed) in [
                (HTTPRequest.Method.put, "/api/session", "GET, HEAD"), (.delete, "/v1/models/a/b", "GET, HEAD"),
                (.get, "/v1/chat/completions", "POST"), (.post, "/api/messages/m/feedback", "DELETE, PUT"),
            ] {
                let response = try await client.execute(uri: path, method: method)
                #expect(response.status == .methodNotAllowed && response.headers[.allow] == allowed, "\(path)")
                #expect(response.error["code"] as? String == "method_not_allowed")
            }
            #expect(try await client.execute(uri: "/v1/nothing", method: .put).status == .notFound)
        }
    }

    @Test("schemathesis finds no fault in a short run", .enabled(if: TestPython.isThere), .timeLimit(.minutes(5)))
    func fuzzed() async throws {
        var limits = ServerLimits()
        limits.requestBurst = 1_000_000
        limits.messageBurst = 1_000_000
        limits.conversationBurst = 1_000_000
        let bench = try Workbench(limits: limits, beside: .forTests())
        try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            let (status, output) = try await TestPython.run(
                program: "/usr/bin/env", script: "../../../Scripts/fuzz-api",
                ["--url", "http://localhost:\(port)", "--examples", "5"])
            #expect(status == 0, "\(output.suffix(6000))")
        }
    }
}

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Server

@Suite("Server: the page itself")
struct PageTests {
    @Test(
        "page, script and style are served with a policy that forbids foreign and inline code",
        arguments: [
            ("/", "text/html; charset=utf-8"), ("/app.js", "text/javascript; charset=utf-8"),
            ("/style.css", "text/css; charset=utf-8"),
        ])
    func files(path: String, type: String) async throws {
        try await Workbench().server.application().test(.router) { client in
            let response = try await client.execute(uri: path, method: .get)
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == type)
            #expect(response.body.readableBytes > 1000)
            let policy = try #require(response.headers[.contentSecurityPolicy])
            #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"))
            #expect(!policy.contains("unsafe"))
            #expect(response.headers[.xContentTypeOptions] == "nosniff")
            let tag = try #require(response.headers[.eTag])
            let again = try await client.execute(uri: path, method: .get, headers: [.ifNoneMatch: tag])
            #expect(again.status == .notModified)
            #expect(again.body.readableBytes == 0)
        }
    }

    @Test("the page holds nothing that its own policy would block or that leaves this server")
    func pageKeepsItsPolicy() throws {
        let folder = PageFiles.bundled
        let page = try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
        let script = try String(contentsOf: folder.appending(path: "app.js"), encoding: .utf8)
        let style = try String(contentsOf: folder.appending(path: "style.css"), encoding: .utf8)
        #expect(page.matches(of: /<script(?![^>]*src=)/).isEmpty)
        #expect(page.matches(of: /<style|\sstyle=|\son[a-z]+=/).isEmpty)
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "setAttribute(\"style"]
        {
            #expect(!script.contains(sink), "\(sink)")
        }
        for text in [page, script, style] {
            let addresses = text.matches(of: /https?:\/\/[^'"\s)]+/).map { String($0.0) }
            #expect(addresses.allSatisfy { $0.hasPrefix("http://www.w3.org/") }, "\(addresses)")
        }
    }

    @Test("looking inside has words for every safety layer")
    func layerWords() throws {
        let script = try String(contentsOf: PageFiles.bundled.appending(path: "inside.js"), encoding: .utf8)
        for layer in ["string_matcher", "classifier", "self_harm_matcher", "topic_matcher", "privacy"] {
            #expect(script.contains(layer + ": \""), "\(layer)")
        }
    }

    @Test("what does not exist is 404 in the one error shape, with the same headers")
    func notFound() async throws {
        try await Workbench().server.application().test(.router) { client in
            for path in ["/nothing", "/api/nothing", "/../Package.swift", "/index.html/x", "/v1/nothing"] {
                let response = try await client.execute(uri: path, method: .get)
                #expect(response.status == .notFound)
                #expect(response.error["code"] as? String == "not_found")
                #expect(response.error.keys.sorted() == ["code", "message", "param", "type"])
                #expect(response.headers[.contentSecurityPolicy] != nil)
            }
        }
    }

    @Test("one address cannot ask without end")
    func addressBound() async throws {
        var limits = ServerLimits()
        limits.requestBurst = 5
        limits.secondsPerRequest = 2
        try await Workbench(limits: limits).server.application().test(.router) { client in
            for _ in 0..<5 { #expect(try await client.execute(uri: "/healthz", method: .get).status == .ok) }
            let refused = try await client.execute(uri: "/healthz", method: .get)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "2")
        }
    }

    @Test("a folder without the page is told of at once")
    func missingFiles() {
        let nowhere = FileManager.default.temporaryDirectory.appending(path: "no-page-here")
        #expect(throws: (any Error).self) { try Workbench(files: nowhere) }
    }
}

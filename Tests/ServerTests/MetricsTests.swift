import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Generation
@testable import Server

@Suite("Server: metrics")
struct MetricsTests {
    @Test("the text format: help, type, labels, escapes, buckets that add up")
    func text() {
        let page = MetricFamily.page([
            MetricFamily("a_total", "Back\\slash\nand line.", "kind", ["x\"y\\z\n": 2, "b": 1]),
            MetricFamily("b_seconds", "Times.", bounds: [0.5, 1], counts: [1, 0, 2], sum: 7.25),
            MetricFamily("c", "Odd.", .gauge, .infinity), MetricFamily("empty", "Nothing.", .counter, []),
        ])
        #expect(
            page == """
                # HELP a_total Back\\\\slash\\nand line.
                # TYPE a_total counter
                a_total{kind="b"} 1
                a_total{kind="x\\"y\\\\z\\n"} 2
                # HELP b_seconds Times.
                # TYPE b_seconds histogram
                b_seconds_bucket{le="0.5"} 1
                b_seconds_bucket{le="1"} 1
                b_seconds_bucket{le="+Inf"} 3
                b_seconds_sum 7.25
                b_seconds_count 3
                # HELP c Odd.
                # TYPE c gauge
                c +Inf

                """)
    }

    @Test("durations fall into doubling buckets")
    func durations() {
        var histogram = DurationHistogram()
        for duration in [Duration.zero, .milliseconds(1), .milliseconds(3), .seconds(500)] { histogram.add(duration) }
        histogram.add(.seconds(-1))
        #expect(histogram.counts[0] == 3 && histogram.counts[2] == 1)
        #expect(histogram.counts.last == 1 && histogram.counts.reduce(0, +) == 5)
        #expect(abs(histogram.sum - 500.004) < 1e-9)
    }

    /// A page after a bit of everything.
    private func page(of bench: Workbench, _ client: any TestClientProtocol) async throws -> String {
        let browser = Browser(client)
        let id = try await browser.begin()
        let reply = try await browser.say("hello secret words", in: id)
        let message = try #require(reply["id"] as? String)
        _ = try await browser.send(
            .put, "/api/messages/\(message)/feedback", #"{"rating":-1,"reasons":["repeating","spam"]}"#)
        for path in ["/v1/models", "/v1/models/none", "/nowhere/\(id)", "/healthz"] {
            _ = try await browser.send(.get, path)
        }
        let metrics = try await browser.send(.get, "/metrics")
        #expect(metrics.status == .ok)
        #expect(metrics.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        return metrics.text
    }

    @Test("requests, feedback, tokens, times and the store are counted; no id and no word gets in")
    func counted() async throws {
        var side = SideModels()
        side.gauge = StandingGauge()
        let bench = try Workbench(beside: side)
        try await bench.server.application().test(.router) { client in
            let text = try await page(of: bench, client)
            for line in [
                #"loam_http_requests_total{method="GET",route="/v1/models/**",status="404"} 1"#,
                #"loam_http_requests_total{method="GET",route="none",status="404"} 1"#,
                #"loam_http_requests_total{method="POST",route="/api/conversations/{id}/messages",status="200"} 1"#,
                #"loam_feedback_total{rating="dislike"} 1"#, #"loam_feedback_reasons_total{reason="spam"} 1"#,
                #"loam_replies_total{finish_reason="stop"} 1"#, "loam_prompt_tokens_total 3",
                "loam_written_tokens_total 3", "loam_first_text_seconds_count 1", "loam_stored_conversations 1",
                #"loam_model_state{state="ready"} 1"#, "loam_model_waiting 2", "loam_model_cache_bytes 1024",
                "loam_time_to_first_token_seconds_count 1", "loam_inter_token_seconds_count 2",
            ] { #expect(text.contains(line + "\n"), "\(line)") }
            #expect(!text.contains("secret") && !text.contains("nowhere") && !text.contains("c0"))
        }
    }

    @Test("refusals are counted by what was too much, verdicts by layer")
    func refusals() async throws {
        var limits = ServerLimits()
        limits.messageBurst = 1
        limits.secondsPerMessage = 100
        let bench = try Workbench(limits: limits, beside: .forTests())
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            try await browser.say("one", in: id)
            let refused = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"two"}"#)
            #expect(refused.status == .tooManyRequests)
            _ = try await browser.send(.post, "/v1/completions", #"{"model":"scripted-1","prompt":"grumble"}"#)
            let text = try await browser.send(.get, "/metrics").text
            for line in [
                #"loam_refused_total{bound="person"} 1"#, #"loam_replies_total{finish_reason="content_filter"} 1"#,
                #"loam_safety_decisions_total{side="person",layer="string_matcher",verdict="unsafe"} 1"#,
                #"loam_safety_decisions_total{side="person",layer="classifier",verdict="safe"} 1"#,
            ] { #expect(text.contains(line + "\n"), "\(line)") }
        }
    }

    @Test("metrics are for this machine and for operators: not for a proxy's clients, not for other keys")
    func whoMay() async throws {
        let bench = try Workbench()
        let (client, clientKey) = APIKey.make(name: "page", role: .client, now: bench.clock.now)
        let (office, officeKey) = APIKey.make(name: "office", role: .operator, now: bench.clock.now)
        try await bench.store.add(clientKey)
        try await bench.store.add(officeKey)
        let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
        try await bench.server.application().test(.router) { http async throws in
            func status(_ headers: HTTPFields) async throws -> Int {
                try await http.execute(uri: "/metrics", method: .get, headers: headers).status.code
            }
            #expect(try await status([:]) == 200)
            #expect(try await status([forwarded: "1.2.3.4"]) == 403)
            #expect(try await status([forwarded: "1.2.3.4", .authorization: "Bearer \(client)"]) == 403)
            #expect(try await status([forwarded: "1.2.3.4", .authorization: "Bearer \(office)"]) == 200)
        }
    }

    @Test("Prometheus' own parser reads the page", .enabled(if: TestPython.isThere))
    func parsed() async throws {
        var side = try SideModels.forTests()
        side.gauge = StandingGauge()
        let bench = try Workbench(beside: side)
        try await bench.server.application().test(.router) { client in
            let text = try await page(of: bench, client)
            let (status, output) = try await TestPython.run(script: "metrics_page.py", [], input: text)
            #expect(status == 0, "\(output)")
            #expect(output.contains("loam_http_requests") && output.contains("histogram loam_inter_token_seconds"))
        }
    }
}

/// A model that always does the same.
private struct StandingGauge: ModelGauge {
    func status() async -> BatchScheduler.Status {
        var (first, between) = (DurationHistogram(), DurationHistogram())
        first.add(.milliseconds(20))
        for _ in 0..<2 { between.add(.milliseconds(5)) }
        return BatchScheduler.Status(
            running: 1, waiting: 2, promptTokens: 30, cachedTokens: 10, generatedTokens: 3, refused: 0,
            cacheBytes: 1024, cacheCapacity: 4096, queueTimes: DurationHistogram(), firstTokenTimes: first,
            tokenTimes: between)
    }
}

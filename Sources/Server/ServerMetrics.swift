import Conversations
import Dialogue
import Foundation
import Generation
import Synchronization

/// What the server counts of itself, for `/metrics`. Labels come from closed sets: no path, id, name or word of anybody.
public final class ServerMetrics: Sendable {
    /// What can be too much: the label of refusals.
    enum Bound: String, Sendable { case address, key, person, replies }

    private struct Request: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    private struct State {
        var requests: [Request: Int] = [:]
        var refused: [String: Int] = [:]
        var ratings: [String: Int] = [:]
        var reasons: [String: Int] = [:]
        var safety: [[String]: Int] = [:]
        var endings: [String: Int] = [:]
        var promptTokens = 0
        var cachedTokens = 0
        var writtenTokens = 0
        var firstPiece = DurationHistogram()
        var reply = DurationHistogram()
    }

    private let state = Mutex(State())
    let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter now: the time, by which replies are measured.
    public init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    // MARK: What happened

    /// - Parameter route: the route's pattern; `nil` where none fits.
    func answered(_ method: String, route: String?, status: Int) {
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
        let request = Request(
            method: known.contains(method) ? method : "other", route: route ?? "none", status: status)
        state.withLock { $0.requests[request, default: 0] += 1 }
    }

    func refused(by bound: Bound) { state.withLock { $0.refused[bound.rawValue, default: 0] += 1 } }

    /// Somebody said what they think of a reply.
    func feedback(_ rating: Rating?, reasons: [DislikeReason]) {
        state.withLock { state in
            switch rating {
            case .like: state.ratings["like", default: 0] += 1
            case .dislike: state.ratings["dislike", default: 0] += 1
            case nil: state.ratings["text", default: 0] += 1
            }
            for reason in reasons {
                let name = DislikeReason.offered.contains(reason) ? reason.rawValue : "unknown"
                state.reasons[name, default: 0] += 1
            }
        }
    }

    /// Writes a reply and takes note of how it went.
    /// - Parameters:
    ///   - onPiece: gets what the writer shows.
    ///   - write: writes it; what it is handed passes pieces on.
    func measuring(
        _ onPiece: @escaping @Sendable (String) -> Void,
        _ write: (@escaping @Sendable (String) -> Void) async throws -> Answer
    ) async throws -> Answer {
        let start = now()
        let first = Mutex<ContinuousClock.Instant?>(nil)
        let answer = try await write { [now] piece in
            if !piece.isEmpty { first.withLock { $0 = $0 ?? now() } }
            onPiece(piece)
        }
        let end = now()
        let shown = first.withLock { $0 } ?? end
        state.withLock { state in
            state.firstPiece.add(start.duration(to: shown))
            state.reply.add(start.duration(to: end))
            state.promptTokens += answer.promptTokenCount
            state.cachedTokens += answer.cachedTokenCount
            state.writtenTokens += answer.tokenCount
            let ending = answer.message.isSafetyControlled ? "content_filter" : answer.finishReason
            state.endings[["stop", "length", "content_filter"].contains(ending) ? ending : "other", default: 0] += 1
            for (side, decisions) in [("person", answer.personDecisions), ("reply", answer.message.safety)] {
                for decision in decisions {
                    state.safety[
                        [side, Self.layer(decision.layer), decision.isUnsafe ? "unsafe" : "safe"], default: 0] += 1
                }
            }
        }
        return answer
    }

    private static func layer(_ name: String) -> String {
        ["string_matcher", "classifier", "self_harm_matcher", "topic_matcher"].contains(name) ? name : "other"
    }

    // MARK: As a scraper reads it

    var families: [MetricFamily] {
        let state = state.withLock { $0 }
        let requests = state.requests.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }.map { request, count in
            MetricFamily.Sample(
                labels: [("method", request.method), ("route", request.route), ("status", String(request.status))],
                value: Double(count))
        }
        let safety = state.safety.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { labels, count in
            MetricFamily.Sample(
                labels: Array(zip(["side", "layer", "verdict"], labels)), value: Double(count))
        }
        return [
            MetricFamily("loam_http_requests_total", "Requests by route pattern and status.", .counter, requests),
            MetricFamily(
                "loam_refused_total", "Requests refused with 429, by what was too much.", "bound", state.refused),
            MetricFamily("loam_feedback_total", "Feedback by rating.", "rating", state.ratings),
            MetricFamily("loam_feedback_reasons_total", "Reasons given with dislikes.", "reason", state.reasons),
            MetricFamily("loam_safety_decisions_total", "Verdicts of the safety layers.", .counter, safety),
            MetricFamily("loam_replies_total", "Replies by how they ended.", "finish_reason", state.endings),
            MetricFamily(
                "loam_prompt_tokens_total", "Tokens of prompts.", .counter, Double(state.promptTokens)),
            MetricFamily(
                "loam_prompt_cached_tokens_total", "Tokens of prompts that had been computed before.", .counter,
                Double(state.cachedTokens)),
            MetricFamily("loam_written_tokens_total", "Tokens of replies.", .counter, Double(state.writtenTokens)),
            state.firstPiece.family(
                "loam_first_text_seconds", "From taking a request on to the first text that its reader sees."),
            state.reply.family("loam_reply_seconds", "From taking a request on to the end of its reply."),
        ]
    }
}

extension DurationHistogram {
    func family(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily(name, help, bounds: Self.bounds, counts: counts, sum: sum)
    }
}

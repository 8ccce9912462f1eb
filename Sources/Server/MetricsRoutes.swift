import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Storage

/// `/metrics` for Prometheus: for this machine and for operators' keys.
struct MetricsRoutes: Sendable {
    let host: ModelHost
    let counts: StoredCounts
    let keys: KeyRing
    let startedAt: Date

    func add(to router: Router<ServerContext>) {
        router.get("metrics") { request, context in
            // A proxy on this machine speaks for others: it is told apart by what it says of them.
            let isHere = context.isFromLoopback && !context.isForwarded
            var may = isHere
            if !may { may = try await keys.holder(of: request)?.role == .operator }
            guard may else {
                throw ServerError(
                    .forbidden, "Metrics are for this machine and for an operator's key.", code: "not_allowed")
            }
            let text = MetricFamily.page(await families())
            return Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }

    private func families() async -> [MetricFamily] {
        var families = host.metrics.families
        let state = await host.stateName
        families += [
            MetricFamily(
                "loam_model_state", "1 for how far the model is.", .gauge,
                ["loading", "ready", "failed"].map { .init(labels: [("state", $0)], value: $0 == state ? 1 : 0) }),
            MetricFamily("loam_replies_writing", "Replies that are being written.", .gauge, Double(await host.load)),
            MetricFamily("loam_replies_places", "Most replies at once.", .gauge, Double(host.repliesAtOnce)),
            MetricFamily(
                "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", .gauge,
                startedAt.timeIntervalSince1970),
        ]
        if let gauge = await host.beside.gauge { families += await gauge.status().families }
        families += await counts.families() + ProcessReading.families
        return families
    }
}

/// How much the store holds, counted at most every half minute: it reads the whole of a large store.
actor StoredCounts {
    private let store: any ConversationStore
    private let now: @Sendable () -> Date
    private var last: (counts: StoreCounts, at: Date)?

    init(store: any ConversationStore, now: @escaping @Sendable () -> Date) {
        self.store = store
        self.now = now
    }

    /// Nothing where the store does not answer: the rest of the page is worth reading then more than ever.
    func families() async -> [MetricFamily] {
        if last.map({ now().timeIntervalSince($0.at) >= 30 }) ?? true, let counts = try? await store.counts() {
            last = (counts, now())
        }
        guard let counts = last?.counts else { return [] }
        return [
            MetricFamily(
                "loam_stored_conversations", "Conversations in the store.", .gauge, Double(counts.conversations)),
            MetricFamily("loam_stored_messages", "Messages in the store.", .gauge, Double(counts.messages)),
            MetricFamily("loam_stored_feedback", "Current feedback in the store.", .gauge, Double(counts.feedback)),
        ]
    }
}

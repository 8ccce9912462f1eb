import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Storage

/// The loop from the operator's page: which model serves, rounds, their reports, and whom they believe.
struct LoopRoutes: Sendable {
    let store: any OfficeStore
    let models: (any ModelShelf)?
    let runner: (any ImprovementRunner)?
    let now: @Sendable () -> Date

    var routes: [OfficeRoute] {
        [
            OfficeRoute(.get, "/api/admin/models", .operator) { _, _, _ in
                let seen = try await store.models().map(SightingView.init)
                return try JSONBody.response(ModelsView(shelf: try await models?.contents(), seen: seen))
            },
            OfficeRoute(.post, "/api/admin/models/:id/promote", .operator) { signedIn, request, context in
                var request = request
                let id = try context.pathPart("id")
                let input = try await JSONBody.read(PromoteInput.self, from: &request, limit: 8192)
                let reason = try OfficeReading.checked(input.reason)
                guard input.confirm == id else {
                    throw ServerError.invalid("confirm", "'confirm' must repeat the model's id.")
                }
                let shelf = try shelf()
                try await audited("promote", id, by: signedIn, reason) {
                    try await shelf.promote(id, evenIfGateFailed: input.evenIfGateFailed ?? false)
                }
                return try JSONBody.response(["serving": id])
            },
            OfficeRoute(.post, "/api/admin/rollback", .operator) { signedIn, request, _ in
                var request = request
                let input = try await JSONBody.read(OperatorRoutes.ReasonInput.self, from: &request, limit: 8192)
                let reason = try OfficeReading.checked(input.reason)
                let shelf = try shelf()
                let serving = try await shelf.contents().serving ?? "none"
                let id = try await audited("roll_back", serving, by: signedIn, reason) { try await shelf.rollBack() }
                return try JSONBody.response(["serving": id])
            },
            OfficeRoute(.get, "/api/admin/runs", .operator) { _, _, _ in
                try JSONBody.response(RunsView(canRun: runner != nil, runs: try await runner?.runs() ?? []))
            },
            OfficeRoute(.post, "/api/admin/runs", .operator) { signedIn, request, _ in
                var request = request
                let input = try await JSONBody.read(ImprovementRequest.self, from: &request, limit: 8192).checked()
                let runner = try someRunner()
                try await audited("improve", input.name, by: signedIn, "a round of \(input.iterations)") {
                    try await runner.start(input)
                }
                return try JSONBody.response(["name": input.name], status: .created)
            },
            OfficeRoute(.post, "/api/admin/runs/:name/stop", .operator) { signedIn, _, context in
                let name = try context.pathPart("name")
                let runner = try someRunner()
                try await audited("stop_run", name, by: signedIn, "stopped on the page") { try await runner.stop(name) }
                return Response(status: .noContent)
            },
            OfficeRoute(.get, "/api/admin/runs/:name/events", .operator) { _, request, context in
                try await events(request, context)
            },
            OfficeRoute(.get, "/api/admin/runs/:name/report", .operator) { _, _, context in
                guard let data = try await runner?.report(of: try context.pathPart("name")) else {
                    throw ServerError.notFound("report")
                }
                // A page of its own: it may show itself and do nothing else, whatever stands in it.
                return Response(
                    status: .ok,
                    headers: [
                        .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                        .contentSecurityPolicy:
                            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox",
                    ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
            },
            OfficeRoute(.get, "/api/admin/trust", .operator) { _, _, _ in
                try JSONBody.response(TrustView(try await runner?.people()))
            },
        ]
    }

    // MARK: Inputs and views

    private struct PromoteInput: Decodable {
        var confirm: String
        var reason: String
        var evenIfGateFailed: Bool?

        enum CodingKeys: String, CodingKey {
            case confirm, reason
            case evenIfGateFailed = "even_if_gate_failed"
        }
    }

    private struct SightingView: Encodable {
        var model: String
        var firstAt: Date
        var lastAt: Date

        init(_ sighting: ModelSighting) {
            (model, firstAt, lastAt) = (sighting.model, sighting.firstAt, sighting.lastAt)
        }

        enum CodingKeys: String, CodingKey {
            case model
            case firstAt = "first_at"
            case lastAt = "last_at"
        }
    }

    private struct ModelsView: Encodable {
        /// Absent where the server has no registry.
        var shelf: ShelfContents?
        /// Models whose replies are in the store.
        var seen: [SightingView]
    }

    private struct RunsView: Encodable {
        var canRun: Bool
        var runs: [ImprovementRun]

        enum CodingKeys: String, CodingKey {
            case canRun = "can_run"
            case runs
        }
    }

    /// People by trust: a histogram of all, and those who are trusted least.
    struct TrustView: Encodable, Sendable {
        struct Person: Encodable, Sendable {
            var user: String
            var trust: Double
            var votes: Int
            var agreement: Double?
            var flags: [String]
            var reasons: [String]
        }

        var run: String?
        var people = 0
        var flagged: [String: Int] = [:]
        /// Twenty bins from 0 to 1.
        var bins = [Int](repeating: 0, count: 20)
        var least: [Person] = []

        init(_ found: TrustedPeople?) {
            guard let found else { return }
            run = found.run
            people = found.people.count
            for person in found.people {
                bins[min(19, max(0, Int(person.trust * 20)))] += 1
                for kind in Set(person.flags.map(\.kind)) { flagged[kind, default: 0] += 1 }
            }
            least = found.people.sorted { ($0.trust, $1.votes, $0.user) < ($1.trust, $0.votes, $1.user) }.prefix(100)
                .map {
                    Person(
                        user: $0.user, trust: $0.trust, votes: $0.votes, agreement: $0.agreement,
                        flags: $0.flags.map(\.kind), reasons: $0.flags.map(\.reason))
                }
        }
    }

    // MARK: Doing

    private func shelf() throws -> any ModelShelf {
        guard let models else { throw OfficeRefusal("this server has no model registry").serverError }
        return models
    }

    private func someRunner() throws -> any ImprovementRunner {
        guard let runner else { throw OfficeRefusal("this server cannot run the loop").serverError }
        return runner
    }

    /// Does what an operator asked for, written down beforehand, so that nothing is done that no record tells of.
    private func audited<R: Sendable>(
        _ action: String, _ subject: String, by signedIn: OfficeAccounts.SignedIn, _ reason: String,
        _ body: @Sendable () async throws -> R
    ) async throws -> R {
        try await store.record(
            AccessRecord(actor: signedIn.name, action: action, subject: subject, reason: reason, recordedAt: now()))
        do {
            return try await body()
        } catch let error as OfficeRefusal {
            throw error.serverError
        }
    }

    /// A run as it goes on: its state whenever that changes, until it is over.
    private func events(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        // `EventStream` needs a body that was read.
        _ = try await request.collectBody(upTo: 1024)
        let runner = try someRunner()
        let name = try context.pathPart("name")
        guard try await runner.run(named: name) != nil else { throw ServerError.notFound("run") }
        return EventStream.response(to: request, RunEvents(runner: runner, name: name), logger: context.logger) {
            try EventStream.Event(name: "error", json: $0.body)
        }
    }
}

/// The states of a run, one a second at most, each when it differs from the last or after a quarter of a minute.
struct RunEvents: AsyncSequence, Sendable {
    typealias Element = EventStream.Event

    let runner: any ImprovementRunner
    let name: String
    var pause: Duration = .seconds(1)
    /// Looks without news after which the same is sent again, so that a connection that is gone is noticed.
    var patience = 15

    func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    struct Iterator: AsyncIteratorProtocol {
        let events: RunEvents
        private var last: ImprovementRun?
        private var isOver = false

        init(events: RunEvents) { self.events = events }

        mutating func next() async throws -> EventStream.Event? {
            if isOver { return nil }
            var looks = 0
            while true {
                if last != nil { try await Task.sleep(for: events.pause) }
                guard let run = try await events.runner.run(named: events.name) else { return nil }
                looks += 1
                guard run != last || looks >= events.patience else { continue }
                last = run
                isOver = run.state != .running
                return try EventStream.Event(name: isOver ? "end" : "run", json: run)
            }
        }
    }
}

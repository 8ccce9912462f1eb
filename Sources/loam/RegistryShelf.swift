import Foundation
import Improvement
import Server

/// The model registry as the operator's page sees it. What is promoted there is what this server answers with from then on.
struct RegistryShelf: ModelShelf {
    let registry: ModelRegistry
    /// Puts a model in front of people here; replies that are being written finish with the one before.
    let serve: @Sendable (ModelRegistry.Entry) async throws -> Void

    func contents() async throws -> ShelfContents {
        try refusing {
            ShelfContents(
                serving: try registry.serving()?.id,
                models: try registry.entries().map {
                    .init(
                        id: $0.id, path: $0.path, madeAt: $0.madeAt, parent: $0.parent, method: $0.method,
                        people: $0.people, passedGate: $0.passedGate, reasons: $0.reasons)
                },
                history: try registry.history().map { .init(id: $0.id, at: $0.at, why: $0.why) },
                trial: try registry.trial().map { .init(model: $0.model, share: $0.share) })
        }
    }

    func promote(_ id: String, evenIfGateFailed: Bool) async throws {
        let entry = try refusing {
            try registry.promote(id, at: Date(), force: evenIfGateFailed)
            return try registry.entry(id)
        }
        try await begin(entry)
    }

    func rollBack() async throws -> String {
        let entry = try refusing { try registry.rollback(at: Date()) }
        try await begin(entry)
        return entry.id
    }

    private func begin(_ entry: ModelRegistry.Entry) async throws {
        do {
            try await serve(entry)
        } catch {
            throw OfficeRefusal(
                "\(entry.id) serves by the registry, but cannot be opened here: \(error); this server goes on with the model before"
            )
        }
    }

    private func refusing<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch { throw OfficeRefusal("\(error)") }
    }
}

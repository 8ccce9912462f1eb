import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Storage

/// What the operator's page reads: conversations, the audit log, figures.
struct OperatorRoutes: Sendable {
    let store: any OfficeStore
    let reading: OfficeReading
    let figures: FiguresDesk
    let now: @Sendable () -> Date

    var routes: [OfficeRoute] {
        [
            OfficeRoute(.get, "/api/admin/figures", .operator) { _, request, _ in
                let days = request.uri.queryParameters["days"].flatMap { Int($0) } ?? 30
                guard (0...3660).contains(days) else {
                    throw ServerError.invalid("days", "'days' must be from 0 (everything) to 3660.")
                }
                return try JSONBody.response(await figures.figures(days: days))
            },
            OfficeRoute(.get, "/api/admin/conversations", .operator) { _, request, _ in
                try JSONBody.response(await reading.page(try query(request)))
            },
            OfficeRoute(.get, "/api/admin/conversations/:id", .operator) { _, _, context in
                try JSONBody.response(await reading.deidentified(try context.pathPart("id")))
            },
            OfficeRoute(.post, "/api/admin/conversations/:id/raw", .operator) { signedIn, request, context in
                var request = request
                let input = try await JSONBody.read(ReasonInput.self, from: &request, limit: 8192)
                return try JSONBody.response(
                    await reading.raw(
                        try context.pathPart("id"), actor: signedIn.name, reason: input.reason))
            },
            OfficeRoute(.get, "/api/admin/accesses", .operator) { _, _, _ in
                try JSONBody.response(["accesses": try await store.latestAccesses(limit: 200).map(AccessView.init)])
            },
        ]
    }

    struct ReasonInput: Decodable { var reason: String }

    /// A line of the audit log.
    private struct AccessView: Encodable {
        var actor: String
        var action: String
        var subject: String
        var reason: String
        var at: Date

        init(_ access: AccessRecord) {
            (actor, action, subject, reason) = (access.actor, access.action, access.subject, access.reason)
            at = access.recordedAt
        }
    }

    private func query(_ request: Request) throws -> OfficeReading.Query {
        let given = request.uri.queryParameters
        func flag(_ name: Substring) throws -> Bool {
            switch given[name] {
            case nil, "", "false": return false
            case "true": return true
            default: throw ServerError.invalid(String(name), "'\(name)' must be true or false.")
            }
        }
        func text(_ name: Substring) -> String? {
            given[name].map(String.init).flatMap { $0.isEmpty ? nil : String($0.prefix(200)) }
        }
        var query = OfficeReading.Query(text: text("text"), model: text("model"))
        query.isDisliked = try flag("disliked")
        query.hasSafetyEvent = try flag("unsafe")
        if let days = text("days") {
            guard let days = Double(days), days > 0, days <= 36_600 else {
                throw ServerError.invalid("days", "'days' must be a number above 0.")
            }
            query.since = now() - days * 86_400
        }
        if let after = text("after") {
            guard let place = TouchedConversation.Place(text: after) else {
                throw ServerError.invalid("after", "'after' is not what a page before gave.")
            }
            query.after = place
        }
        return query
    }
}

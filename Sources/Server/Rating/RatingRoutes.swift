import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Storage

/// What raters do, and what operators see of it.
struct RatingRoutes: Sendable {
    let store: any OfficeStore
    let board: RatingBoard
    let now: @Sendable () -> Date

    var routes: [OfficeRoute] {
        [
            OfficeRoute(.get, "/api/rate/next", .rater) { signedIn, request, _ in
                guard let name = request.uri.queryParameters["task"], let task = RatingTask(rawValue: String(name))
                else {
                    throw ServerError.invalid("task", "'task' must be category or pair.")
                }
                return try JSONBody.response(await board.next(task, for: signedIn.name))
            },
            OfficeRoute(.post, "/api/rate/answers", .rater) { signedIn, request, _ in
                try await answer(request, signedIn)
            },
            OfficeRoute(.post, "/api/rate/skip", .rater) { signedIn, request, _ in
                var request = request
                let input = try await JSONBody.read(SkipInput.self, from: &request, limit: 4096)
                try await board.skip(input.item, by: signedIn.name)
                return Response(status: .noContent)
            },
            OfficeRoute(.get, "/api/admin/raters", .operator) { _, _, _ in
                try JSONBody.response(await board.figures())
            },
            OfficeRoute(.post, "/api/admin/raters/:name/forgive", .operator) { signedIn, request, context in
                var request = request
                let name = try context.pathPart("name")
                let input = try await JSONBody.read(OperatorRoutes.ReasonInput.self, from: &request, limit: 8192)
                let reason = try OfficeReading.checked(input.reason)
                try await store.record(
                    AccessRecord(
                        actor: signedIn.name, action: "forgive_rater", subject: name, reason: reason,
                        recordedAt: now()))
                try await board.forgive(name)
                return Response(status: .noContent)
            },
            OfficeRoute(.get, "/api/admin/raters/anchors.csv", .operator) { _, _, _ in
                Self.file(try await RatingExport(store).anchors, "anchors.csv", "text/csv; charset=utf-8")
            },
            OfficeRoute(.get, "/api/admin/raters/votes.jsonl", .operator) { _, _, _ in
                Self.file(try await RatingExport(store).comparison, "votes.jsonl", "application/jsonl")
            },
        ]
    }

    private static func file(_ text: String, _ name: String, _ type: String) -> Response {
        var response = Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        response.headers[.contentDisposition] = "attachment; filename=\"\(name)\""
        return response
    }

    private struct SkipInput: Decodable { var item: String }

    private struct AnswerInput: Decodable {
        var task: RatingTask
        var item: String
        /// Of a reply.
        var label: RatingLabel?
        /// Of a pair: `left`, `right` or `neither`.
        var choice: Choice?
        var comment: String?

        enum Choice: String, Decodable { case left, right, neither }
    }

    private func answer(_ request: Request, _ signedIn: OfficeAccounts.SignedIn) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(AnswerInput.self, from: &request, limit: 8192)
        let comment = input.comment?.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (comment?.count ?? 0) <= 1000, comment?.utf8.contains(0) != true else {
            throw ServerError.invalid("comment", "'comment' may have at most 1000 characters.")
        }
        let said = comment.flatMap { $0.isEmpty ? nil : $0 }
        switch input.task {
        case .category:
            guard let label = input.label else { throw ServerError.invalid("label", "'label' is missing.") }
            return try JSONBody.response(
                await board.answer(input.item, label: label, comment: said, by: signedIn.name))
        case .pair:
            guard let choice = input.choice else { throw ServerError.invalid("choice", "'choice' is missing.") }
            let isLeft: Bool? = choice == .neither ? nil : choice == .left
            return try JSONBody.response(
                await board.answer(input.item, isLeft: isLeft, comment: said, by: signedIn.name))
        }
    }
}

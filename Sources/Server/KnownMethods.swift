import HTTPTypes
import Hummingbird
import Synchronization

/// Answers 405 with the methods that a path has, where it is there and the method is not (RFC 9110, 15.5.6).
final class KnownMethods: RouterMiddleware {
    typealias Context = ServerContext

    private struct Route: Sendable {
        var parts: [Substring]
        var method: HTTPRequest.Method
    }

    private let routes = Mutex<[Route]>([])

    /// - Parameter router: with all of its routes.
    func learn(_ router: Router<ServerContext>) {
        let known = router.routes.map {
            Route(parts: Self.parts($0.path.description), method: $0.method)
        }
        routes.withLock { $0 = known }
    }

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound && context.endpointPath == "NotFound" {
            let methods = methods(of: request.uri.path)
            guard !methods.isEmpty else { throw error }
            var refusal = ServerError(
                .methodNotAllowed, "This path takes \(methods.joined(separator: ", ")).", code: "method_not_allowed")
            refusal.allow = methods
            throw refusal
        }
    }

    private func methods(of path: String) -> [String] {
        let parts = Self.parts(path)
        let fitting = routes.withLock { $0 }.filter { Self.fits(parts, $0.parts) }.map(\.method)
        return Set(fitting + (fitting.contains(.get) ? [.head] : [])).map(\.rawValue).sorted()
    }

    private static func parts(_ path: String) -> [Substring] { Array(path.split(separator: "/")).map { $0 } }

    /// Patterns are as Hummingbird writes them: `{id}` for one part, `**` for the rest.
    private static func fits(_ path: [Substring], _ pattern: [Substring]) -> Bool {
        for (index, part) in pattern.enumerated() {
            if part == "**" { return path.count > index }
            guard index < path.count, part.hasPrefix("{") || part == path[index] else { return false }
        }
        return path.count == pattern.count
    }
}

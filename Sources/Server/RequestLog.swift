import HTTPTypes
import Hummingbird
import Logging

/// One line per request for operators, and one count: what was asked and how it ended. The route's pattern stands for the
/// path, so that no id and nothing that a person wrote gets into a log. The request's id is in the line and in the answer.
struct RequestLog: RouterMiddleware {
    typealias Context = ServerContext

    let metrics: ServerMetrics

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let name = HTTPField.Name("X-Request-Id") { response.headers[name] = context.id }
        // Hummingbird's name for no route at all.
        let route = context.endpointPath == "NotFound" ? nil : context.endpointPath
        metrics.answered(request.method.rawValue, route: route, status: response.status.code)
        context.logger.info(
            "request",
            metadata: [
                "method": "\(request.method.rawValue)", "route": "\(route ?? "none")",
                "status": "\(response.status.code)",
            ])
        return response
    }
}

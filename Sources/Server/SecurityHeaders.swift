import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// Headers that hold for every answer: no foreign code, no inline code, no framing, nothing told to other sites.
struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    /// Whether people reach the server by TLS alone: browsers are then told to try nothing else for a year.
    var isSecure = false

    /// The page's script may not even turn text into markup (`require-trusted-types-for`).
    static var policy: String {
        [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
            "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ].joined(separator: "; ")
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            var response = try await next(request, context)
            add(to: &response)
            return response
        } catch let error as any HTTPResponseError {
            // Errors become responses here, so that they too carry the headers.
            var response = try error.response(from: request, context: context)
            add(to: &response)
            return response
        }
    }

    private func add(to response: inout Response) {
        // An answer may bring a stricter policy of its own.
        if response.headers[.contentSecurityPolicy] == nil { response.headers[.contentSecurityPolicy] = Self.policy }
        response.headers[.xContentTypeOptions] = "nosniff"
        var fixed = [
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ]
        if isSecure { fixed.append(("Strict-Transport-Security", "max-age=31536000")) }
        for (name, value) in fixed {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
    }
}

/// Bounds how often one address may come, over all routes.
struct AddressBound: RouterMiddleware {
    typealias Context = ServerContext

    let bound: RequestBound
    let metrics: ServerMetrics
    let now: @Sendable () -> Date

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        if let wait = await bound.take(context.network, at: now()) {
            metrics.refused(by: .address)
            throw ServerError.tooMany(retryAfter: wait)
        }
        return try await next(request, context)
    }
}

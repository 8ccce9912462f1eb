import Foundation
import HTTPTypes
import Hummingbird

/// Refuses requests that come by another site's name to a server that listens on a loopback address.
///
/// Nobody elsewhere reaches such a server, but a page of theirs may let its own name mean a loopback address (DNS
/// rebinding): to the browser that page and this server are then one site. The name that was asked for gives it away.
struct NameGate: RouterMiddleware {
    typealias Context = ServerContext

    /// Whose clients come by a name of the proxy's.
    let proxies: TrustedProxies

    /// Probes say nothing of anybody, and their senders name a machine as they like.
    private static let probes: Set<String> = ["/healthz", "/readyz"]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var isProxied = false
        if let connection = context.remoteAddress?.ipAddress { isProxied = proxies.contains(connection) }
        guard isProxied || Self.probes.contains(request.uri.path) || Self.isOwn(request.head.authority) else {
            throw ServerError(
                .misdirectedRequest,
                "This server answers to localhost and to addresses; behind a proxy start it with --trusted-proxy.",
                code: "unknown_host")
        }
        return try await next(request, context)
    }

    /// Whether a name or address, as a server is told to listen on it, is this machine's alone.
    static func isLoopback(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "localhost" || name.hasSuffix(".localhost") || AddressRange.isLoopback(name)
    }

    /// Whether what stands as the request's host cannot be another site's name. An address is none, whichever it is;
    /// who sends no host is no browser.
    static func isOwn(_ authority: String?) -> Bool {
        guard let authority, !authority.isEmpty else { return true }
        var name = TrustedProxies.bare(authority)
        if name.hasSuffix(".") { name.removeLast() }
        return isLoopback(name) || AddressRange(name) != nil
    }
}

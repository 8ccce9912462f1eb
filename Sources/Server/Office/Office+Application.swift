import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

extension Office {
    /// These pages alone, without anybody to talk to: for raters on a machine of their own.
    ///
    /// - Parameters:
    ///   - hostname: the address to listen on; the default is reachable from this machine only.
    ///   - port: 0 takes a free one.
    ///   - proxies: whose word on a client's address is believed.
    ///   - onRunning: called with the port once the server listens.
    /// - Throws: when the pages' files cannot be read.
    public func application(
        hostname: String = "127.0.0.1", port: Int = 8080, limits: ServerLimits = ServerLimits(),
        proxies: TrustedProxies = TrustedProxies(), logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        Application(
            router: try router(hostname, limits, proxies), server: limits.http,
            configuration: ApplicationConfiguration(
                address: .hostname(hostname, port: port), serverName: "loam",
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: logger)),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: logger)
    }

    private func router(
        _ hostname: String, _ limits: ServerLimits, _ proxies: TrustedProxies
    ) throws -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        let metrics = ServerMetrics()
        router.add(middleware: RequestLog(metrics: metrics))
        router.add(middleware: SecurityHeaders(isSecure: accounts.isSecure))
        router.add(middleware: ErrorShape())
        router.add(middleware: ClientAddress(proxies: proxies))
        if NameGate.isLoopback(hostname) { router.add(middleware: NameGate(proxies: proxies)) }
        router.add(
            middleware: AddressBound(
                bound: RequestBound(burst: limits.requestBurst, secondsPerToken: limits.secondsPerRequest),
                metrics: metrics, now: now))
        let style = PageFiles.page.filter { $0.name == "style.css" }
        try PageFiles(folder: PageFiles.bundled, style).add(to: router)
        router.get("/") { _, _ in Response(status: .seeOther, headers: [.location: "/rate"]) }
        router.get("healthz") { _, _ in try JSONBody.response(["status": "ok"]) }
        add(to: router)
        return router
    }
}

import Foundation
import HTTPTypes
import Hummingbird
import Logging

extension Office {
    /// These pages alone, without anybody to talk to: for raters on a machine of their own.
    ///
    /// - Parameters:
    ///   - hostname: the address to listen on; the default is reachable from this machine only.
    ///   - port: 0 takes a free one.
    ///   - onRunning: called with the port once the server listens.
    /// - Throws: when the pages' files cannot be read.
    public func application(
        hostname: String = "127.0.0.1", port: Int = 8080, limits: ServerLimits = ServerLimits(), logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        Application(
            router: try router(limits),
            configuration: ApplicationConfiguration(address: .hostname(hostname, port: port), serverName: "loam"),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: logger)
    }

    private func router(_ limits: ServerLimits) throws -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        let metrics = ServerMetrics()
        router.add(middleware: RequestLog(metrics: metrics))
        router.add(middleware: SecurityHeaders(isSecure: accounts.isSecure))
        router.add(middleware: ErrorShape())
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

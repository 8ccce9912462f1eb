import Foundation
import HTTPTypes
import Hummingbird

/// Probes: `/healthz` says that the process lives, `/readyz` that it can answer people.
struct HealthRoutes: Sendable {
    let host: ModelHost

    func add(to router: Router<ServerContext>) {
        router.get("healthz") { _, _ in try JSONBody.response(["status": "ok"]) }
        router.get("readyz") { _, _ in
            let state = await host.stateName
            var response = try JSONBody.response(
                ["status": state], status: state == "ready" ? .ok : .serviceUnavailable)
            if state != "ready" { response.headers[.retryAfter] = "3" }
            return response
        }
    }
}

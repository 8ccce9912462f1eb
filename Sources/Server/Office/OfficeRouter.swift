import Foundation
import HTTPTypes
import Hummingbird
import Storage

/// A route that only accounts of a role may use. All routes of the office are in lists of these, so that none can be added
/// without saying who may use it, and tests can walk through all.
struct OfficeRoute: Sendable {
    typealias Handler = @Sendable (OfficeAccounts.SignedIn, Request, ServerContext) async throws -> Response

    var method: HTTPRequest.Method
    var path: String
    /// `nil`: whoever is signed in.
    var role: Account.Role?
    var handler: Handler

    init(_ method: HTTPRequest.Method, _ path: String, _ role: Account.Role?, _ handler: @escaping Handler) {
        self.method = method
        self.path = path
        self.role = role
        self.handler = handler
    }

    /// Whether it changes something.
    var isChange: Bool { method != .get }

    func add(to router: Router<ServerContext>, _ accounts: OfficeAccounts) {
        router.on(RouterPath(path), method: method) { request, context in
            let signedIn = try await accounts.require(role, request, isChange: isChange)
            return try await handler(signedIn, request, context)
        }
    }
}

extension ServerContext {
    /// A part of the path as it was meant: a router hands it over as it was sent, percent signs and all.
    func pathPart(_ name: String) throws -> String {
        let sent = try parameters.require(name)
        guard let meant = sent.removingPercentEncoding else {
            throw ServerError.invalid(name, "The path is not encoded as UTF-8.")
        }
        return meant
    }
}

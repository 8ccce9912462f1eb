import Foundation
import HTTPTypes
import Hummingbird
import Storage

/// Signing in, signing out, and who one is.
struct SignInRoutes: Sendable {
    let accounts: OfficeAccounts

    private struct SignInInput: Decodable {
        var name: String
        var password: String
    }

    /// What a page knows of who is signed in.
    struct View: Encodable, Sendable {
        var name: String
        var role: String
        /// To be sent along with every change.
        var csrf: String

        init(_ signedIn: OfficeAccounts.SignedIn) {
            name = signedIn.name
            role = signedIn.role.rawValue
            csrf = signedIn.csrf
        }
    }

    /// The one route that is there for everybody.
    func addSignIn(to router: Router<ServerContext>) {
        router.post("api/office/sign-in") { request, context in try await signIn(request, context) }
    }

    var routes: [OfficeRoute] {
        [
            OfficeRoute(.get, "/api/office/session", nil) { signedIn, _, _ in
                try JSONBody.response(View(signedIn))
            },
            OfficeRoute(.post, "/api/office/sign-out", nil) { signedIn, _, _ in
                var response = Response(status: .noContent)
                response.setCookie(try await accounts.signOut(signedIn))
                return response
            },
        ]
    }

    private func signIn(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        // No other site may sign anybody in, not even with its own account.
        if let name = HTTPField.Name("Sec-Fetch-Site"), let from = request.headers[name],
            from != "same-origin" && from != "none"
        {
            throw ServerError(.forbidden, "Sign in on this server's own page.", code: "foreign_page")
        }
        let input = try await JSONBody.read(SignInInput.self, from: &request, limit: 4096)
        let (signedIn, cookie) = try await accounts.signIn(
            name: input.name, password: input.password, address: context.network)
        var response = try JSONBody.response(View(signedIn))
        response.setCookie(cookie)
        return response
    }
}

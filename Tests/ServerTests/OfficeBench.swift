import Deidentification
import Foundation
import HTTPTypes
import Hashing
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Storage
import Synchronization
import Testing

@testable import Server

/// A server with the operator's and the raters' pages and cheap passwords.
struct OfficeBench: Sendable {
    static let password = "correct horse battery"
    static let cost = PasswordHash.Cost(logRounds: 4, blockSize: 8, parallelism: 1)

    let bench: Workbench
    let office: Office

    var store: SQLiteStore { bench.store }
    var server: WebServer { bench.server }
    var clock: TestClock { bench.clock }

    /// Made once: it reads its word lists.
    static let deidentifier: Deidentifier = {
        do {
            return try Deidentifier(key: DeidentificationKey(bytes: Array(repeating: 7, count: 32)))
        } catch {
            fatalError("\(error)")
        }
    }()

    init(
        accounts: [(String, Account.Role)] = [("ann", .operator), ("rae", .rater)], models: (any ModelShelf)? = nil,
        runner: (any ImprovementRunner)? = nil
    ) async throws {
        let clock = TestClock()
        let store = try SQLiteStore(now: { clock.now })
        let office = try Office(
            store: store, deidentifier: Self.deidentifier, settings: .init(passwordCost: Self.cost), models: models,
            runner: runner, now: { clock.now })
        self.office = office
        bench = try Workbench(store: store, clock: clock, office: office)
        for (name, role) in accounts {
            let hash = try PasswordHash(of: Self.password, cost: Self.cost)
            try await store.add(
                Account(name: name, role: role, passwordHash: hash.description, createdAt: clock.now))
        }
    }
}

/// A browser of somebody who works with the system: keeps the cookie and sends the second word along.
final class OfficeBrowser: Sendable {
    let client: any TestClientProtocol
    let cookie = Mutex<String?>(nil)
    let csrf = Mutex<String?>(nil)

    init(_ client: any TestClientProtocol) { self.client = client }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, headers extra: [String: String] = [:]
    ) async throws -> TestResponse {
        var headers: HTTPFields = [:]
        if let cookie = cookie.withLock({ $0 }) { headers[.cookie] = cookie }
        if let csrf = csrf.withLock({ $0 }), let name = HTTPField.Name(OfficeAccounts.tokenHeader) {
            headers[name] = csrf
        }
        if json != nil { headers[.contentType] = "application/json" }
        for (name, value) in extra { if let name = HTTPField.Name(name) { headers[name] = value } }
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: json.map { ByteBuffer(string: $0) })
        if let set = response.headers[.setCookie] {
            let pair = String(set.prefix { $0 != ";" })
            cookie.withLock { $0 = set.contains("Max-Age=0") ? nil : pair }
        }
        return response
    }

    @discardableResult
    func signIn(_ name: String, password: String = OfficeBench.password) async throws -> TestResponse {
        let body = String(decoding: try JSONEncoder().encode(["name": name, "password": password]), as: UTF8.self)
        let response = try await send(.post, "/api/office/sign-in", body)
        if let csrf = response.object["csrf"] as? String { self.csrf.withLock { $0 = csrf } }
        return response
    }
}

import Foundation
import HTTPTypes
import Hashing
import Hummingbird
import HummingbirdTesting
import Storage
import Synchronization
import Testing

@testable import Server

@Suite("Server: accounts, signing in, roles")
struct OfficeAccountsTests {
    // RFC 7914, section 12.
    @Test(
        "scrypt as in its RFC",
        arguments: [
            (
                "password", "NaCl", 10, 8, 16,
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
            ),
            (
                "pleaseletmein", "SodiumChloride", 14, 8, 1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
            ),
        ])
    func vectors(password: String, salt: String, logRounds: Int, r: Int, p: Int, expected: String) throws {
        let derived = try PasswordHash.derive(
            password, salt: Array(salt.utf8), cost: .init(logRounds: logRounds, blockSize: r, parallelism: p), count: 64
        )
        #expect(Hex.string(derived) == expected)
    }

    @Test("a password's hash: its own salt each time, read back, and nothing else matches")
    func hashes() throws {
        let word = "na\u{EF}ve passphrase"
        let one = try PasswordHash(of: word, cost: OfficeBench.cost)
        let two = try PasswordHash(of: word, cost: OfficeBench.cost)
        #expect(one.description != two.description)
        #expect(one.description.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        let read = try #require(PasswordHash(stored: one.description))
        #expect(read == one && read.matches(word))
        // The same letters, composed by another keyboard.
        #expect(read.matches("nai\u{308}ve passphrase"))
        #expect(!read.matches("naive passphrase") && !read.matches("") && !read.matches(word + " "))
        #expect(!read.matches(String(repeating: "x", count: 100_000)))
        #expect(throws: PasswordError.tooShort) { try PasswordHash(of: "ninechars", cost: OfficeBench.cost) }
        #expect(throws: PasswordError.tooLong) {
            try PasswordHash(of: String(repeating: "x", count: 513), cost: OfficeBench.cost)
        }
        for odd in ["", "$scrypt$", "$scrypt$ln=31,r=8,p=1$YWJjZGVmZ2g=$YWJjZGVmZ2hhYmNkZWZnaA==", "plain"] {
            #expect(PasswordHash(stored: odd) == nil)
        }
    }

    @Test("names of accounts")
    func names() {
        for name in ["a", "ann", "r2-d2", "jo.smith_3"] { #expect(AccountName.isAllowed(name)) }
        for name in ["", "Ann", "2d", "a b", "a/b", "web-ann", "\u{E4}nn", String(repeating: "a", count: 41)] {
            #expect(!AccountName.isAllowed(name))
        }
    }

    @Test("signing in, being known, signing out")
    func session() async throws {
        let bench = try await OfficeBench()
        try await bench.server.application().test(.router) { client in
            let browser = OfficeBrowser(client)
            #expect(try await browser.send(.get, "/api/office/session").status == .unauthorized)
            let answer = try await browser.signIn(" ANN ".trimmingCharacters(in: .whitespaces))
            #expect(answer.status == .ok)
            #expect(answer.object["role"] as? String == "operator")
            let set = try #require(answer.headers[.setCookie])
            #expect(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Max-Age=43200"))
            #expect(set.contains("Path=/") && !set.contains("Secure"))
            let known = try await browser.send(.get, "/api/office/session")
            #expect(
                known.object["name"] as? String == "ann"
                    && known.object["csrf"] as? String == answer.object["csrf"] as? String)
            // What the store holds signs nobody in.
            let secret = try #require(browser.cookie.withLock { $0 }).dropFirst("loam_office=".count)
            #expect(try await bench.store.session(hash: String(secret)) == nil)
            let hash = OfficeAccounts.hash(of: String(secret))
            #expect(try await bench.store.session(hash: hash)?.account.name == "ann")
            let thief = OfficeBrowser(client)
            thief.cookie.withLock { $0 = "loam_office=" + hash }
            #expect(try await thief.send(.get, "/api/office/session").status == .unauthorized)

            let held = browser.cookie.withLock { $0 }
            #expect(try await browser.send(.post, "/api/office/sign-out").status == .noContent)
            browser.cookie.withLock { $0 = held }
            #expect(try await browser.send(.get, "/api/office/session").status == .unauthorized)

            try await browser.signIn("ann")
            bench.clock.advance(12 * 3600 - 1)
            #expect(try await browser.send(.get, "/api/office/session").status == .ok)
            bench.clock.advance(1)
            #expect(try await browser.send(.get, "/api/office/session").status == .unauthorized)
            #expect(!bench.bench.log.text.contains(OfficeBench.password))
        }
    }

    @Test("a wrong password and an unknown name get the same answer")
    func wrong() async throws {
        let bench = try await OfficeBench()
        try await bench.server.application().test(.router) { client in
            let browser = OfficeBrowser(client)
            let wrong = try await browser.signIn("ann", password: "not the password")
            let unknown = try await browser.signIn("nobody")
            let odd = try await browser.signIn("../../ann'; --")
            #expect(wrong.status == .unauthorized && wrong.error["code"] as? String == "wrong_credentials")
            #expect(wrong.text == unknown.text && unknown.text == odd.text)
            #expect(wrong.headers[.setCookie] == nil)
            for body in ["{}", "[]", "x", #"{"name":1,"password":"x"}"#] {
                #expect(try await browser.send(.post, "/api/office/sign-in", body).status == .badRequest)
            }
            let foreign = try await browser.send(
                .post, "/api/office/sign-in", #"{"name":"ann","password":"\#(OfficeBench.password)"}"#,
                headers: ["Sec-Fetch-Site": "cross-site"])
            #expect(foreign.status == .forbidden)
        }
    }

    @Test("an unknown name costs as much as a wrong password")
    func sameWork() async throws {
        let cost = PasswordHash.Cost(logRounds: 5, blockSize: 8, parallelism: 1)
        let work = try PasswordWork(cost: cost, randomness: .system)
        let known = try PasswordHash(of: "a long password", cost: cost)
        #expect(work.nobody.cost == cost && work.nobody.hash.count == known.hash.count)
        #expect(try await work.check("a long password", against: known))
        #expect(try await !work.check("something else", against: known))
        #expect(try await !work.check("a long password", against: nil))
        let full = try PasswordWork(cost: cost, room: 0, randomness: .system)
        await #expect(throws: ServerError.self) { try await full.check("a long password", against: known) }
    }

    @Test("trying passwords out is slowed down, by name and by address; others still get in")
    func bounds() async throws {
        let bench = try await OfficeBench()
        let accounts = bench.office.accounts
        func attempt(_ name: String, _ address: String, _ password: String = "wrong password") async -> String {
            do {
                _ = try await accounts.signIn(name: name, password: password, address: address)
                return "in"
            } catch let error as ServerError { return error.code ?? "" } catch { return "\(error)" }
        }
        for _ in 0..<5 { #expect(await attempt("ann", "1.1.1.1") == "wrong_credentials") }
        #expect(await attempt("ann", "1.1.1.1", OfficeBench.password) == "rate_limit_exceeded")
        // From elsewhere she gets in, until somebody has tried her name from many addresses.
        #expect(await attempt("ann", "2.2.2.2", OfficeBench.password) == "in")
        for host in 0..<14 { _ = await attempt("ann", "3.3.3.\(host)") }
        #expect(await attempt("ann", "4.4.4.4", OfficeBench.password) == "rate_limit_exceeded")
        #expect(await attempt("rae", "4.4.4.4", OfficeBench.password) == "in")
        for number in 0..<20 { _ = await attempt("n\(number)", "5.5.5.5") }
        #expect(await attempt("rae", "5.5.5.5", OfficeBench.password) == "rate_limit_exceeded")
        bench.clock.advance(600)
        #expect(await attempt("ann", "1.1.1.1", OfficeBench.password) == "in")
        #expect(await attempt("rae", "5.5.5.5", OfficeBench.password) == "in")
    }

    @Test(
        "every route of the office: nobody without signing in, nobody of another role, no change without the second word"
    )
    func roles() async throws {
        let bench = try await OfficeBench()
        let routes = bench.office.routes
        try await bench.server.application().test(.router) { client in
            let nobody = OfficeBrowser(client)
            let people = [Account.Role.operator: OfficeBrowser(client), .rater: OfficeBrowser(client)]
            try await people[.operator]?.signIn("ann")
            try await people[.rater]?.signIn("rae")
            for route in routes where !route.path.hasSuffix("sign-out") {
                let path = route.path.split(separator: "/").map { $0.hasPrefix(":") ? "none" : String($0) }
                    .reduce("") { $0 + "/" + $1 }
                let body = route.isChange ? "{}" : nil
                let name = "\(route.method.rawValue) \(path)"
                let stranger = try await nobody.send(route.method, path, body)
                #expect(stranger.status == .unauthorized, "\(name)")
                for (role, browser) in people {
                    let answer = try await browser.send(route.method, path, body)
                    let code = answer.error["code"] as? String
                    if let needed = route.role, needed != role {
                        #expect(answer.status == .forbidden && code == "wrong_role", "\(name)")
                    } else {
                        // Right role: whatever else is wrong with this empty request, it is not who sends it.
                        #expect(answer.status != .unauthorized && code != "wrong_role", "\(name)")
                        #expect(code != "wrong_csrf_token", "\(name)")
                        #expect(answer.status.code < 500 || code == "unavailable", "\(name) \(answer.text)")
                        guard route.isChange else { continue }
                        let word = browser.csrf.withLock { $0 }
                        for wrong in [nil, "", people.values.first { $0 !== browser }?.csrf.withLock { $0 }] {
                            browser.csrf.withLock { $0 = wrong }
                            let refused = try await browser.send(route.method, path, body)
                            #expect(
                                refused.status == .forbidden && refused.error["code"] as? String == "wrong_csrf_token",
                                "\(name)")
                        }
                        browser.csrf.withLock { $0 = word }
                    }
                }
            }
            #expect(try await nobody.send(.post, "/api/office/sign-out").status == .unauthorized)
        }
    }

    @Test("an account that is removed, or whose password changed, is signed out everywhere")
    func removal() async throws {
        let bench = try await OfficeBench()
        try await bench.server.application().test(.router) { client in
            let (ann, rae) = (OfficeBrowser(client), OfficeBrowser(client))
            try await ann.signIn("ann")
            try await rae.signIn("rae")
            _ = try await bench.store.removeAccount(named: "ann")
            let hash = try PasswordHash(of: "another password", cost: OfficeBench.cost).description
            try await bench.store.setPasswordHash(hash, of: "rae")
            #expect(try await ann.send(.get, "/api/office/session").status == .unauthorized)
            #expect(try await rae.send(.get, "/api/office/session").status == .unauthorized)
            #expect(try await ann.signIn("ann").status == .unauthorized)
            #expect(try await rae.signIn("rae").status == .unauthorized)
            #expect(try await rae.signIn("rae", password: "another password").status == .ok)
        }
    }
}

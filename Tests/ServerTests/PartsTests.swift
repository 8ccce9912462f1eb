import Conversations
import Foundation
import Hashing
import Testing

@testable import Server

@Suite("Server: its small parts")
struct PartsTests {
    @Test(
        "SHA-256 gives the digests of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 100_000).lowercased(), ""),
        ])
    func sha256(text: String, digest: String) {
        if digest.isEmpty {
            // Many blocks: only that the length is right and one changed letter changes all.
            #expect(SHA256.hex(text).count == 64)
            #expect(SHA256.hex(text) != SHA256.hex(String(text.dropLast()) + "b"))
        } else {
            #expect(SHA256.hex(text) == digest)
        }
    }

    @Test("a person's stored name does not hold the cookie's secret, and only whole tokens are taken")
    func person() throws {
        let person = Person { count in Array(repeating: 7, count: count) }
        #expect(person.token == String(repeating: "07", count: 32))
        #expect(!person.userID.contains("0707"))
        #expect(try #require(Person(token: person.token)).userID == person.userID)
        #expect(Person(token: "") == nil)
        #expect(Person(token: String(repeating: "0", count: 63)) == nil)
        #expect(Person(token: String(repeating: "G", count: 64)) == nil)
        #expect(Person(token: String(repeating: "é", count: 32)) == nil)
    }

    @Test("a bound lets the burst pass, then says how long to wait")
    func bound() async {
        let bound = RequestBound(burst: 3, secondsPerToken: 10, keyLimit: 2)
        let start = Date(timeIntervalSince1970: 0)
        for _ in 0..<3 { #expect(await bound.take("a", at: start) == nil) }
        #expect(await bound.take("a", at: start) == 10)
        #expect(await bound.take("a", at: start + 4) == 6)
        #expect(await bound.take("b", at: start + 4) == nil)
        #expect(await bound.take("a", at: start + 10) == nil)
        // Two keys are all it holds while they are busy; later the rested ones make room.
        #expect(await bound.take("c", at: start + 10) != nil)
        #expect(await bound.take("c", at: start + 100) == nil)
    }

    @Test("keys whose tokens are all back make room, however lately they came")
    func boundMakesRoom() async {
        let bound = RequestBound(burst: 10, secondsPerToken: 1, keyLimit: 2)
        let start = Date(timeIntervalSince1970: 0)
        for key in ["a", "b"] { #expect(await bound.take(key, at: start) == nil) }
        // One token each, which is back after a second; a whole burst would be after ten.
        #expect(await bound.take("c", at: start + 2) == nil)
    }

    @Test("a clock that goes back gives nobody tokens")
    func boundClockGoesBack() async {
        let bound = RequestBound(burst: 1, secondsPerToken: 10)
        #expect(await bound.take("a", at: Date(timeIntervalSince1970: 100)) == nil)
        #expect(await bound.take("a", at: Date(timeIntervalSince1970: 50)) == 10)
    }

    @Test("conversations that are not kept are bounded: those without a word go first, then the longest untouched")
    func unkept() {
        var unkept = UnkeptConversations(limit: 2)
        for id in ["a", "b"] { unkept.put(.init(id: id, userID: "u", consent: .none)) }
        unkept.change("a") { $0.messages.append(.init(id: "m", sender: .human, text: "hi")) }
        unkept.put(.init(id: "c", userID: "v", consent: .none))
        #expect(unkept["a"]?.messages.count == 1)
        #expect(unkept["b"] == nil)
        #expect(unkept.of("v").map(\.id) == ["c"])
        // One that was begun last does not go at once, and ends no talk while another has no word in it.
        unkept.put(.init(id: "d", userID: "w", consent: .none))
        #expect(unkept["a"] != nil && unkept["c"] == nil && unkept["d"] != nil)
        unkept.change("d") { $0.messages.append(.init(id: "m", sender: .human, text: "hi")) }
        unkept.put(.init(id: "e", userID: "x", consent: .none))
        #expect(unkept["a"] == nil && unkept["d"] != nil && unkept["e"] != nil)
    }
}

import Foundation
import Hashing
import Testing

@Suite("Hashing")
struct HashingTests {
    @Test("SHA-256: the examples of FIPS 180-4, and a million letters in pieces")
    func digests() {
        #expect(SHA256.hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(SHA256.hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        var hash = SHA256()
        for _ in 0..<100 { hash.update(Data(repeating: UInt8(ascii: "a"), count: 9_999)) }
        hash.update([UInt8](repeating: UInt8(ascii: "a"), count: 100))
        #expect(hash.finalize().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("HMAC: RFC 4231, cases 1, 2 and 6")
    func codes() {
        func code(_ key: [UInt8], _ text: String) -> String { HMACSHA256.code(for: Array(text.utf8), key: key).hex }
        #expect(
            code([UInt8](repeating: 0x0b, count: 20), "Hi There")
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            code(Array("Jefe".utf8), "what do ya want for nothing?")
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            code([UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First")
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        // An empty key is a key.
        #expect(code([], "") == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("scrypt: RFC 7914, section 12")
    func derivation() throws {
        func key(_ password: String, _ salt: String, _ logRounds: Int, _ blockSize: Int, _ parallelism: Int) throws
            -> String
        {
            let cost = Scrypt.Cost(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism)
            return try Scrypt.key(from: Array(password.utf8), salt: Array(salt.utf8), cost: cost, count: 64).hex
        }
        #expect(
            try key("", "", 4, 1, 1)
                == "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906")
        #expect(
            try key("password", "NaCl", 10, 8, 16)
                == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")
        #expect(
            try key("pleaseletmein", "SodiumChloride", 14, 8, 1)
                == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
        // More memory than OpenSSL allows by itself.
        #expect(try key("a", "b", 15, 8, 3).count == 128)
        #expect(throws: Scrypt.Failure.self) { try key("a", "b", 0, 8, 1) }
        #expect(throws: Scrypt.Failure.self) { try key("a", "b", 40, 8, 1) }
    }
}

import Conversations
import Foundation
import RandomConversations
import Testing

@Suite("JSON")
struct JSONParserTests {
    @Test(
        "reads what is JSON",
        arguments: [
            ("null", JSONValue.null), (" true ", .bool(true)), ("[]", .array([])), ("{}", .object([:])),
            ("-0", .number(0)), ("12", .number(12)), ("-1.5e2", .number(-150)), ("1E+2", .number(100)),
            ("999999999999999", .number(999_999_999_999_999)), ("9007199254740992", .number(9_007_199_254_740_992)),
            ("\"a\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t\"", .string("aA\n\"\\/\u{8}\u{C}\r\t")),
            ("\"\\ud83d\\ude42\"", .string("🙂")), ("\"\\u0000\"", .string("\0")),
            (
                "{\"a\":[1,{\"b\":null}],\"c\":\"日本\"}",
                .object([
                    "a": .array([.number(1), .object(["b": .null])]), "c": .string("日本"),
                ])
            ),
            ("[1,\n2\t,\r3]", .array([.number(1), .number(2), .number(3)])),
            ("\"a long text without any escape in it, é too\"", .string("a long text without any escape in it, é too")),
        ])
    func reads(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test("the choices that the RFC leaves open")
    func choices() throws {
        // The last of two equal keys counts.
        #expect(try JSONValue(parsing: "{\"a\":1,\"a\":2}") == .object(["a": .number(2)]))
        // Half a surrogate pair becomes the replacement character, alone, twice, before another escape and at the end.
        #expect(try JSONValue(parsing: "\"x\\ud83dy\"") == .string("x\u{FFFD}y"))
        #expect(try JSONValue(parsing: "\"\\ude42\"") == .string("\u{FFFD}"))
        #expect(try JSONValue(parsing: "\"\\ud83d\\ud83d\\ude42\"") == .string("\u{FFFD}🙂"))
        #expect(try JSONValue(parsing: "\"\\ud83d\\n\"") == .string("\u{FFFD}\n"))
        // A whole number that a double would change keeps its digits.
        #expect(try JSONValue(parsing: "9007199254740993") == .string("9007199254740993"))
        #expect(try JSONValue(parsing: "-123456789012345678901") == .string("-123456789012345678901"))
        #expect(try JSONValue(parsing: "1000000000000000000") == .number(1e18))
        // Nesting has a limit.
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(throws: Never.self) { try JSONValue(parsing: deep) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[" + deep + "]") }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test(
        "refuses what is not JSON and says where",
        arguments: [
            ("", 0), ("  ", 0), ("nul", 3), ("nulL", 3), ("tru", 3), ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("[,1]", 1),
            ("{\"a\"}", 4), ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{'a':1}", 1), ("{\"a\" 1}", 5),
            ("\"abc", 4),
            ("\"a\nb\"", 2), ("\"a\u{0}b\"", 2), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("\"\\u12", 5), ("\"\\", 2),
            ("01", 0),
            ("-", 1), ("1.", 2), (".5", 0), ("1e", 2), ("+1", 0), ("1e999", 0), ("NaN", 0), ("1 1", 2), ("[1]]", 3),
            ("\u{FEFF}1", 0), ("\u{0}", 0), ("-01", 1), ("0x1", 1), ("//", 0),
        ])
    func refuses(_ text: String, _ offset: Int) throws {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.offset == offset, "\(text): \(error.map(String.init(describing:)) ?? "accepted")")
    }

    @Test(
        "refuses every kind of ill-formed UTF-8",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xC3],
            [0xF0, 0x9F, 0x99],
        ] as [[UInt8]])
    func refusesInvalidUTF8(_ bad: [UInt8]) throws {
        let head = Array("\"eight or more plain é ".utf8)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: head + bad + [0x22]) }
        #expect(error?.offset == head.count)
        #expect(error?.reason == "invalid UTF-8")
    }

    @Test("no cut and no changed byte of a text crashes it")
    func survivesDamage() throws {
        let text = Array("{\"a\":[1,-2.5e-3,\"x\\u00e9\\ud83d\\ude42\"],\"é日🙂\":{\"b\":[true,false,null]}}".utf8)
        let whole = try JSONValue(parsing: text)
        for cut in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text[..<cut])) }
        }
        var dice = Dice(state: 7)
        var accepted = 0
        for _ in 0..<3000 {
            var damaged = text
            damaged[Int.random(in: 0..<text.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            if let value = try? JSONValue(parsing: damaged) {
                accepted += 1
                // What is accepted can be written and read again.
                #expect(try JSONValue(parsing: value.text) == value)
            }
        }
        #expect(accepted > 0 && accepted < 3000)
        #expect(try JSONValue(parsing: whole.text) == whole)
    }

    @Test("agrees with Foundation on random values")
    func agreesWithFoundation() throws {
        var random = RandomConversation(seed: 3)
        for _ in 0..<300 {
            let value = JSONValue.array([random.json(), random.json()])
            let text = value.text
            #expect(try JSONValue(parsing: text) == value, "\(text)")
            #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value, "\(text)")
        }
    }
}

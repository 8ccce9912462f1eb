import Foundation
import Safety
import Testing

@Suite struct SafetyDatasetTests {
    @Test func readsDiaSafety() throws {
        let text =
            #"[{"context":"hi","response":"hello","category":"x","label":"Safe"},{"context":"hm","response":"boo","category":"x","label":"Unsafe"}]"#
        try withFile(text) { url in
            let examples = try SafetyDataset.diaSafety(url)
            #expect(
                examples == [
                    SafetyExample(turn: "hi", text: "hello", isUnsafe: false, judgedFor: "x"),
                    SafetyExample(turn: "hm", text: "boo", isUnsafe: true, judgedFor: "x"),
                ])
        }
        try withFile(text.replacingOccurrences(of: "Unsafe", with: "Maybe")) { url in
            #expect(throws: SafetyError.self) { try SafetyDataset.diaSafety(url) }
        }
    }

    @Test func convAbuseTakesTheMeanVote() throws {
        let text = #"""
            user,A_is_abuse.1,A_is_abuse.0,A_is_abuse.-1,B_is_abuse.1,B_is_abuse.0,B_is_abuse.-1
            "well, ""you""",0,0,1,0,1,0
            hello,1,0,0,0,0,1
            nobody voted,,,,0,0,0

            """#
        try withFile(text) { url in
            let examples = try SafetyDataset.convAbuse(url)
            #expect(
                examples == [
                    SafetyExample(text: "well, \"you\"", isUnsafe: true), SafetyExample(text: "hello", isUnsafe: false),
                ])
        }
    }

    @Test func davidsonPartsNeitherFromTheRest() throws {
        try withFile(",count,class,tweet\r\n0,3,2,\"a\nb\"\r\n1,3,0,boo\r\n2,3,1,bah\r\n") { url in
            let examples = try SafetyDataset.davidson(url)
            #expect(examples.map(\.text) == ["a\nb", "boo", "bah"])
            #expect(examples.map(\.isUnsafe) == [false, true, true])
        }
        try withFile("class,tweet\n2\n") { url in
            #expect(throws: SafetyError.self) { try SafetyDataset.davidson(url) }
        }
        try withFile("") { url in #expect(throws: SafetyError.self) { try SafetyDataset.davidson(url) } }
    }

    private func withFile(_ text: String, _ body: (URL) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("set-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(text.utf8).write(to: url)
        try body(url)
    }
}

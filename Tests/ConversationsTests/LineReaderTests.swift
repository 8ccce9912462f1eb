import Conversations
import Foundation
import RandomConversations
import Testing

@Suite("Lines")
struct LineReaderTests {
    private func lines(_ bytes: some Collection<UInt8>, cap: Int = 1000) throws -> [LineReader.Line] {
        try withFile(bytes) { file in
            var reader = try LineReader(file, maximumLength: cap)
            var lines: [LineReader.Line] = []
            while let line = try reader.next() { lines.append(line) }
            return lines
        }
    }

    @Test("ends of lines, a byte order mark, a last line without an end")
    func ends() throws {
        let read = try lines([0xEF, 0xBB, 0xBF] + Array("one\r\ntwo\n\nfour\rstill\nfive".utf8))
        #expect(read.map(\.text) == ["one", "two", "", "four\rstill", "five"])
        #expect(read.map(\.number) == [1, 2, 3, 4, 5])
        #expect(read.map(\.offset) == [3, 8, 12, 13, 24])
        #expect(try lines(Array("a\n".utf8)).count == 1)
        #expect(try lines([UInt8]()).isEmpty)
        #expect(try lines([0xEF, 0xBB, 0xBF] as [UInt8]).isEmpty)
    }

    @Test("a line above the cap is passed over, the next one is read")
    func longLines() throws {
        let long = String(repeating: "x", count: 600_000)
        let read = try lines(Array("a\n\(long)\nb\n\(long)".utf8))
        #expect(
            read.map(\.content) == [
                .bytes([0x61]), .tooLong(length: 600_000), .bytes([0x62]), .tooLong(length: 600_000),
            ])
        // Exactly at the cap is not above it, and lines longer than one piece of the file are put together.
        let whole = try lines(Array("\(long)\nb".utf8), cap: 600_000)
        #expect(whole.first?.text == long)
    }

    @Test("bytes that are not UTF-8 are named by their place in the file")
    func invalidUTF8() throws {
        let read = try lines(Array("good\nba".utf8) + [0xFF] + Array("d\nétà\n".utf8))
        #expect(read.map(\.content)[1] == .invalidUTF8(offset: 7))
        #expect(read.last?.text == "étà")
    }

    @Test("UTF-16 is refused by name")
    func utf16() throws {
        let error = #expect(throws: LogError.self) { try lines([0xFF, 0xFE, 0x7B, 0x00] as [UInt8]) }
        #expect(error?.reason == "is UTF-16, expected UTF-8")
    }

    @Test("lines cut anywhere by the pieces of the file come out whole")
    func pieces() throws {
        var dice = Dice(state: 11)
        let texts = (0..<400).map { i in
            String(repeating: ["é", "a", "日"][i % 3], count: Int.random(in: 0..<4000, using: &dice))
        }
        let read = try lines(Array(texts.joined(separator: "\n").utf8), cap: 100_000)
        #expect(read.map(\.text) == texts)
    }
}

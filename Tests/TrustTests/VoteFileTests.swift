import Foundation
import Testing
import Trust

@Suite struct VoteFileTests {
    func file(_ text: String) throws -> VoteFile { try VoteFile(Data(text.utf8), file: "votes.csv") }

    @Test func readsWhatRFC4180Allows() throws {
        let text =
            "\u{feff}Label,user,time,item\r\n1,anna,2024-05-01T10:00:00Z,\"a, \"\"b\"\"\nc\"\r\n-1,Bo,12.5,x\r\n"
            + "\nDISLIKE,\"Çelik\",,y"
        let read = try file(text)
        #expect(read.skipped.isEmpty)
        #expect(read.votes.map(\.user) == ["anna", "Bo", "Çelik"])
        #expect(read.votes.map(\.item) == ["a, \"b\"\nc", "x", "y"])
        #expect(read.votes.map(\.isUp) == [true, false, false])
        #expect(
            read.votes.map(\.time)
                == [Date(timeIntervalSince1970: 1_714_557_600), Date(timeIntervalSince1970: 12.5), nil])
    }

    @Test func badLinesAreNamedAndSkipped() throws {
        let read = try file("user,item,label,time\na,x,1,\nb,y,maybe,\n,z,1,\nc,\"q\nr\",0,soon\nd\ne,x,0,5\n")
        #expect(read.votes.map(\.user) == ["a", "e"])
        #expect(read.skipped.map(\.line) == [3, 4, 5, 7])
        #expect(read.skipped[0].reason.contains("“label” is “maybe”"))
        #expect(read.skipped[1].reason.contains("“user”"))
        #expect(read.skipped[2].reason.contains("“time” is “soon”"))
        #expect(read.skipped[3].reason.contains("“item”"))
    }

    @Test(arguments: [
        ("", "votes.csv is empty"), ("user,item,label\n", "no votes"),
        ("user,thing,label\na,b,1\n", "no column “item”"),
        ("user,item,label\na,\"b,1\n", "line 2: a quote in field 2 is never closed"),
        ("user,item,label\na,b,so-so\n", "line 2: field “label”"),
    ])
    func unusableFilesAreErrors(text: String, message: String) {
        #expect {
            try file(text)
        } throws: {
            "\($0)".contains(message)
        }
    }

    @Test func invalidBytesAndMissingFilesAreErrors() {
        let bytes = Data("user,item,label\na,".utf8) + Data([0xff, 0xfe]) + Data(",1\n".utf8)
        #expect {
            try VoteFile(bytes, file: "votes.csv")
        } throws: {
            "\($0)".contains("votes.csv, line 2, field 2: not valid UTF-8")
        }
        #expect {
            try VoteFile(URL(filePath: "/nowhere/votes.csv"))
        } throws: {
            "\($0)".contains("cannot read votes.csv")
        }
    }

    @Test func writesFilesThatReadBack() throws {
        let report = TrustReport(
            method: "test",
            users: [
                UserTrust(
                    user: "a,\"b\"", trust: 0.25, votes: 4, agreement: nil,
                    flags: [TrustFlag(kind: .alwaysUp, reason: "4 of 4, all up")])
            ], votes: [], items: [ItemLabel(item: "x\ny", probability: 0.3)])
        let folder = FileManager.default.temporaryDirectory.appending(path: "trust-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try report.write(to: folder)
        let users = try CSV.records(Data(contentsOf: folder.appending(path: "users.csv")), file: "users.csv")
        #expect(
            users.map(\.fields) == [
                ["user", "trust", "votes", "agreement", "flags", "reasons"],
                ["a,\"b\"", "0.250000", "4", "", "always_up", "4 of 4, all up"],
            ])
        let items = try CSV.records(Data(contentsOf: folder.appending(path: "items.csv")), file: "items.csv")
        #expect(items.last?.fields == ["x\ny", "0", "0.300000", "0.400000"])
        #expect(throws: TrustError.self) { try report.write(to: folder.appending(path: "missing")) }
    }
}

import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct BallotFileTests {
    func read(_ text: String, _ labels: BallotFile.Labels = .thumbs) throws -> BallotFile {
        try BallotFile(Data(text.utf8), file: "votes.csv", labels: labels)
    }

    /// The same files give the same votes as `VoteFile`, byte for byte.
    @Test(arguments: [
        "\u{feff}Label,user,time,item\r\n1,anna,2024-05-01T10:00:00Z,\"a, \"\"b\"\"\nc\"\r\n-1,Bo,12.5,x\r\n\nDISLIKE,\"Çelik\",,y",
        "user,item,label,time\na,x,1,\nb,y,maybe,\n,z,1,\nc,\"q\nr\",0,soon\nd\ne,x,0,5\n",
        "user,item,label\n a , x , up \nb,\"x\" , 0\nb,x,1",
    ])
    func agreesWithVoteFile(text: String) throws {
        let slow = try VoteFile(Data(text.utf8), file: "votes.csv")
        let fast = try read(text)
        #expect(fast.skipped == slow.skipped)
        let table = try VoteTable(votes: slow.votes)
        #expect(fast.ballots.users.strings == table.users)
        #expect(fast.ballots.items.strings == table.items)
        let known = Ballots(table)
        #expect(fast.ballots.cellOfVote == known.cellOfVote)
        #expect(fast.ballots.replacedCount == table.replacedCount)
        #expect(fast.ballots.times?.map { $0.isNaN ? -1 : $0 } == known.times?.map { $0.isNaN ? -1 : $0 })
    }

    @Test(arguments: [
        ("", "votes.csv is empty"), ("user,item,label\n", "no votes"),
        ("user,thing,label\na,b,1\n", "no column “item”"),
        ("user,item,label\na,\"b,1\n", "line 2: a quote in field 2 is never closed"),
        ("user,item,label\na,b,so-so\n", "line 2: field “label”"),
    ])
    func unusableFilesAreErrors(text: String, message: String) {
        #expect {
            try read(text)
        } throws: {
            "\($0)".contains(message)
        }
    }

    @Test func namesThatAreNotUTF8AreErrors() {
        let bytes = Data("user,item,label\na,".utf8) + Data([0xff, 0xfe]) + Data(",1\n".utf8)
        #expect {
            try BallotFile(bytes, file: "votes.csv")
        } throws: {
            "\($0)".contains("votes.csv, line 2, field “item”: not valid UTF-8")
        }
    }

    @Test func anyLabelBecomesAClassInOrder() throws {
        let file = try read("user,item,label\na,x,10\nb,x,9\nc,x,10\na,y,9\nb,y,2\n", .any)
        #expect(file.ballots.classes == ["2", "9", "10"])
        #expect(file.ballots.classTotals == [1, 2, 2])
        let words = try read("user,item,label\na,x,cat\nb,x,dog\nc,x,cat\n", .any)
        #expect(words.ballots.classes == ["cat", "dog"])
        let one = try read("user,item,label\na,x,cat\n", .any)
        #expect(one.ballots.classes == ["cat", "other"])
        let named = try read("user,item,label\na,x,cat\nb,x,cow\n", .named(["cat", "dog", "fish"]))
        #expect(named.ballots.count == 1)
        #expect(named.skipped.map(\.reason) == ["field “label” is “cow”, none of cat, dog, fish"])
    }

    @Test(
        "classes by which nothing can be told apart are refused",
        arguments: [["cat"], ["cat", "cat"], ["cat", ""], []])
    func classesThatAreNone(names: [String]) throws {
        #expect(throws: TrustError.self) { try read("user,item,label\na,x,cat\n", .named(names)) }
        #expect(throws: TrustError.self) { try BallotFile.Labels.named(names).check() }
        try BallotFile.Labels.named(["cat", "dog"]).check()
        #expect(throws: TrustError.self) {
            try BallotFile.Labels.named((0...BallotFile.maximumClasses).map { "class \($0)" }).check()
        }
    }

    @Test("one class alone is an error before anything is divided by the others")
    func oneClass() throws {
        var builder = BallotBuilder(classes: ["cat"])
        try builder.add(user: "a", item: "x", label: 0)
        let error = #expect(throws: TrustError.self) { try builder.ballots() }
        #expect(error?.code == .settings)
    }

    @Test("what is not a number is an empty field")
    func emptyFields() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "sink-\(UUID().uuidString).csv")
        defer { try? FileManager.default.removeItem(at: place) }
        var sink = try CSVSink(place)
        sink.field(0.5)
        sink.field(Double.nan)
        sink.field(Double.infinity)
        try sink.endLine()
        try sink.close()
        #expect(try String(contentsOf: place, encoding: .utf8) == "0.500000,,1.000000\r\n")
    }

    /// Labels that are no thumbs are not lost in silence.
    @Test func otherLabelsAskForClasses() {
        let lines = (0..<40).map { "u\($0),i,\($0 % 4)" }.joined(separator: "\n")
        #expect {
            try read("user,item,label\n" + lines)
        } throws: {
            "\($0)".contains("20 of 40 labels are no thumbs")
        }
        let many = (0..<80).map { "u\($0),i,class \($0)" }.joined(separator: "\n")
        #expect {
            try read("user,item,label\n" + many, .any)
        } throws: {
            "\($0)".contains("more than 64 different labels")
        }
    }

    @Test func timesOfAllKinds() throws {
        func seconds(_ text: String) -> Double? { Array(text.utf8).withUnsafeBufferPointer { VoteTime.seconds($0) } }
        #expect(seconds("1714557600") == 1_714_557_600)
        #expect(seconds("12.5") == 12.5)
        #expect(seconds("2024-05-01T10:00:00Z") == 1_714_557_600)
        #expect(seconds("1969-12-31T23:59:59Z") == -1)
        #expect(seconds("2000-02-29T00:00:00Z") == 951_782_400)
        #expect(seconds("2024-05-01T12:00:00+02:00") == 1_714_557_600)
        for bad in ["2024-13-01T00:00:00Z", "2024-05-01", "nan", "inf", "soon", ""] {
            #expect(seconds(bad) == nil, "\(bad)")
        }
        // Every day of a leap year and of the one after against Foundation.
        for day in 0..<731 {
            let date = Date(timeIntervalSince1970: 1_704_067_200 + Double(day) * 86_400)
            #expect(seconds(date.formatted(.iso8601)) == date.timeIntervalSince1970)
        }
    }

    /// A later vote stands, by time where both have one, else by position; times may come in any order.
    @Test func votesOutOfOrder() throws {
        let text = "user,item,label,time\na,x,1,100\na,x,0,50\nb,x,0,10\nb,x,1,20\nc,x,1,\nc,x,0,\n"
        let ballots = try read(text).ballots
        #expect(ballots.replacedCount == 3)
        #expect((0..<3).map { ballots.votes(ofUser: $0, for: 1) } == [1, 1, 0])
        #expect(ballots.times?.map { $0.isNaN ? -1 : $0 } == [100, 20, -1])
    }

    @Test func namesAreNumberedOnce() {
        var names = NameTable()
        for round in 0..<2 {
            for number in 0..<5000 { #expect(names.number(adding: "name \(number)") == number, "\(round)") }
        }
        #expect(names.count == 5000)
        #expect(names[4321] == "name 4321")
        #expect(names.number(of: "name 77") == 77)
        #expect(names.number(of: "nobody") == nil)
        #expect(NameTable(["", "a", ""]).strings == ["", "a"])
    }

    @Test("classes stand in one order, whichever row came first", arguments: [["nan", "2", "10"], ["1", "1.0", "0"]])
    func orderOfClasses(labels: [String]) throws {
        func classes(_ labels: [String]) throws -> [String] {
            let rows = labels.enumerated().map { "u\($0.offset),i,\($0.element)\n" }.joined()
            return try read("user,item,label\n" + rows, .any).ballots.classes
        }
        let order = try classes(labels)
        #expect(try classes(labels.reversed()) == order)
        #expect(try classes([labels[1], labels[0], labels[2]]) == order)
    }
}

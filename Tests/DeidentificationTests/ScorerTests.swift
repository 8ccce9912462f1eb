import Foundation
import Testing

@testable import Deidentification

@Suite("Scoring on marked texts")
struct ScorerTests {
    static func finding(_ entity: Entity, _ start: Int, _ end: Int) -> Finding {
        Finding(entity: entity, start: start, end: end, score: 1)
    }

    @Test("precision, recall, F1 and F2 by hand")
    func byHand() {
        // é and 🎬 take more than one byte, so code points and offsets differ.
        let texts = [
            LabelledText(
                text: "é Anna Berg, 🎬 Bo, Rome",
                spans: [
                    .init(entity: "PERSON", start: 2, end: 11), .init(entity: "PERSON", start: 15, end: 17),
                    .init(entity: "TITLE", start: 19, end: 23),
                ])
        ]
        let score = DeidentificationScorer().score(texts) { _ in
            // Anna Berg exactly; Rome wrongly as a person; Bo not at all.
            [Self.finding(.person, 3, 12), Self.finding(.person, 23, 27)]
        }
        let row = score.rows[.person]
        #expect(row?.marked == 2 && row?.found == 1 && row?.findings == 2 && row?.right == 1 && row?.exact == 1)
        #expect(row?.removed == 1)
        #expect(row?.precision == 0.5 && row?.recall == 0.5 && row?.f1 == 0.5)
        #expect(score.overall == row)
        #expect(score.notSought["TITLE"]?.marked == 1)
        #expect(score.notSought["TITLE"]?.removed == 1)
        #expect(score.misses == [.init(text: 0, entity: "PERSON", start: 15, end: 17)])
        let uneven = DeidentificationScore.Row(marked: 4, found: 1, removed: 0, findings: 1, right: 1, exact: 1)
        // P 1, R 1/4: F1 = 2·1·.25/1.25, F2 = 5·1·.25/(4+.25).
        #expect(abs(uneven.f1 - 0.4) < 1e-12)
        #expect(abs(uneven.f2 - 1.25 / 4.25) < 1e-12)
    }

    @Test("an address marked in pieces and found as one, and the other way round")
    func pieces() {
        let text = "12 Oak Lane, Rome 123"
        let inPieces = LabelledText(
            text: text,
            spans: [
                .init(entity: "ADDRESS", start: 0, end: 11), .init(entity: "LOCATION", start: 13, end: 17),
                .init(entity: "ADDRESS", start: 18, end: 21),
            ])
        let one = DeidentificationScorer().score([inPieces]) { _ in [Self.finding(.streetAddress, 0, 21)] }
        // The town is found with its address.
        #expect(one.overall.found == 3 && one.overall.right == 1 && one.overall.findings == 1)
        #expect(one.leakRate == 0 && one.alarms == 0)
        #expect(one.places == .init(marked: 3, found: 3, removed: 3, findings: 1, right: 1, exact: 0))
        let whole = LabelledText(text: text, spans: [.init(entity: "ADDRESS", start: 0, end: 21)])
        let two = DeidentificationScorer().score([whole]) { _ in
            [Self.finding(.streetAddress, 0, 11), Self.finding(.streetAddress, 13, 21)]
        }
        #expect(two.overall.found == 1 && two.overall.right == 2 && two.overall.removed == 0)
    }

    @Test("kinds that a file never marks are in no sum; what touches no mark is an alarm")
    func unmarkedKinds() {
        let text = LabelledText(text: "Bo is 34, me@x.org", spans: [.init(entity: "EMAIL_ADDRESS", start: 10, end: 18)])
        let score = DeidentificationScorer().score([text]) { _ in
            [Self.finding(.age, 6, 8), Self.finding(.emailAddress, 10, 18)]
        }
        #expect(score.rows[.age]?.findings == 1)
        #expect(score.overall.findings == 1 && score.overall.precision == 1 && score.patterns == score.overall)
        #expect(score.alarms == 1 && score.alarmsPerHundred == 100)
    }

    @Test("which templates are held out depends on the template alone")
    func heldOut() {
        // FNV-1a of the emptied template modulo 5, worked out by Scripts/train-names.
        let cases: [(String, Bool)] = [
            ("She named him {{first_name}}", true), ("She named him {{name}}", true), ("My IBAN is {{iban}}", false),
            ("Here's my SSN: {{ssn}}", true), ("no placeholder", false), ("{{a}} é {b}", false),
        ]
        for (template, isHeldOut) in cases {
            #expect(LabelledText(text: "", spans: [], template: template).isHeldOut == isHeldOut, "\(template)")
        }
        #expect(!LabelledText(text: "", spans: []).isHeldOut)
    }

    @Test("tagged tokens: texts with marks, user names without")
    func taggedTokens() throws {
        let folder = try KeyTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "a.conll")
        try Data("RT\tO\n@\tB-PER\nbo_x\tB-PER\n:\tO\nAnna\tB-PER\nBerg\tI-PER\nin\tO\nÅbo\tB-LOC\n\nhi\tO\n".utf8)
            .write(to: file)
        let texts = try LabelledText.read(file)
        #expect(texts.map(\.text) == ["RT @bo_x : Anna Berg in Åbo", "hi"])
        #expect(
            texts.first?.spans == [
                .init(entity: "PERSON", start: 11, end: 20), .init(entity: "LOCATION", start: 24, end: 27),
            ])
        try Data("Anna B-PER\n".utf8).write(to: file)
        let error = #expect(throws: DeidentificationError.self) { try LabelledText.read(file) }
        #expect(error?.description.contains("line 1") == true)
    }

    @Test("a labelled file; faults name the place")
    func file() throws {
        let folder = try KeyTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "texts.json")
        func read(_ json: String) throws -> [LabelledText] {
            try Data(json.utf8).write(to: file)
            return try LabelledText.read(file)
        }
        let good =
            #"[{"full_text":"I am Bo","spans":[{"entity_type":"PERSON","start_position":5,"end_position":7}],"x":1}]"#
        #expect(try read(good).first?.spans == [.init(entity: "PERSON", start: 5, end: 7)])
        for (json, part) in [
            (#"[{"full_text":"a","spans":[{"entity_type":"X","start_position":0,"end_position":9}]}]"#, "spans[0]"),
            (
                #"[{"full_text":"a","spans":[{"entity_type":"X","start_position":"0","end_position":1}]}]"#,
                "start_position"
            ),
            (#"[{"spans":[]}]"#, "full_text"), (#"[{"full_text":"#, "not valid JSON"),
        ] {
            let error = #expect(throws: DeidentificationError.self) { try read(json) }
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
            #expect(error?.isInputAtFault == true)
        }
    }

    @Test("tokens with tags are as many lines where lines end as on Windows")
    func carriageReturns() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "tags-\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: place) }
        try Data("Hi\tO\r\nAnn\tB-PER\r\nLee\tI-PER\r\n\r\nRome\tB-LOC\r\n".utf8).write(to: place)
        let texts = try LabelledText.read(place)
        #expect(texts.map(\.text) == ["Hi Ann Lee", "Rome"])
        #expect(texts.map { $0.spans.map(\.entity) } == [["PERSON"], ["LOCATION"]])
    }
}

import Conversations
import Foundation
import Testing

@testable import Deidentification

@Suite("Conversations without what identifies")
struct DeidentifierTests {
    static let talk: [(Sender, String)] = [
        (.bot, "Hi! What's your name?"), (.human, "zorblat"), (.bot, "Nice to meet you, Zorblat. Where do you live?"),
        (.human, "at 12 Oak Lane. Mail me: zorblat@example.com or 212-555-0187. My sister is Sarah Quist."),
        (.bot, "Is Sarah older?"), (.human, "yes, sarah quist is 30. 212 555 0187 is hers too"),
    ]

    static func run(_ conversation: Conversation, key: UInt8 = 7, _ table: OperatorTable = .init()) throws
        -> Conversation
    {
        try Samples.deidentifier(key, table).deidentify(conversation).0
    }

    @Test("nothing that identifies is left, and the talk still reads")
    func nothingLeft() throws {
        let result = try Self.run(Samples.conversation("c1", Self.talk))
        let all = result.messages.map(\.text).joined(separator: "\n").lowercased()
        for text in ["zorblat", "oak", "sarah", "quist", "555", "example.com"] {
            #expect(!all.contains(text), "\(text)")
        }
        #expect(all.hasPrefix("hi! what's your name?\n"))
        #expect(result.messages[3].text.contains(". My sister is "))
        #expect(result.messages.map(\.id) == ["m0", "m1", "m2", "m3", "m4", "m5"])
    }

    @Test("one pseudonym per name in a conversation, in the case in which it was written")
    func consistent() throws {
        let result = try Self.run(Samples.conversation("c1", Self.talk))
        let name = result.messages[1].text
        #expect(result.messages[2].text == "Nice to meet you, \(name.capitalized). Where do you live?")
        let sister = try #require(result.messages[3].text.split(separator: " ").suffix(2).map(String.init) as [String]?)
        let family = sister[1].dropLast()
        #expect(result.messages[4].text == "Is \(sister[0]) older?")
        #expect(result.messages[5].text.hasPrefix("yes, \(sister[0].lowercased()) \(family.lowercased()) is 30."))
        // The same number in another form.
        let digits = { (text: Substring) in text.filter(\.isNumber) }
        let first = try #require(result.messages[3].text.firstRange(of: /\d{3}-\d{3}-\d{4}/))
        let second = try #require(result.messages[5].text.firstRange(of: /\d{3} \d{3} \d{4}/))
        #expect(digits(result.messages[3].text[first]) == digits(result.messages[5].text[second]))
    }

    @Test("never across conversations, and never without the key")
    func neverAcross() throws {
        var names: Set<String> = []
        for i in 0..<40 { names.insert(try Self.run(Samples.conversation("c\(i)", Self.talk)).messages[1].text) }
        // 40 draws from some hundreds of names: repeats happen, but one name for all would be a link.
        #expect(names.count > 25)
        let one = try Self.run(Samples.conversation("c1", Self.talk))
        #expect(try Self.run(Samples.conversation("c1", Self.talk)) == one)
        #expect(try Self.run(Samples.conversation("c1", Self.talk), key: 8).messages[1].text != one.messages[1].text)
    }

    @Test("a pseudonym is no name of the conversation and stands for one person only")
    func distinct() throws {
        let lexicon = try Samples.lexicon.get()
        // Every second name of the list occurs; the pseudonyms must come from the others.
        let used = stride(from: 0, to: 200, by: 2).map { lexicon.firstNames[$0].capitalized }
        let text = used.map { "my friend \($0) came." }.joined(separator: " ")
        let (result, findings) = try Samples.deidentifier().deidentify(text: text, scope: "s")
        #expect(findings.count == used.count)
        let new = result.split(separator: ".").compactMap { $0.split(separator: " ").dropLast().last.map(String.init) }
        #expect(new.count == used.count)
        #expect(Set(new).count == used.count)
        #expect(Set(new).isDisjoint(with: used))
    }

    @Test("comments, corrections, memories, search records and unknown fields")
    func otherFields() throws {
        var conversation = Samples.conversation("c1", [(.human, "I'm Zorblat"), (.bot, "Hello")])
        conversation.messages[1].feedback = [
            Feedback(userID: "u1", rating: .dislike, comment: "say hello to Zorblat", correction: "Hello Zorblat!")
        ]
        conversation.messages[1].memory = MemoryRecord(
            memories: ["Person 1's Persona: My name is Zorblat."], decision: "access memory", knowledge: "zorblat")
        conversation.messages[1].search = SearchRecord(
            decision: "search", query: "who is zorblat", knowledge: "Zorblat is known.",
            documents: [
                SearchDocument(title: "Zorblat", content: "All of Zorblat", url: "https://zorblat.example.org/x")
            ])
        conversation.messages[0].extra = [
            "client": .object(["phone": .number(2_125_550_187), "note": .array([.string("mail zorblat@example.com")])]),
            "turns": .number(12),
        ]
        conversation.extra = ["title": .string("Talk with Zorblat")]
        let (result, findings) = try Samples.deidentifier().deidentify(conversation)
        let data = try JSONEncoder().encode(result.messages.map(\.extra) + [result.extra])
        var texts = String(decoding: data, as: UTF8.self)
        let message = result.messages[1]
        texts += [
            message.feedback[0].comment, message.feedback[0].correction, message.memory?.knowledge,
            message.memory?.memories[0], message.search?.query, message.search?.knowledge,
        ].compactMap(\.self).joined()
        texts += message.search?.documents.map { $0.title + $0.content + $0.url }.joined() ?? ""
        #expect(!texts.lowercased().contains("zorblat"))
        #expect(!texts.contains("2125550187"))
        #expect(result.messages[0].extra["turns"] == .number(12))
        #expect(message.memory?.decision == "access memory")
        let fields = Set(findings.compactMap(\.place?.field))
        #expect(
            fields == [
                "text", "feedback.comment", "feedback.correction", "memory.memories[0]", "memory.knowledge",
                "search.query",
                "search.knowledge", "search.documents[0].title", "search.documents[0].content",
                "search.documents[0].url",
                "extra.client.phone", "extra.client.note[0]", "extra.title",
            ])
    }

    @Test("unknown fields named in one word, short numbers, and fields called after somebody")
    func unknownFields() throws {
        var conversation = Samples.conversation("c1", [(.human, "hi"), (.bot, "hello")])
        conversation.source = "sharegpt:jo@example.com.json"
        conversation.extra = [
            "phoneNumber": .string("5550187"), "dateOfBirth": .string("1988-03-05"), "firstName": .string("zorblat"),
            "zipCode": .string("90210"), "zip": .number(90210), "userAge": .number(34), "age": .number(34),
            "people": .object(["jo@example.com": .object(["calls": .number(3)]), "+12125550187": .bool(true)]),
            "toolName": .string("zorker"), "pageCount": .number(34), "size": .number(90210),
        ]
        let (result, findings) = try Samples.deidentifier().deidentify(conversation)
        let text = JSONValue.object(result.extra).text
        for told in ["5550187", "1988", "zorblat", "\"90210\"", "jo@example"] {
            #expect(!text.contains(told), "\(told)")
        }
        #expect(result.extra["zip"] != .number(90210))
        for name in ["userAge", "age"] {
            guard case .number(let age)? = result.extra[name] else {
                Issue.record("\(name) is no number")
                continue
            }
            #expect(age != 34 && (30...39).contains(age))
        }
        guard case .object(let people)? = result.extra["people"] else {
            Issue.record("nobody is left")
            return
        }
        #expect(people.count == 2 && people.values.contains(.object(["calls": .number(3)])))
        #expect(result.source?.wholeMatch(of: /id-[0-9a-f]{16}/) != nil)
        // Where it was found does not say what it was.
        #expect(findings.contains { $0.place?.field == "extra.people.*" })
        #expect(!findings.contains { $0.place?.field.contains("jo@") == true })
        #expect(result.extra["toolName"] == .string("zorker"))
        #expect(result.extra["pageCount"] == .number(34) && result.extra["size"] == .number(90210))
    }

    @Test("the answer to a question for a postal code")
    func postalCode() throws {
        let talk: [(Sender, String)] = [
            (.bot, "What's your zip code?"), (.human, "90210"), (.bot, "Thanks."), (.human, "I have 12345 stamps"),
        ]
        let result = try Self.run(Samples.conversation("c1", talk))
        #expect(result.messages[1].text.wholeMatch(of: /\d{5}/) != nil && result.messages[1].text != "90210")
        #expect(result.messages[3].text == "I have 12345 stamps")
    }

    @Test("a number typed on the keys of the picture keyboard")
    func keycaps() throws {
        let keys = "2125550187".map { "\($0)\u{FE0F}\u{20E3}" }.joined()
        let text = "call me on " + keys
        let (result, findings) = try Samples.deidentifier().deidentify(text: text, scope: "s")
        #expect(findings.map(\.entity) == [.phoneNumber])
        #expect(result.hasPrefix("call me on ") && result != text)
        #expect(result.filter(\.isNumber).count <= 10 && !result.contains(keys))
    }

    @Test("a finding says where, and never what")
    func findingsHoldNoText() throws {
        let (_, findings) = try Samples.deidentifier().deidentify(Samples.conversation("c1", Self.talk))
        let json = String(decoding: try JSONEncoder().encode(findings), as: UTF8.self) + "\(findings)"
        for text in ["zorblat", "Zorblat", "Sarah", "Oak", "0187"] { #expect(!json.contains(text)) }
        let first = try #require(findings.first)
        #expect(first.place == .init(messageID: "m1", field: "text"))
        #expect(first.start == 0 && first.end == 7 && first.entity == .person)
    }

    @Test("counts per kind")
    func counts() throws {
        var counts = FindingCounts()
        counts.add(try Samples.deidentifier().deidentify(Samples.conversation("c1", Self.talk)).1)
        counts.add([])
        #expect(
            counts.counts
                == [.person: 5, .streetAddress: 1, .emailAddress: 1, .phoneNumber: 2])
        #expect(counts.texts == 2 && counts.textsWithFindings == 1 && counts.total == 9)
        #expect(counts.description == "PERSON 5, EMAIL_ADDRESS 1, PHONE_NUMBER 2, STREET_ADDRESS 1")
    }

    @Test("operators")
    func operators() throws {
        let text = "mail jo@example.com, or Sarah"
        func run(_ table: OperatorTable) throws -> String {
            try Samples.deidentifier(7, table).deidentify(text: text, scope: "s").0
        }
        #expect(try run(.init(.replace)) == "mail <EMAIL_ADDRESS>, or <PERSON>")
        #expect(try run(.init(.redact)) == "mail , or ")
        #expect(try run(.init(.mask)) == "mail **************, or *****")
        #expect(try run(.init(.keep)) == text)
        #expect(try run(.init(.keep, [.person: .replace])) == "mail jo@example.com, or <PERSON>")
        let hashed = try run(.init(.hash))
        #expect(hashed.wholeMatch(of: /mail <EMAIL_ADDRESS_[0-9a-f]{16}>, or <PERSON_[0-9a-f]{16}>/) != nil)
        let other = try Samples.deidentifier(7, .init(.hash)).deidentify(text: text, scope: "t").0
        #expect(other != hashed)
    }

    @Test("what has nothing to hide comes back as it was")
    func untouched() throws {
        let conversation = Samples.conversation("c1", [(.human, "do you like films? 🎬 naïve café"), (.bot, "Yes!")])
        let (result, findings) = try Samples.deidentifier().deidentify(conversation)
        #expect(result == conversation)
        #expect(findings.isEmpty)
    }

    @Test("a user id that is an address becomes a hash, the same in every conversation; others stay")
    func userIDs() throws {
        var conversation = Samples.conversation("c1", [(.human, "hi"), (.bot, "hello")])
        conversation.userID = "jo@example.com"
        conversation.messages[1].feedback = [Feedback(userID: "jo@example.com", rating: .like)]
        let first = try Self.run(conversation)
        conversation.id = "c2"
        let second = try Self.run(conversation)
        #expect(first.userID.wholeMatch(of: /user-[0-9a-f]{16}/) != nil)
        #expect(first.userID == second.userID)
        #expect(first.messages[1].feedback[0].userID == first.userID)
        #expect(try Self.run(Samples.conversation("c1", [(.human, "hi")])).userID == "u1")
    }

    @Test("ids that repeat who somebody is become hashes too, and still refer to each other")
    func otherIDs() throws {
        var conversation = Samples.conversation("+1 212-555-0187", [(.human, "hi"), (.bot, "hello"), (.bot, "hello?")])
        conversation.userID = "jo@example.com"
        conversation.messages[0].id = "jo@example.com/1"
        conversation.messages[1].parentID = "jo@example.com/1"
        conversation.messages[2].parentID = "jo@example.com/1"
        conversation.messages[2].asksAbout = "m1"
        let result = try Self.run(conversation)
        #expect(result.id.wholeMatch(of: /id-[0-9a-f]{16}/) != nil)
        #expect(result.messages[0].id.wholeMatch(of: /id-[0-9a-f]{16}/) != nil)
        #expect(result.messages[1].parentID == result.messages[0].id)
        #expect(result.messages[2].parentID == result.messages[0].id)
        #expect(result.messages[2].asksAbout == "m1" && result.messages[1].id == "m1")
        #expect(!result.jsonLine.contains("example.com") && !result.jsonLine.contains("0187"))
        #expect(try Self.run(conversation) == result)
        // An id without a sign, where it is the person's own number.
        var plain = Samples.conversation("chat-212-555-0187", [(.human, "hi"), (.bot, "hello")])
        plain.userID = "212-555-0187"
        #expect(try !Self.run(plain).jsonLine.contains("0187"))
        // Who is nobody by their id is called after the conversation.
        var nobody = Samples.conversation("room+17", [(.human, "hi"), (.bot, "hello")])
        nobody.userID = "anonymous-room+17"
        nobody.messages[1].feedback = [Feedback(userID: "anonymous-room+17", rating: .like)]
        let hidden = try Self.run(nobody)
        #expect(!hidden.jsonLine.contains("room+17"))
        #expect(hidden.messages[1].feedback[0].userID == hidden.userID)
        // Pseudonyms stay, also in a conversation's id.
        var quiet = Samples.conversation("person-7/chat-1", [(.human, "hi")])
        quiet.userID = "person-7"
        #expect(try Self.run(quiet) == quiet)
    }
}

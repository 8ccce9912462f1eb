import Conversations
import Testing

@testable import Deidentification

/// The kinds of the worldwide and the US list that have a check digit or a form, and what is told by context alone.
@Suite("Further kinds")
struct EntityTests {
    @Test(
        "found, and only that",
        arguments: [
            // Checksums: the examples of the standards' own texts.
            ("send it to 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "CRYPTO 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "CRYPTO bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            ("my mac is 00:1B:44:11:3A:B7", "MAC_ADDRESS 00:1B:44:11:3A:B7"),
            ("npi 1234567893", "US_NPI 1234567893"), ("medicare 1EG4-TE5-MK73", "US_MBI 1EG4-TE5-MK73"),
            ("DEA number AB1234563", "MEDICAL_LICENSE AB1234563"), ("itin 912-70-1234", "US_ITIN 912-70-1234"),
            ("routing number 021000021", "ABA_ROUTING_NUMBER 021000021"),
            ("checking account 12345678901", "US_BANK_NUMBER 12345678901"),
            ("zip 90210", "POSTAL_CODE 90210"), ("it's SW1A 1AA", "POSTAL_CODE SW1A 1AA"),
            ("K1A 0B1 please", "POSTAL_CODE K1A 0B1"), ("i'm 34", "AGE 34"), ("a 27 year old", "AGE 27"),
            ("forty-two years old", "AGE forty-two"), ("34/f", "AGE 34"), ("my son is 12.", "AGE 12"),
            ("I grew up in Zlin", "LOCATION Zlin"), ("i work for Brightwater Ltd", "ORGANIZATION Brightwater Ltd"),
        ])
    func kinds(text: String, expected: String) throws {
        #expect(try found(text) == [expected])
    }

    @Test(
        "a wrong check digit, counting, amounts and well-known names stay",
        arguments: [
            "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "npi 1234567894",
            "DEA number AB1234564", "I'm 5 minutes away", "i am 30 minutes late", "one two three four five six seven",
            "I grew up in France", "I work at Google", "we have 2 dogs", "it costs 34", "call me maybe",
            "call me later",
            "my friend always says so", "this is delicious", "this is awesome!", "i'm exhausted btw", "look at gmail",
            "in 1999",
        ])
    func nothing(text: String) throws {
        #expect(try found(text).isEmpty)
    }

    @Test(
        "as people write it who hide it",
        arguments: [
            ("my email is john dot doe at gmail", "EMAIL_ADDRESS john dot doe at gmail"),
            ("mail jo at hotmail", "EMAIL_ADDRESS jo at hotmail"),
            ("jo @ mail . example . com", "EMAIL_ADDRESS jo @ mail . example . com"),
            ("jo dot x at mail dot example dot com", "EMAIL_ADDRESS jo dot x at mail dot example dot com"),
            ("call five five five oh one two double three", "PHONE_NUMBER five five five oh one two double three"),
            ("my phone is five 5 five 0187", "PHONE_NUMBER five 5 five 0187"),
            ("ｊｏ@ｅｘａｍｐｌｅ．org", "EMAIL_ADDRESS ｊｏ@ｅｘａｍｐｌｅ．org"),
            ("jо@exаmple.org", "EMAIL_ADDRESS jо@exаmple.org"),
            ("j\u{200B}o@exam\u{AD}ple.org", "EMAIL_ADDRESS j\u{200B}o@exam\u{AD}ple.org"),
            ("my name is Аnna", "PERSON Аnna"), ("𝟮𝟭𝟮-𝟱𝟱𝟱-𝟬𝟭𝟴𝟳", "PHONE_NUMBER 𝟮𝟭𝟮-𝟱𝟱𝟱-𝟬𝟭𝟴𝟳"),
            ("my nmae is zdenek", "PERSON zdenek"), ("call me zdenek", "PERSON zdenek"),
            ("hi, zdenek here", "PERSON zdenek"), ("my sister zdenka lives there", "PERSON zdenka"),
            ("hello, this is zdenek.", "PERSON zdenek"), ("i'm zdenek btw", "PERSON zdenek"),
            ("I go by Ziggy", "PERSON Ziggy"),
            ("see https://example.com/?mail=jo@example.org&x=1", "URL https://example.com/?mail=jo@example.org&x=1"),
        ])
    func hidden(text: String, expected: String) throws {
        #expect(try found(text) == [expected])
    }

    @Test("what stands whole in another script stays as it is")
    func otherScripts() throws {
        #expect(LookalikeFolding(Array("Привет, как дела?".utf8)) == nil)
        #expect(LookalikeFolding(Array("naïve café 🎬".utf8)) == nil)
        #expect(LookalikeFolding(Array("plain".utf8)) == nil)
    }

    @Test("a number and an address spread over two messages of one person")
    func split() throws {
        let conversation = Samples.conversation(
            "c",
            [
                (.human, "my number is 212 555"), (.bot, "go on"), (.human, "0187"), (.human, "mail me: jo.smith@"),
                (.human, "example.org please"), (.human, "I have 3"), (.human, "4 dogs"),
            ])
        let (clean, findings) = try Samples.deidentifier(7, .init(.replace)).deidentify(conversation)
        #expect(
            clean.messages.map(\.text) == [
                "my number is <PHONE_NUMBER>", "go on", "<PHONE_NUMBER>", "mail me: <EMAIL_ADDRESS>",
                "<EMAIL_ADDRESS> please", "I have 3", "4 dogs",
            ])
        #expect(findings.count == 4)
    }

    @Test("an address that ends a message does not go on in the next one's first word")
    func wholeAddress() throws {
        let conversation = Samples.conversation(
            "c",
            [
                (.human, "You can e-mail me at jo.smith@example.org."), (.bot, "thank you"),
                (.human, "By the way, what is new?"), (.human, "or jo@example.org"), (.human, "You can call me later"),
            ])
        let (clean, findings) = try Samples.deidentifier(7, .init(.replace)).deidentify(conversation)
        #expect(
            clean.messages.map(\.text) == [
                "You can e-mail me at <EMAIL_ADDRESS>.", "thank you", "By the way, what is new?", "or <EMAIL_ADDRESS>",
                "You can call me later",
            ])
        #expect(findings.count == 2)
    }

    @Test("a pseudonym keeps the gender that a name shows")
    func gender() throws {
        let lexicon = try Samples.lexicon.get()
        for (name, list) in [("Anna", lexicon.feminineNames), ("Robert", lexicon.masculineNames)] {
            for scope in ["a", "b", "c", "d"] {
                let (text, _) = try Samples.deidentifier().deidentify(text: "My name is \(name)", scope: scope)
                let given = String(text.dropFirst("My name is ".count)).lowercased()
                #expect(given != name.lowercased() && list.contains(given), "\(text)")
            }
        }
    }

    @Test("an age stays in its ten years, a town and a company become made-up ones, digits stay digits")
    func pseudonyms() throws {
        let deidentifier = try Samples.deidentifier()
        let (age, _) = deidentifier.deidentify(text: "I'm 34", scope: "a")
        let years = Int(age.dropFirst(4)) ?? 0
        #expect((30...39).contains(years) && years != 34)
        let (town, _) = deidentifier.deidentify(text: "I live in Zlin. I moved to Zlin", scope: "a")
        let words = town.split(separator: " ")
        #expect(!town.contains("Zlin") && words[3].dropLast() == words.last.map { $0[...] })
        let (zip, _) = deidentifier.deidentify(text: "zip 90210", scope: "a")
        #expect(zip.wholeMatch(of: /zip \d{5}/) != nil && zip != "zip 90210")
        let (spoken, _) = deidentifier.deidentify(text: "call five five five oh one two double three", scope: "a")
        #expect(!spoken.contains("five five five oh one two double three") && !spoken.contains("<"))
    }
}

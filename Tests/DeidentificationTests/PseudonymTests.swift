import Foundation
import Testing

@testable import Deidentification

@Suite("Pseudonyms")
struct PseudonymTests {
    static func book(_ scope: String = "c") throws -> PseudonymBook {
        PseudonymBook(key: try Samples.key(), scope: scope, lexicon: try Samples.lexicon.get(), taken: [])
    }

    @Test("numbers keep their form, change their digits and belong to nobody")
    func numbers() throws {
        for i in 0..<50 {
            var book = try Self.book("c\(i)")
            let card = book.pseudonym(of: "4111 1111-1111 1111", .creditCard)
            #expect(card.wholeMatch(of: /\d{4} \d{4}-\d{4} \d{4}/) != nil)
            #expect(!CreditCardRecognizer.luhn(card.utf8.filter(ScannedText.isDigit).map { $0 - 0x30 }[...]))
            let number = book.pseudonym(of: "536-22-8746", .socialSecurityNumber)
            #expect(number.wholeMatch(of: /9\d\d-0\d-\d{4}/) != nil)
            #expect(!SocialSecurityRecognizer.isIssued(number.utf8.filter(ScannedText.isDigit).map { $0 - 0x30 }))
            let account = book.pseudonym(of: "GB29 NWBK 6016 1331 9268 19", .iban)
            #expect(account.wholeMatch(of: /GB\d\d [A-Z]{4} \d{4} \d{4} \d{4} \d\d/) != nil)
            #expect(!IBANRecognizer.isValid(account.utf8.filter(ScannedText.isAlphanumeric)))
            let phone = book.pseudonym(of: "+44 20 7946 0958", .phoneNumber)
            #expect(phone.wholeMatch(of: /\+\d\d \d\d \d{4} \d{4}/) != nil)
            #expect(phone != "+44 20 7946 0958")
        }
    }

    @Test("dates stay dates")
    func dates() throws {
        for i in 0..<50 {
            var book = try Self.book("c\(i)")
            let date = book.pseudonym(of: "05/19/1987", .dateOfBirth)
            let parts = date.split(separator: "/").compactMap { Int($0) }
            #expect(date.utf8.count == 10 && (1...12).contains(parts[0]) && (13...28).contains(parts[1]))
            #expect((1984...1990).contains(parts[2]) && parts[2] != 1987)
            let named = book.pseudonym(of: "March 5th, 1988", .dateOfBirth)
            #expect(named.wholeMatch(of: /[A-Z][a-z]+ \d+th, 19\d\d/) != nil)
            #expect(!named.contains("March"))
        }
    }

    @Test("names keep titles, particles, signs and case; one word, one pseudonym")
    func names() throws {
        var book = try Self.book()
        let whole = book.pseudonym(of: "Dr. Anna van der BERG-Quist Jr.", .person)
        #expect(whole.wholeMatch(of: /Dr\. [A-Z][a-z]+ van der [A-Z]{2,}-[A-Z][a-z]+ Jr\./) != nil)
        let first = whole.split(separator: " ")[1]
        #expect(book.pseudonym(of: "anna", .person) == first.lowercased())
        #expect(book.pseudonym(of: "ANNA", .person) == first.uppercased())
        #expect(book.pseudonym(of: "Ánna", .person) == first)
    }

    @Test("addresses of the net belong to nobody")
    func netAddresses() throws {
        var book = try Self.book()
        #expect(
            book.pseudonym(of: "jo@mail.example.com", .emailAddress).wholeMatch(of: /[a-z]+\d{3}@example\.org/) != nil)
        #expect(book.pseudonym(of: "192.0.2.1", .ipAddress).hasPrefix("10."))
        #expect(book.pseudonym(of: "fe80::1", .ipAddress).hasPrefix("2001:db8::"))
        #expect(book.pseudonym(of: "http://jo.example.net", .url).hasPrefix("http://example.org/"))
        #expect(book.pseudonym(of: "@blue_otter", .userName).hasPrefix("@"))
        #expect(book.pseudonym(of: "otter#4821", .userName).wholeMatch(of: /[a-z]+#\d{4}/) != nil)
        #expect(
            book.pseudonym(of: "12 Oak Lane, Springfield", .streetAddress).wholeMatch(of: /\d\d [A-Z][a-z]+ Street/)
                != nil)
    }

    @Test("an address or user name has one pseudonym however often it comes")
    func repeatedHandles() throws {
        var book = try Self.book()
        for (text, entity) in [
            ("Jo@mail.example.com", Entity.emailAddress), ("@Blue_Otter", .userName), ("otter#4821", .userName),
        ] {
            let first = book.pseudonym(of: text, entity)
            _ = book.pseudonym(of: "Anna", .person)
            #expect(book.pseudonym(of: text, entity) == first)
            #expect(book.pseudonym(of: text.lowercased(), entity) == first)
        }
        let one = book.pseudonym(of: "jo@mail.example.com", .emailAddress)
        #expect(one != book.pseudonym(of: "joe@mail.example.com", .emailAddress))
    }

    @Test("more persons than names: still one for one")
    func exhausted() throws {
        var book = try Self.book()
        let count = try Samples.lexicon.get().firstNames.count + 50
        var seen: Set<String> = []
        for i in 0..<count {
            seen.insert(book.pseudonym(of: "x" + String(i, radix: 5).map { "abcde"[Int(String($0)) ?? 0] }, .person))
        }
        #expect(seen.count == count)
    }

    @Test("the parts of a keyed draw are told apart")
    func keyedRandom() throws {
        let key = try Samples.key()
        var a = KeyedRandom(key: key, [[1, 2], [3]])
        var b = KeyedRandom(key: key, [[1], [2, 3]])
        var c = KeyedRandom(key: key, [[1, 2], [3]])
        let first = (0..<10).map { _ in a.next() }
        #expect(first == (0..<10).map { _ in c.next() })
        #expect(first != (0..<10).map { _ in b.next() })
        #expect(Set(first).count == 10)
        // HMAC-SHA256 by Python's hmac module: key of 32 bytes 7; message 2,0×7,1,2, 1,0×7,3, counter 0×8.
        #expect(first[0] == 0x52f1_3fb9_99ec_5723)
    }
}

extension String {
    fileprivate subscript(index: Int) -> String { String(self[self.index(startIndex, offsetBy: index)]) }
    fileprivate func map(_ body: (Character) -> String) -> String { reduce(into: "") { $0 += body($1) } }
}

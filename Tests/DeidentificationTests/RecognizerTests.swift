import Testing

@testable import Deidentification

@Suite("Recognizers")
struct RecognizerTests {
    @Test(
        "e-mail addresses",
        arguments: [
            ("write to jo.dot+x@mail.example.com.", "EMAIL_ADDRESS jo.dot+x@mail.example.com"),
            ("(jo@example.co.uk)", "EMAIL_ADDRESS jo@example.co.uk"),
            ("jö@exämple.de!", "EMAIL_ADDRESS jö@exämple.de"),
            ("it is jo dot dot at example dot com ok", "EMAIL_ADDRESS jo dot dot at example dot com"),
            ("jo_99 (at) example (dot) org", "EMAIL_ADDRESS jo_99 (at) example (dot) org"),
        ])
    func email(text: String, expected: String) throws {
        #expect(try found(text) == [expected])
    }

    @Test("what is no e-mail address", arguments: ["meet me @ noon", "a@b", "@", "a@@b.com?", "look at dot com"])
    func noEmail(text: String) throws {
        #expect(try found(text).allSatisfy { !$0.hasPrefix("EMAIL") })
    }

    @Test(
        "telephone numbers",
        arguments: [
            ("call +44 20 7946 0958 now", "+44 20 7946 0958"), ("my number is (212) 555-0187.", "(212) 555-0187"),
            ("212-555-0187 x22", "212-555-0187"), ("ring 0171 555 0187", "0171 555 0187"),
            ("text me: 5550187", "5550187"), ("reach me on 212.555.0187 ext. 5", "212.555.0187 ext. 5"),
            ("555-0187 is my phone", "555-0187"),
        ])
    func phone(text: String, expected: String) throws {
        #expect(try found(text) == ["PHONE_NUMBER \(expected)"])
    }

    @Test(
        "numbers that call nobody",
        arguments: [
            "I have 5551234 sheep", "from 1990-2000", "on 2024-03-01", "it costs $1,234,567.89", "3.14159265358",
            "1 2 3 4 5 6 7 8 9 10", "between 12:30 and 13:45", "room 101, floor 12", "we won 21-14 and 28-10",
        ])
    func noPhone(text: String) throws {
        #expect(try found(text).isEmpty)
    }

    @Test("web addresses; the front page of a well-known site stays")
    func url() throws {
        #expect(try found("see https://jo.example.net/a?b=1#c, ok") == ["URL https://jo.example.net/a?b=1#c"])
        #expect(try found("(www.jos-page.example)") == ["URL www.jos-page.example"])
        #expect(try found("my page is jospage.com/about") == ["URL jospage.com/about"])
        #expect(try found("I found it on youtube.com and Wikipedia").isEmpty)
        #expect(try found("youtube.com/@jo_jo_99") == ["URL youtube.com/@jo_jo_99"])
        #expect(try found("Sure.So do I. No.It is").isEmpty)
    }

    @Test("internet addresses, not version numbers or times")
    func ipAddress() throws {
        #expect(try found("it is 192.0.2.17.") == ["IP_ADDRESS 192.0.2.17"])
        #expect(try found("2001:db8:0:0:8:800:200c:417a") == ["IP_ADDRESS 2001:db8:0:0:8:800:200c:417a"])
        #expect(try found("ping fe80::1:2 please") == ["IP_ADDRESS fe80::1:2"])
        for text in ["version 1.2.3.4", "256.1.1.1", "1.2.3.4.5", "std::vector", "at 10:20:30", "a::b"] {
            #expect(try found(text).isEmpty, "\(text)")
        }
    }

    @Test("cards by Luhn's digit and issuer")
    func creditCard() throws {
        #expect(try found("4111 1111 1111 1111 12/29") == ["CREDIT_CARD 4111 1111 1111 1111"])
        #expect(try found("5500-0000-0000-0004") == ["CREDIT_CARD 5500-0000-0000-0004"])
        #expect(try found("the serial is 4111111111111112").isEmpty)
        #expect(try found("my card is 4111111111111112") == ["CREDIT_CARD 4111111111111112"])
        #expect(try found("0000000000000000").isEmpty)
        // Luhn worked by hand: 7992739871 has check digit 3.
        #expect(CreditCardRecognizer.luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]))
        #expect(!CreditCardRecognizer.luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 4]))
    }

    @Test("social security numbers that may be issued")
    func socialSecurity() throws {
        #expect(try found("it's 536-22-8746") == ["US_SSN 536-22-8746"])
        #expect(try found("my ssn is 536228746") == ["US_SSN 536228746"])
        for text in ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000"] {
            #expect(try found(text).isEmpty, "\(text)")
        }
        #expect(try found("my social security number is 900-12-3456") == ["US_SSN 900-12-3456"])
    }

    @Test("account numbers by the remainder by 97")
    func iban() throws {
        // The examples of ISO 13616's registry.
        #expect(try found("to GB29 NWBK 6016 1331 9268 19 please") == ["IBAN_CODE GB29 NWBK 6016 1331 9268 19"])
        #expect(try found("de89370400440532013000") == ["IBAN_CODE de89370400440532013000"])
        #expect(try found("GB28 NWBK 6016 1331 9268 19").allSatisfy { !$0.hasPrefix("IBAN") })
    }

    @Test(
        "street addresses",
        arguments: [
            ("I live at 12 Oak Lane, Springfield, IL 62704.", "12 Oak Lane, Springfield, IL 62704"),
            ("send it to 5b linden avenue please", "5b linden avenue"),
            ("Lindenstraße 12, 10969 Berlin", "Lindenstraße 12, 10969 Berlin"),
            ("my place is 7 Rue des Lilas", "7 Rue des Lilas"), ("P.O. Box 77", "P.O. Box 77"),
            ("meet at the corner of Oak Street and Elm Avenue at 5", "the corner of Oak Street and Elm Avenue"),
            ("320 40th Street Apt. 5", "320 40th Street Apt. 5"),
        ])
    func address(text: String, expected: String) throws {
        #expect(try found(text) == ["STREET_ADDRESS \(expected)"])
    }

    @Test(
        "talk of ways and places",
        arguments: [
            "no way", "I walked 5 miles down the road", "we came in 2nd place", "I love Abbey Road",
            "Wall Street is mad",
            "on my way home at 5", "he scored 3 times in a row", "the street was empty", "take a place in the circle",
        ])
    func noAddress(text: String) throws {
        #expect(try found(text).isEmpty)
    }

    @Test("handles and user names")
    func handles() throws {
        #expect(try found("follow @blue_otter77!") == ["USERNAME @blue_otter77"])
        #expect(try found("on discord I am otter#4821") == ["USERNAME otter#4821"])
        #expect(try found("reddit: u/blue_otter") == ["USERNAME u/blue_otter"])
        #expect(try found("my snap is blueotter.77") == ["USERNAME blueotter.77"])
        #expect(try found("my username is blueotter") == ["USERNAME blueotter"])
        #expect(try found("my discord is broken").isEmpty)
        #expect(try found("see you @ 5").isEmpty)
    }

    @Test("birthdays, and no other date")
    func birthDate() throws {
        #expect(try found("I was born on 5/19/1987") == ["DATE_OF_BIRTH 5/19/1987"])
        #expect(try found("my bday is March 5th, 1988") == ["DATE_OF_BIRTH March 5th, 1988"])
        #expect(try found("the 5th of march 1988 is my birthday") == ["DATE_OF_BIRTH 5th of march 1988"])
        #expect(try found("the show is on 5/19/2024").isEmpty)
    }

    @Test("licences and passports by what is said of them")
    func identifiers() throws {
        #expect(try found("my driver's license number is A5631931") == ["US_DRIVER_LICENSE A5631931"])
        #expect(try found("passport no. X12345678") == ["US_PASSPORT X12345678"])
        #expect(try found("model A5631931").isEmpty)
    }
}

/// Web addresses: with a scheme, with `www.`, or a bare domain under a common top level. The front page of a well-known
/// site (`youtube.com`) says nothing of anyone and stays.
struct URLRecognizer: Recognizer {
    private static let longest = 2048
    private static let schemes = ["http", "https", "ftp"].map { Array($0.utf8) }
    private static let www = Array("www".utf8)
    /// Top levels under which a bare domain counts. Those that are English words count only with a path behind.
    private static let topLevels: Set<String> = [
        "com", "org", "net", "edu", "gov", "info", "biz", "io", "tv", "app", "dev", "uk", "de", "fr", "es", "nl", "ca",
        "au", "nz", "us", "eu", "ch", "se", "fi", "dk", "pl", "cz", "hu", "br", "jp", "ru", "cn", "ie", "xyz", "blog",
        "co", "ly", "gg",
    ]
    private static let wordTopLevels: Set<String> = ["me", "it", "is", "in", "no", "be", "at", "to", "so", "my", "am"]
    /// Sites whose bare name stays.
    private static let wellKnown: Set<String> = [
        "youtube.com", "google.com", "wikipedia.org", "en.wikipedia.org", "facebook.com", "twitter.com", "x.com",
        "instagram.com", "reddit.com", "amazon.com", "netflix.com", "imdb.com", "spotify.com", "github.com", "ebay.com",
        "yahoo.com", "bing.com", "tiktok.com", "twitch.tv", "linkedin.com", "gmail.com", "bbc.com", "cnn.com",
    ]

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDot || text.hasColon else { return }
        let bytes = text.bytes
        var floor = 0
        var refused = 0
        for i in bytes.indices where i >= floor {
            if bytes[i] == UInt8(ascii: ":"), i + 2 < bytes.count, bytes[i + 1] == 0x2F, bytes[i + 2] == 0x2F,
                let scheme = Self.schemes.first(where: { Self.ends(bytes, before: i, with: $0, floor: floor) })
            {
                let end = Self.end(bytes, from: i + 3)
                guard end > i + 3 else { continue }
                floor = end
                add(text, i - scheme.count, end, host: i + 3, 0.95, &candidates)
            } else if bytes[i] == UInt8(ascii: "."), i > floor, i + 1 < bytes.count {
                let isWWW = Self.ends(bytes, before: i, with: Self.www, floor: floor)
                let start = isWWW ? i - 3 : Self.startOfHost(bytes, before: i, floor: floor)
                guard start < i, isWWW || i >= refused, start == 0 || bytes[start - 1] != UInt8(ascii: "@") else {
                    continue
                }
                let host = isWWW ? Host(end: i, score: 0.95) : Self.bareHost(bytes, start)
                guard let score = host.score else {
                    // The dots within have the same end: no need to read on from each of them.
                    refused = host.end
                    continue
                }
                let end = Self.end(bytes, from: i + 1)
                guard end > i + 1 else { continue }
                floor = end
                add(text, start, end, host: start, score, &candidates)
            }
        }
    }

    private func add(
        _ text: ScannedText, _ start: Int, _ end: Int, host: Int, _ score: Double, _ candidates: inout [Candidate]
    ) {
        var name = String(decoding: text.bytes[host..<end], as: UTF8.self).lowercased()
        if name.hasPrefix("www.") { name.removeFirst(4) }
        if name.hasSuffix("/") { name.removeLast() }
        guard !Self.wellKnown.contains(name) else { return }
        candidates.append(Candidate(entity: .url, start: start, end: end, score: score))
    }

    /// Whether the bytes before `i` are this word, at the start of a word.
    private static func ends(_ bytes: [UInt8], before i: Int, with word: [UInt8], floor: Int) -> Bool {
        let start = i - word.count
        guard start >= floor else { return false }
        for k in word.indices where bytes[start + k] | 0x20 != word[k] { return false }
        return start == 0 || !ScannedText.isAlphanumeric(bytes[start - 1])
    }

    /// The end of a URL that has begun: the next space or quotation mark, without the sentence's own signs.
    private static func end(_ bytes: [UInt8], from start: Int) -> Int {
        var end = start
        while end < bytes.count, end - start < longest, bytes[end] > 0x20, !isStop(bytes[end]) { end += 1 }
        while end > start, isTrailing(bytes[end - 1]) { end -= 1 }
        return end
    }

    private static func isStop(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "`"), UInt8(ascii: "\\"),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "|"), 0x7F:
            true
        default: false
        }
    }

    private static func isTrailing(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: ";"),
            UInt8(ascii: ":"), UInt8(ascii: "'"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "*"):
            true
        default: false
        }
    }

    private static func startOfHost(_ bytes: [UInt8], before dot: Int, floor: Int) -> Int {
        var start = dot
        while start > floor, dot - start < 63, EmailRecognizer.isDomain(bytes[start - 1]),
            bytes[start - 1] != UInt8(ascii: "."), bytes[start - 1] < 0x80
        {
            start -= 1
        }
        return start
    }

    private struct Host {
        var end: Int
        /// How sure it is a web address; `nil` when it is none.
        var score: Double?
    }

    /// The host of a bare `name.tld/…`.
    private static func bareHost(_ bytes: [UInt8], _ start: Int) -> Host {
        var end = start
        while end < bytes.count, EmailRecognizer.isDomain(bytes[end]), end - start < 253 { end += 1 }
        var last = end
        while last > start, bytes[last - 1] == UInt8(ascii: ".") || bytes[last - 1] == UInt8(ascii: "-") { last -= 1 }
        guard let dot = bytes[start..<last].lastIndex(of: UInt8(ascii: ".")), last - dot <= 8 else {
            return Host(end: end)
        }
        let top = String(decoding: bytes[(dot + 1)..<last], as: UTF8.self)
        let hasPath = last == end && end < bytes.count && bytes[end] == UInt8(ascii: "/")
        // `Yes.De` after a missing space is no domain: domains are typed in small letters, sentences are not.
        let isTop = topLevels.contains(top.lowercased()) && (top == top.lowercased() || top == top.uppercased())
        return Host(end: end, score: isTop || (wordTopLevels.contains(top) && hasPath) ? 0.7 : nil)
    }
}

/// A text as an eye reads it: without characters that are not seen, and with the plain letter or digit for one that only looks
/// like it.
///
/// `jo​hn` with a zero-width space, `ｊｏｈｎ` in full width, `𝗷𝗼𝗵𝗻` in mathematical letters and `jоhn` with a Cyrillic о are all
/// `john`. Cyrillic and Greek letters are changed only in words that have Latin ones beside them: whole words of those
/// scripts stay. One pass over the text.
struct LookalikeFolding {
    /// The folded text.
    private(set) var bytes: [UInt8] = []
    /// For each folded byte where its character begins in the original, and where it ends.
    private(set) var starts: [Int32] = []
    private(set) var ends: [Int32] = []

    /// `nil` when there is nothing to fold.
    init?(_ original: [UInt8]) {
        guard original.contains(where: { $0 >= 0x80 }), original.count < Int32.max else { return nil }
        var isChanged = false
        var i = 0
        // The word so far: whether it has plain Latin letters, and the look-alikes in it as (place among bytes, letter).
        var hasLatin = false
        var suspects: [(place: Int, length: Int, letter: UInt8)] = []
        var pieces: [Piece] = []
        pieces.reserveCapacity(original.count)

        func endWord() {
            if hasLatin {
                for suspect in suspects {
                    pieces[suspect.place].letter = suspect.letter
                    isChanged = true
                }
            }
            hasLatin = false
            suspects.removeAll(keepingCapacity: true)
        }
        while i < original.count {
            let byte = original[i]
            if byte < 0x80 {
                if ScannedText.isLetter(byte) { hasLatin = true } else { endWord() }
                pieces.append(Piece(start: i, length: 1, letter: nil))
                i += 1
                continue
            }
            let (scalar, length) = ScannedText.scalar(original, at: i)
            if Self.isInvisible(scalar) {
                pieces.append(Piece(start: i, length: length, letter: 0))
                isChanged = true
            } else if let plain = Self.compatible(scalar) {
                if ScannedText.isLetter(plain) { hasLatin = true } else { endWord() }
                pieces.append(Piece(start: i, length: length, letter: plain))
                isChanged = true
            } else {
                if let letter = Self.lookalikes[scalar] {
                    suspects.append((pieces.count, length, letter))
                } else if !scalar.properties.isAlphabetic {
                    endWord()
                }
                pieces.append(Piece(start: i, length: length, letter: nil))
            }
            i += length
        }
        endWord()
        guard isChanged else { return nil }
        write(pieces, original)
    }

    private struct Piece {
        var start: Int
        var length: Int
        /// What stands for it; `nil` is itself, 0 nothing.
        var letter: UInt8?
    }

    private mutating func write(_ pieces: [Piece], _ original: [UInt8]) {
        bytes.reserveCapacity(original.count)
        starts.reserveCapacity(original.count)
        ends.reserveCapacity(original.count)
        for piece in pieces {
            let end = Int32(piece.start + piece.length)
            if let letter = piece.letter {
                guard letter != 0 else { continue }
                bytes.append(letter)
                starts.append(Int32(piece.start))
                ends.append(end)
            } else {
                for k in piece.start..<(piece.start + piece.length) {
                    bytes.append(original[k])
                    starts.append(Int32(piece.start))
                    ends.append(end)
                }
            }
        }
    }

    /// Takes no room: zero-width spaces and joiners, soft hyphens, direction marks, and what draws a digit as a key.
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x34F, 0x61C, 0x180E, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2064, 0x2066...0x206F, 0x20E3,
            0xFE00...0xFE0F, 0xFEFF, 0xE0000...0xE007F:
            true
        default: false
        }
    }

    /// The ASCII character that a styled one is another form of (UAX #15, compatibility forms).
    static func compatible(_ scalar: Unicode.Scalar) -> UInt8? {
        let value = scalar.value
        switch value {
        case 0xFF01...0xFF5E: return UInt8(value - 0xFF01 + 0x21)
        case 0x1D400...0x1D6A3:
            // Thirteen alphabets of 52; the few holes in them are other characters.
            let place = (value - 0x1D400) % 52
            return UInt8(place < 26 ? 0x41 + place : 0x61 + place - 26)
        case 0x1D7CE...0x1D7FF: return UInt8(0x30 + (value - 0x1D7CE) % 10)
        case 0x24B6...0x24CF: return UInt8(0x41 + value - 0x24B6)
        case 0x24D0...0x24E9: return UInt8(0x61 + value - 0x24D0)
        case 0x2460...0x2468: return UInt8(0x31 + value - 0x2460)
        case 0x24EA: return 0x30
        case 0x1F130...0x1F149: return UInt8(0x41 + value - 0x1F130)
        case 0x660...0x669: return UInt8(0x30 + value - 0x660)
        case 0x6F0...0x6F9: return UInt8(0x30 + value - 0x6F0)
        case 0x966...0x96F: return UInt8(0x30 + value - 0x966)
        case 0x2070, 0x2074...0x2079: return UInt8(0x30 + value - 0x2070)
        case 0x2080...0x2089: return UInt8(0x30 + value - 0x2080)
        case 0xB9: return 0x31
        case 0xB2, 0xB3: return UInt8(0x30 + value - 0xB0)
        case 0xFE6B: return UInt8(ascii: "@")
        case 0x2024, 0xFE52, 0x3002, 0xFF61: return UInt8(ascii: ".")
        case 0x2212: return UInt8(ascii: "-")
        default: return nil
        }
    }

    /// Letters of other scripts that cannot be told from Latin ones by eye.
    private static let lookalikes: [Unicode.Scalar: UInt8] = {
        let rows: [(String, String)] = [
            ("АВЕКМНОРСТУХЅІЈԚԜ", "ABEKMHOPCTYXSIJQW"), ("асеорхуѕіјһԁԛԝӏѵ", "aceopxysijhdqwlv"),
            ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"), ("αονιρυκ", "aoviruk"), ("ɑɡıοօցհո", "agioogho"),
        ]
        var map: [Unicode.Scalar: UInt8] = [:]
        for (from, to) in rows {
            for (scalar, letter) in zip(from.unicodeScalars, to.utf8) { map[scalar] = letter }
        }
        return map
    }()
}

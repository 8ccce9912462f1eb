import Hashing

/// Addresses of digital currencies: Bitcoin's by their checksums (Base58Check; Bech32 of BIP 173 and Bech32m of BIP 350), Ethereum's
/// by their form.
struct CryptoRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit, text.bytes.count >= 26 else { return }
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            guard let run = AlphanumericRun(text, at: i, longest: 90) else {
                i += 1
                continue
            }
            if run.bytes.count >= 26, Self.isAddress(run.bytes) {
                candidates.append(
                    Candidate(entity: .crypto, start: tokens[i].start, end: tokens[run.last].end, score: 0.95))
            }
            i = run.last + 1
        }
    }

    static func isAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let head = bytes.first else { return false }
        if head == UInt8(ascii: "0"), bytes.count == 42, bytes.dropFirst().first == UInt8(ascii: "x") {
            return bytes.dropFirst(2).allSatisfy { ScannedText.isDigit($0) || ($0 | 0x20) &- 0x61 < 6 }
        }
        if head == UInt8(ascii: "1") || head == UInt8(ascii: "3") { return bytes.count <= 35 && isBase58Check(bytes) }
        if head | 0x20 == UInt8(ascii: "b") { return isBech32(bytes) }
        return false
    }

    private static let base58 = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    /// 25 bytes, the last four of which begin the double SHA-256 of the others.
    static func isBase58Check(_ text: ArraySlice<UInt8>) -> Bool {
        var number = [UInt8](repeating: 0, count: 25)
        for character in text {
            guard let digit = base58.firstIndex(of: character) else { return false }
            var carry = digit
            for k in number.indices.reversed() {
                carry += Int(number[k]) * 58
                number[k] = UInt8(carry & 0xFF)
                carry >>= 8
            }
            guard carry == 0 else { return false }
        }
        let sum = SHA256.hash(SHA256.hash(number[..<21]))
        return sum.prefix(4).elementsEqual(number[21...])
    }

    private static let bech32 = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// `bc1…` whose 30-bit checksum is 1 (Bech32) or 0x2bc830a3 (Bech32m).
    static func isBech32(_ text: ArraySlice<UInt8>) -> Bool {
        let bytes = text.map { ScannedText.isLetter($0) ? $0 | 0x20 : $0 }
        guard bytes.count >= 14, bytes.starts(with: Array("bc1".utf8)) else { return false }
        var values: [UInt32] = [3, 3, 0, 2, 3]  // "bc", its high bits, a zero, its low bits
        for byte in bytes.dropFirst(3) {
            guard let value = bech32.firstIndex(of: byte) else { return false }
            values.append(UInt32(value))
        }
        var sum: UInt32 = 1
        for value in values {
            let top = sum >> 25
            sum = (sum & 0x1FF_FFFF) << 5 ^ value
            let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
            for (bit, generator) in generators.enumerated() where top >> UInt32(bit) & 1 == 1 { sum ^= generator }
        }
        return sum == 1 || sum == 0x2bc8_30a3
    }
}

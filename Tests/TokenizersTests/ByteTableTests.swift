import Testing

@testable import Tokenizers

@Suite struct ByteTableTests {
    /// The bytes of a number as the hash reads them.
    private func bytes(_ word: UInt64) -> [UInt8] { withUnsafeBytes(of: word) { Array($0) } }

    @Test func wordsCraftedForOneSeedAreSpreadByAnother() {
        let known = ByteTable.Seed(start: 0x9E37_79B9_7F4A_7C15, factor: 0xD6E8_FEB8_6659_FD93)
        // The second half of each word undoes what the hash made of the first.
        let words = (0..<2000).map { number -> [UInt8] in
            let first = UInt64(number)
            let product = (known.start ^ 16 ^ first).multipliedFullWidth(by: known.factor)
            return bytes(first) + bytes(product.high ^ product.low)
        }
        func hashes(_ seed: ByteTable.Seed) -> [UInt64] {
            words.map { word in word.withUnsafeBufferPointer { ByteTable.hash($0, seed) } }
        }
        #expect(Set(hashes(known)).count == 1)
        var table = ByteTable()
        #expect(table.seed == ByteTable.Seed.ofProcess && table.seed != known)
        #expect(Set(hashes(table.seed).map { $0 & 0xFFFF }).count > 1800)
        // The numbers are those of the order, whatever the seed.
        let numbers = words.map { table.insert($0) }
        #expect(numbers == Array(0..<words.count))
        #expect(table.find(words[1234]) == 1234 && table.count == words.count)
    }
}

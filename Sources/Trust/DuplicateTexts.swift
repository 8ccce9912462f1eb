import Foundation

/// Finds texts that are nearly the same, and people who vote on them again and again.
///
/// MinHash over word triples (Broder 1997): 16 hashes in 4 bands of 4 bring together texts that share about seven triples in
/// ten; groups are the connected texts.
public struct DuplicateTexts: Sendable {
    /// Per item a number that items with nearly the same text share; `nil` for items without a text.
    public let groupOfItem: [Int?]

    private static let bands = 4
    private static let rows = 4

    /// - Parameter texts: The text of each item by its number, `nil` where it has none.
    public init(_ texts: [String?]) {
        var joined = UnionFind(texts.count)
        var seen: [UInt64: Int] = [:]
        for (item, text) in texts.enumerated() {
            guard let text else { continue }
            for (band, key) in Self.signature(text).enumerated() {
                let place = Self.mix(key &+ UInt64(band))
                if let other = seen[place] { joined.join(item, other) } else { seen[place] = item }
            }
        }
        groupOfItem = texts.indices.map { texts[$0] == nil ? nil : joined.root($0) }
    }

    /// People of whose votes at least five, and half, are on one group of nearly equal texts that is rare with others.
    func repeats(_ ballots: Ballots) -> [(user: Int, votes: Int, label: Int)] {
        let classes = ballots.classCount
        var sizes: [Int: Int] = [:]
        for item in 0..<ballots.items.count {
            if let group = groupOfItem[item] { sizes[group, default: 0] += ballots.votes(onItem: item) }
        }
        var found: [(user: Int, votes: Int, label: Int)] = []
        for user in 0..<ballots.users.count where ballots.votes(ofUser: user) >= 5 {
            var own: [Int: [Int]] = [:]
            for label in 0..<classes {
                let cell = user * classes + label
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    guard let group = groupOfItem[Int(ballots.itemOfVote[place])] else { continue }
                    own[group, default: [Int](repeating: 0, count: classes)][label] += 1
                }
            }
            guard let most = own.max(by: { ($0.value.reduce(0, +), $1.key) < ($1.value.reduce(0, +), $0.key) }) else {
                continue
            }
            let votes = most.value.reduce(0, +)
            guard votes >= 5, votes * 2 >= ballots.votes(ofUser: user), (sizes[most.key] ?? 0) * 10 < ballots.count
            else {
                continue
            }
            found.append((user, votes, most.value.firstIndex(of: most.value.max() ?? 0) ?? 0))
        }
        return found
    }

    /// One hash per band.
    private static func signature(_ text: String) -> [UInt64] {
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }.map { word in
            word.utf8.reduce(0xcbf2_9ce4_8422_2325) { (hash: UInt64, byte) in (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        var smallest = [UInt64](repeating: .max, count: bands * rows)
        for place in 0..<max(1, words.count - 2) {
            var shingle: UInt64 = 0
            for word in words.dropFirst(place).prefix(3) { shingle = mix(shingle ^ word) }
            for hash in smallest.indices {
                smallest[hash] = min(smallest[hash], mix(shingle ^ UInt64(hash + 1) &* 0x9e37_79b9_7f4a_7c15))
            }
        }
        return (0..<bands).map { band in
            smallest[band * rows..<(band + 1) * rows].reduce(0) { mix($0 ^ $1) }
        }
    }

    private static func mix(_ word: UInt64) -> UInt64 {
        var z = word &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// The tokens of a model by id and by spelling. Spellings are compared as bytes.
struct TokenVocabulary: Sendable {
    /// More tokens than any published vocabulary has (Gemma's has 262,144).
    static let mostTokens = 1 << 22
    /// A longer token is a mistake or an attack.
    static let longestToken = 1 << 14

    private var table: ByteTable
    private var ids: [Int32] = []
    /// The number in `table` by id; −1 where there is no such id.
    private var places: [Int32] = []

    /// - Parameter field: the object of spellings and ids, `vocab`.
    init(object field: JSONField) throws {
        let object = try field.object(limit: Self.mostTokens)
        table = ByteTable(minimumCapacity: object.count)
        ids.reserveCapacity(object.count)
        places.reserveCapacity(object.count)
        let largest = 4 * object.count + 65_536
        try object.forEachMember { key, value in
            let spelling = key.utf8 ?? []
            let name = String(decoding: spelling.prefix(64), as: UTF8.self)
            guard let id = value.int else {
                throw field.fault(.malformed, "the id of \"\(name)\" is not a whole number")
            }
            guard (0..<largest).contains(id) else {
                throw field.fault(.malformed, "\"\(name)\" has the id \(id), which is out of range")
            }
            try add(spelling, id: id, field)
        }
    }

    /// - Parameter field: a list of spellings with scores, `vocab` of a Unigram model; ids are the places in it.
    init(scores field: JSONField, _ score: (Double) -> Void) throws {
        let list = try field.array(limit: Self.mostTokens)
        table = ByteTable(minimumCapacity: list.count)
        var id = 0
        try list.forEachElement { entry in
            var parts: [JSONValue] = []
            if entry.count == 2 { entry.forEachElement { parts.append($0) } }
            guard parts.count == 2, let spelling = parts[0].utf8, let number = parts[1].double else {
                throw field.fault(.malformed, "entry \(id) is not a token with its score")
            }
            try add(spelling, id: id, field)
            score(number)
            id += 1
        }
    }

    private mutating func add(_ spelling: [UInt8], id: Int, _ field: JSONField) throws {
        let name = String(decoding: spelling.prefix(64), as: UTF8.self)
        guard spelling.count <= Self.longestToken else {
            throw field.fault(.unsupported, "\"\(name)…\" has \(spelling.count) bytes, more than \(Self.longestToken)")
        }
        let place = table.insert(spelling)
        guard place == ids.count else { throw field.fault(.malformed, "\"\(name)\" is given twice") }
        ids.append(Int32(id))
        while places.count <= id { places.append(-1) }
        guard places[id] < 0 else { throw field.fault(.malformed, "id \(id) is given twice, also to \"\(name)\"") }
        places[id] = Int32(place)
    }

    /// How many tokens there are.
    var count: Int { ids.count }
    /// One more than the largest id.
    var bound: Int { places.count }

    func id(of spelling: UnsafeBufferPointer<UInt8>) -> Int32? { table.find(spelling).map { ids[$0] } }

    func id(of spelling: some Sequence<UInt8>) -> Int32? { table.find(spelling).map { ids[$0] } }

    /// The spelling of an id; `nil` when there is no such id.
    func spelling(of id: Int) -> ArraySlice<UInt8>? {
        guard places.indices.contains(id), places[id] >= 0 else { return nil }
        return table[Int(places[id])]
    }

    /// Calls `body` with every token.
    func forEachToken(_ body: (_ spelling: ArraySlice<UInt8>, _ id: Int32) -> Void) {
        for place in ids.indices { body(table[place], ids[place]) }
    }
}

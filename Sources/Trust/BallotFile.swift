import Foundation

/// A `votes.csv` (`user,item,label[,time]`) read straight into numbers: ten million lines in seconds, for any number of
/// classes. `VoteFile` reads the same files into single votes, for methods that look at content.
public struct BallotFile: Sendable {
    /// What the labels may be.
    public enum Labels: Sendable, Hashable {
        /// Thumbs, in the words that `VoteFile` knows.
        case thumbs
        /// These classes and no others.
        case named([String])
        /// Whatever the file has; classes are sorted by name.
        case any

        /// - Throws: `TrustError` for named classes that nothing can be told apart by: fewer than two, more than
        ///   `maximumClasses`, or two of one name.
        public func check() throws {
            guard case .named(let names) = self else { return }
            let list = names.joined(separator: ", ")
            guard (2...BallotFile.maximumClasses).contains(names.count) else {
                throw TrustError(
                    .settings,
                    "2 to \(BallotFile.maximumClasses) classes are needed, not \(names.count)\(names.count == 1 ? " (\(list))" : "")"
                )
            }
            guard Set(names).count == names.count, !names.contains("") else {
                throw TrustError(.settings, "the classes need different names: \(list)")
            }
        }
    }

    public let ballots: Ballots
    /// The first lines that are not votes, with the reason.
    public let skipped: [VoteFile.Skipped]
    /// How many lines are not votes.
    public let skippedCount: Int

    /// The most classes that a file may have.
    public static let maximumClasses = 64
    /// The most skipped lines that are named.
    public static let maximumNamed = 1000

    /// Reads a file.
    /// - Throws: `TrustError` when it cannot be read, a column is missing, it holds no vote at all, or most of its labels are
    ///   no thumbs, or classes were named that are not two different ones at least.
    public init(_ url: URL, labels: Labels = .thumbs) throws {
        let data: Data
        do {
            data = try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            throw TrustError(.file, "cannot read \(url.lastPathComponent): \(error.localizedDescription)")
        }
        try self.init(data, file: url.lastPathComponent, labels: labels)
    }

    /// Reads the bytes of a file; `file` is its name for messages.
    public init(_ data: Data, file: String, labels: Labels = .thumbs) throws {
        try labels.check()
        var reader = Reader(file: file, labels: labels)
        try data.withUnsafeBytes { try reader.read($0.bindMemory(to: UInt8.self)) }
        guard reader.sawHeader else {
            throw TrustError(.file, "\(file) is empty: expected the columns user,item,label")
        }
        (skipped, skippedCount) = (reader.skipped, reader.skippedCount)
        let first = reader.skipped.first.map { "; line \($0.line): \($0.reason)" } ?? ""
        guard !reader.columns.users.isEmpty else { throw TrustError(.noVotes, "\(file) holds no votes\(first)") }
        if labels == .thumbs, reader.unknownLabels * 10 > reader.columns.users.count, reader.unknownLabels >= 10 {
            throw TrustError(
                .file,
                "\(file): \(reader.unknownLabels) of \(reader.columns.users.count + reader.skippedCount) labels are no thumbs"
                    + "\(first). Name the classes, or take every label as one")
        }
        ballots = try reader.finish()
    }
}

extension BallotFile {
    /// Goes through the bytes once; names are looked up as bytes, and no string is made for a vote.
    fileprivate struct Reader {
        let file: String
        let labels: Labels
        var users = NameTable()
        var items = NameTable()
        var classes = NameTable()
        var columns = Ballots.Columns()
        var skipped: [VoteFile.Skipped] = []
        var skippedCount = 0
        var unknownLabels = 0
        var sawHeader = false
        private var places = (user: 0, item: 0, label: 0, time: -1)

        init(file: String, labels: Labels) {
            self.file = file
            self.labels = labels
            switch labels {
            case .thumbs: classes = NameTable(["0", "1"])
            case .named(let names): classes = NameTable(names)
            case .any: break
            }
        }

        mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws {
            var position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
            var line = 1
            var fields: [Range<Int>] = []
            var unquoted: [Int: [UInt8]] = [:]
            while position < bytes.count {
                let first = line
                fields.removeAll(keepingCapacity: true)
                if !unquoted.isEmpty { unquoted.removeAll() }
                var isQuoted = false
                var start = position
                record: while true {
                    guard position < bytes.count else {
                        fields.append(start..<position)
                        break
                    }
                    switch bytes[position] {
                    case UInt8(ascii: ","):
                        fields.append(start..<position)
                        position += 1
                        start = position
                    case UInt8(ascii: "\n"):
                        let end =
                            position > start && bytes[position - 1] == UInt8(ascii: "\r") ? position - 1 : position
                        fields.append(start..<end)
                        position += 1
                        line += 1
                        break record
                    case UInt8(ascii: "\""):
                        // Rare: the field is taken apart into bytes of its own.
                        isQuoted = true
                        var text = Array(bytes[start..<position])
                        try unquote(bytes, &position, &line, into: &text, field: fields.count + 1, first: first)
                        unquoted[fields.count] = text
                    default:
                        position += 1
                    }
                }
                if fields.count == 1, fields[0].isEmpty, !isQuoted { continue }
                if isQuoted {
                    try take(fields.indices.map { unquoted[$0] ?? Array(bytes[fields[$0]]) }, line: first)
                } else {
                    try take(fields, of: bytes, line: first)
                }
            }
        }

        /// From an opening quote to the end of its field.
        private func unquote(
            _ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int, _ line: inout Int, into text: inout [UInt8],
            field: Int, first: Int
        ) throws {
            let quote = UInt8(ascii: "\"")
            var inside = true
            position += 1
            while position < bytes.count {
                let byte = bytes[position]
                if inside {
                    position += 1
                    if byte != quote {
                        if byte == UInt8(ascii: "\n") { line += 1 }
                        text.append(byte)
                    } else if position < bytes.count, bytes[position] == quote {
                        text.append(quote)
                        position += 1
                    } else {
                        inside = false
                    }
                } else if byte == quote {
                    inside = true
                    position += 1
                } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") {
                    return
                } else {
                    position += 1
                    if byte != UInt8(ascii: "\r") || position < bytes.count && bytes[position] != UInt8(ascii: "\n") {
                        text.append(byte)
                    }
                }
            }
            if inside { throw TrustError(.file, "\(file), line \(first): a quote in field \(field) is never closed") }
        }

        /// A record with quotes in it, through a copy without them.
        private mutating func take(_ fields: [[UInt8]], line: Int) throws {
            var joined: [UInt8] = []
            let ranges = fields.map { field in
                joined += field
                return joined.count - field.count..<joined.count
            }
            try joined.withUnsafeBufferPointer { try take(ranges, of: $0, line: line) }
        }

        private mutating func take(_ fields: [Range<Int>], of bytes: UnsafeBufferPointer<UInt8>, line: Int) throws {
            guard sawHeader else { return try readHeader(fields, of: bytes, line: line) }
            func field(_ place: Int) -> UnsafeBufferPointer<UInt8>? {
                guard place >= 0, place < fields.count else { return nil }
                let range = fields[place]
                var (low, high) = (range.lowerBound, range.upperBound)
                while low < high, isBlank(bytes[low]) { low += 1 }
                while low < high, isBlank(bytes[high - 1]) { high -= 1 }
                return low < high ? UnsafeBufferPointer(rebasing: bytes[low..<high]) : nil
            }
            guard let user = field(places.user) else { return skip(line, "field “user” is missing or empty") }
            guard let item = field(places.item) else { return skip(line, "field “item” is missing or empty") }
            guard let label = field(places.label) else { return skip(line, "field “label” is missing or empty") }
            guard let number = try self.label(label, line: line) else { return }
            var time = Double.nan
            if let text = field(places.time) {
                guard let seconds = VoteTime.seconds(text) else {
                    let shown = String(decoding: text.prefix(40), as: UTF8.self)
                    return skip(line, "field “time” is “\(shown)”, neither ISO 8601 nor seconds")
                }
                time = seconds
            }
            let (userCount, itemCount) = (users.count, items.count)
            let userNumber = users.number(adding: user)
            if users.count > userCount { try check(user, "user", line) }
            let itemNumber = items.number(adding: item)
            if items.count > itemCount { try check(item, "item", line) }
            columns.users.append(UInt32(userNumber))
            columns.items.append(UInt32(itemNumber))
            columns.labels.append(UInt8(number))
            if !columns.times.isEmpty {
                columns.times.append(time)
            } else if !time.isNaN {
                columns.times = [Double](repeating: .nan, count: columns.users.count - 1) + [time]
            }
        }

        private mutating func readHeader(
            _ fields: [Range<Int>], of bytes: UnsafeBufferPointer<UInt8>, line: Int
        ) throws {
            var found: [String: Int] = [:]
            let names = fields.map { String(decoding: bytes[$0], as: UTF8.self) }
            for (place, name) in names.enumerated() {
                found[name.trimmingCharacters(in: .whitespaces).lowercased()] = place
            }
            guard let user = found["user"], let item = found["item"], let label = found["label"] else {
                let missing = ["user", "item", "label"].first { found[$0] == nil } ?? ""
                throw TrustError(
                    .file,
                    "\(file), line \(line): the header has no column “\(missing)”; found \(names.joined(separator: ", "))"
                )
            }
            places = (user, item, label, found["time"] ?? -1)
            sawHeader = true
        }

        /// The number of a label, or `nil` after the line was skipped.
        private mutating func label(_ text: UnsafeBufferPointer<UInt8>, line: Int) throws -> Int? {
            switch labels {
            case .thumbs:
                if text.count == 1 {
                    if text[0] == UInt8(ascii: "1") { return 1 }
                    if text[0] == UInt8(ascii: "0") { return 0 }
                }
                let word = String(decoding: text.prefix(40), as: UTF8.self)
                if let isUp = VoteFile.isUp(word) { return isUp ? 1 : 0 }
                unknownLabels += 1
                skip(line, "field “label” is “\(word)”, neither a thumb up (1) nor down (0)")
                return nil
            case .named:
                let word = String(decoding: text, as: UTF8.self)
                if let number = classes.number(of: word) { return number }
                unknownLabels += 1
                skip(line, "field “label” is “\(word.prefix(40))”, none of \(classes.strings.joined(separator: ", "))")
                return nil
            case .any:
                let known = classes.count
                let number = classes.number(adding: text)
                if classes.count > known {
                    try check(text, "label", line)
                    guard classes.count <= BallotFile.maximumClasses else {
                        throw TrustError(
                            .file, "\(file), line \(line): more than \(BallotFile.maximumClasses) different labels")
                    }
                }
                return number
            }
        }

        private func check(_ text: UnsafeBufferPointer<UInt8>, _ name: String, _ line: Int) throws {
            guard String(validating: text, as: UTF8.self) != nil else {
                throw TrustError(.file, "\(file), line \(line), field “\(name)”: not valid UTF-8")
            }
        }

        private mutating func skip(_ line: Int, _ reason: String) {
            skippedCount += 1
            if skipped.count < BallotFile.maximumNamed { skipped.append(.init(line: line, reason: reason)) }
        }

        private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

        /// Classes that were found in the file are put in order, numbers as numbers.
        mutating func finish() throws -> Ballots {
            var names = classes.strings
            if labels == .any {
                // Neither `nan` among numbers nor two ways to write one may leave the order to that of the rows.
                let values = names.compactMap(Double.init).filter { !$0.isNaN }
                let areNumbers = values.count == names.count
                let order = names.indices.sorted { a, b in
                    if areNumbers, values[a] != values[b] { return values[a] < values[b] }
                    if names[a] != names[b] { return names[a] < names[b] }
                    return names[a].utf8.lexicographicallyPrecedes(names[b].utf8)
                }
                var rank = [UInt8](repeating: 0, count: names.count)
                for (place, number) in order.enumerated() { rank[number] = UInt8(place) }
                columns.labels = columns.labels.map { rank[Int($0)] }
                names = order.map { names[$0] }
                // One class alone leaves nothing to tell apart, but a second one keeps the arithmetic whole.
                if names.count == 1 { names.append(names[0] == "other" ? "another" : "other") }
            }
            return try Ballots(classes: names, users: users, items: items, columns: columns)
        }
    }
}

/// Times as they stand in votes: seconds since 1970, or ISO 8601.
enum VoteTime {
    static func seconds(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        if let seconds = digits(text) { return seconds }
        if let seconds = plainDate(text) { return seconds }
        let word = String(decoding: text, as: UTF8.self)
        if let seconds = Double(word), seconds.isFinite { return seconds }
        return (try? Date(word, strategy: .iso8601))?.timeIntervalSince1970
    }

    /// Up to 18 digits and nothing else.
    private static func digits(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard (1...18).contains(text.count) else { return nil }
        var value = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return Double(value)
    }

    /// `2024-05-01T10:00:00Z` exactly, which most logs have: Foundation takes microseconds for each.
    private static func plainDate(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard text.count == 20 else { return nil }
        let pattern: StaticString = "0000-00-00T00:00:00Z"
        var parts = (0, 0, 0, 0, 0, 0)
        var part = 0
        for index in 0..<20 {
            let mark = pattern.utf8Start[index]
            guard mark == 0x30 else {
                guard text[index] == mark else { return nil }
                part += 1
                continue
            }
            guard text[index] >= 0x30, text[index] <= 0x39 else { return nil }
            let digit = Int(text[index] - 0x30)
            switch part {
            case 0: parts.0 = parts.0 * 10 + digit
            case 1: parts.1 = parts.1 * 10 + digit
            case 2: parts.2 = parts.2 * 10 + digit
            case 3: parts.3 = parts.3 * 10 + digit
            case 4: parts.4 = parts.4 * 10 + digit
            default: parts.5 = parts.5 * 10 + digit
            }
        }
        let (year, month, day, hour, minute, second) = parts
        guard (1...12).contains(month), (1...days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second < 60
        else { return nil }
        // Days since 1970 in the Gregorian calendar, years counted from March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Double((era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

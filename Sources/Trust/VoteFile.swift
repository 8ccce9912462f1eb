import Foundation

/// Votes read from a `votes.csv` with the columns `user,item,label[,time]` in any order, and what was left out.
public struct VoteFile: Sendable {
    /// A line that is not a vote.
    public struct Skipped: Sendable, Hashable {
        public var line: Int
        /// Which field and why.
        public var reason: String
    }

    public var votes: [Vote]
    public var skipped: [Skipped]

    /// Reads a file.
    ///
    /// A label is `1 +1 up like good true yes` or `0 -1 down dislike bad false no`, in any case; a time is ISO 8601 or
    /// seconds since 1970. A line that is not a vote is skipped and named.
    /// - Throws: `TrustError` when the file cannot be read, a column is missing, or it holds no vote at all.
    public init(_ url: URL) throws {
        try self.init(read(url), file: url.lastPathComponent)
    }

    /// Reads the bytes of a file; `file` is its name for messages.
    public init(_ data: Data, file: String) throws {
        var columns: Columns?
        var votes: [Vote] = []
        var skipped: [Skipped] = []
        try CSV.forEach(data, file: file) { record in
            guard let names = columns else {
                columns = try Columns(record, required: ["user", "item", "label"], file: file)
                return
            }
            do {
                votes.append(try Self.vote(record, names))
            } catch let fault as Fault {
                skipped.append(Skipped(line: record.line, reason: fault.reason))
            }
        }
        guard columns != nil else { throw TrustError(.file, "\(file) is empty: expected the columns user,item,label") }
        guard !votes.isEmpty else {
            let first = skipped.first.map { "; line \($0.line): \($0.reason)" } ?? ""
            throw TrustError(.noVotes, "\(file) holds no votes\(first)")
        }
        (self.votes, self.skipped) = (votes, skipped)
    }

    /// Texts by item from a file with the columns `item,text`.
    /// - Throws: `TrustError` when the file cannot be read or a column is missing.
    public static func texts(_ url: URL) throws -> [String: String] {
        try pairs(url, "text")
    }

    /// What one column says of each item.
    private static func pairs(_ url: URL, _ column: String) throws -> [String: String] {
        var columns: Columns?
        var found: [String: String] = [:]
        let file = url.lastPathComponent
        try CSV.forEach(read(url), file: file) { record in
            guard let names = columns else {
                columns = try Columns(record, required: ["item", column], file: file)
                return
            }
            guard let item = names.value("item", record), let value = names.value(column, record) else {
                throw TrustError(.file, "\(file), line \(record.line): expected an item and a \(column)")
            }
            found[item] = value
        }
        guard columns != nil else { throw TrustError(.file, "\(file) is empty: expected the columns item,\(column)") }
        return found
    }

    /// A thumb in words: up, down, or neither.
    static func isUp(_ label: String) -> Bool? {
        switch label.lowercased() {
        case "1", "+1", "1.0", "up", "like", "good", "true", "yes": true
        case "0", "-1", "0.0", "-1.0", "down", "dislike", "bad", "false", "no": false
        default: nil
        }
    }

    /// Known classes by item from a file with the columns `item,label`.
    /// - Throws: `TrustError` when the file cannot be read or a column is missing.
    public static func gold(_ url: URL) throws -> [String: String] {
        try pairs(url, "label")
    }

    private static func vote(_ record: CSV.Record, _ columns: Columns) throws -> Vote {
        func required(_ name: String) throws -> String {
            guard let value = columns.value(name, record), !value.isEmpty else {
                throw Fault(reason: "field “\(name)” is missing or empty")
            }
            return value
        }
        let (user, item, label) = (try required("user"), try required("item"), try required("label"))
        guard let isUp = isUp(label) else {
            throw Fault(reason: "field “label” is “\(label.prefix(40))”, neither a thumb up (1) nor down (0)")
        }
        var time: Date?
        if let text = columns.value("time", record), !text.isEmpty {
            if let seconds = Double(text), seconds.isFinite {
                time = Date(timeIntervalSince1970: seconds)
            } else if let date = try? Date(text, strategy: .iso8601) {
                time = date
            } else {
                throw Fault(reason: "field “time” is “\(text.prefix(40))”, neither ISO 8601 nor seconds")
            }
        }
        return Vote(user: user, item: item, isUp: isUp, time: time)
    }

    private struct Fault: Error {
        let reason: String
    }

    private struct Columns {
        let places: [String: Int]

        init(_ header: CSV.Record, required: [String], file: String) throws {
            var places: [String: Int] = [:]
            for (place, name) in header.fields.enumerated() {
                places[name.trimmingCharacters(in: .whitespaces).lowercased()] = place
            }
            for name in required where places[name] == nil {
                throw TrustError(
                    .file,
                    "\(file), line \(header.line): the header has no column “\(name)”; "
                        + "found \(header.fields.joined(separator: ", "))")
            }
            self.places = places
        }

        func value(_ name: String, _ record: CSV.Record) -> String? {
            guard let place = places[name], record.fields.indices.contains(place) else { return nil }
            return record.fields[place].trimmingCharacters(in: .whitespaces)
        }
    }
}

private func read(_ url: URL) throws -> Data {
    do {
        return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
        throw TrustError(.file, "cannot read \(url.lastPathComponent): \(error.localizedDescription)")
    }
}

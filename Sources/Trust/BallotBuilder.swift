/// Gathers votes one by one.
public struct BallotBuilder: Sendable {
    /// Names of the classes.
    public let classes: [String]
    private var users = NameTable()
    private var items = NameTable()
    private var columns = Ballots.Columns()

    /// - Parameter classes: Two at least; thumbs are "0" and "1".
    public init(classes: [String] = ["0", "1"]) { self.classes = classes }

    /// Number of votes so far.
    public var count: Int { columns.users.count }

    /// - Parameters:
    ///   - label: Number of the class.
    ///   - time: Seconds since 1970, where known.
    /// - Throws: `TrustError` for a class that there is not.
    public mutating func add(user: String, item: String, label: Int, time: Double? = nil) throws {
        guard classes.indices.contains(label) else {
            throw TrustError(.file, "vote \(count) (user \(user), item \(item)): class \(label) of \(classes.count)")
        }
        columns.users.append(UInt32(users.number(adding: user)))
        columns.items.append(UInt32(items.number(adding: item)))
        columns.labels.append(UInt8(label))
        if !columns.times.isEmpty {
            columns.times.append(time ?? .nan)
        } else if let time {
            columns.times = [Double](repeating: .nan, count: columns.users.count - 1) + [time]
        }
    }

    /// - Throws: `TrustError` when there are no votes.
    public func ballots() throws -> Ballots {
        try Ballots(classes: classes, users: users, items: items, columns: columns)
    }
}

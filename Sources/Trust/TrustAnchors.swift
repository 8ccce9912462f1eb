import Foundation

/// What is known beyond doubt: items judged by raters or used to onboard people, and people who are staff.
public struct TrustAnchors: Sendable, Hashable {
    /// By item, whether it is good.
    public var items: [String: Bool]
    /// People who mean well.
    public var users: Set<String>

    public init(items: [String: Bool] = [:], users: Set<String> = []) {
        self.items = items
        self.users = users
    }

    /// Items from a file with the columns `item,label`; labels are the words that votes have.
    /// - Throws: `TrustError` when the file cannot be read, or naming the item whose label is none.
    public init(items url: URL, users: Set<String> = []) throws {
        let labels = try VoteFile.gold(url)
        items = [:]
        for (item, label) in labels.sorted(by: { $0.key < $1.key }) {
            guard let isGood = VoteFile.isUp(label) else {
                throw TrustError(
                    .file,
                    "\(url.lastPathComponent), item \(item): label “\(label.prefix(40))” is neither good (1) nor bad (0)"
                )
            }
            items[item] = isGood
        }
        self.users = users
    }

    public var isEmpty: Bool { items.isEmpty && users.isEmpty }
}

import LanguageModels

/// Keys and values of beginnings that have been computed before, shared by all requests and turns of one model.
///
/// A tree of token runs (a radix tree, as in SGLang: Zheng et al. 2023, arXiv 2312.07104): a beginning that many prompts
/// share is kept once, and the longest one of a new prompt is found token by token. What has not been used for longest
/// goes first when the memory is full; only leaves can go, since the rest stands on what is before it.
///
/// The nodes stand in a list by use, newest first. Whoever uses a node uses all before it too, and they are put in front of it: so
/// the last of the list never has children, and letting go takes the same time however much is kept.
///
/// Used inside the compute lane only: never by two threads at once.
public final class PrefixCache: @unchecked Sendable {
    private final class Node {
        var ids: [Int]
        var segment: KVSegment?
        var children: [Int: Node] = [:]
        /// The children are held by their parents, down from the root.
        weak var parent: Node?
        // Neighbours in the list by use. Both are held by their parents.
        weak var newer: Node?
        weak var older: Node?

        init(ids: [Int], segment: KVSegment?, parent: Node?) {
            self.ids = ids
            self.segment = segment
            self.parent = parent
        }
    }

    /// Most bytes of keys and values to keep.
    public let capacity: Int
    /// Bytes of keys and values kept now.
    public private(set) var byteCount = 0
    /// Tokens of prompts that were looked up, and those of them that were found.
    public private(set) var askedTokens = 0
    public private(set) var foundTokens = 0
    private var root = Node(ids: [], segment: nil, parent: nil)
    private weak var newest: Node?
    private weak var oldest: Node?

    /// - Parameter capacity: bytes; 0 keeps nothing.
    public init(capacity: Int) { self.capacity = max(capacity, 0) }

    /// How many tokens at the beginning of `ids` are kept.
    func matchCount(_ ids: [Int]) -> Int { path(ids).reduce(0) { $0 + $1.count } }

    /// Writes the longest beginning of a prompt that is kept into a fresh cache.
    /// - Returns: how many tokens that was; at least one token of the prompt is left over, since the model must see one
    ///   to say what comes next.
    func begin(_ cache: KVCache, prompt: [Int]) throws -> Int {
        askedTokens += prompt.count
        var left = prompt.count - 1
        let found = path(prompt)
        use(found.map(\.node))
        for (node, count) in found where left > 0 {
            guard let segment = node.segment else { continue }
            try cache.append(segment, count: min(count, left))
            left -= min(count, left)
        }
        foundTokens += prompt.count - 1 - left
        return prompt.count - 1 - left
    }

    /// Keeps the beginning that a cache holds.
    /// - Parameter ids: the tokens that the cache holds, from its first.
    func insert(_ ids: [Int], from cache: KVCache) throws {
        guard capacity > 0, !ids.isEmpty, ids.count <= cache.length else { return }
        let found = path(ids)
        use(found.map(\.node))
        var node = root
        var known = 0
        for (next, count) in found {
            known += count
            node = next
            if count < next.ids.count, known < ids.count { node = try split(next, at: count) }
        }
        if known < ids.count {
            let segment = try cache.segment(known..<ids.count)
            guard segment.byteCount <= capacity else { return }
            let leaf = Node(ids: Array(ids[known...]), segment: segment, parent: node)
            node.children[ids[known]] = leaf
            // Newer than all but what it stands on.
            use(lineage(of: leaf))
            byteCount += segment.byteCount
        }
        while byteCount > capacity, evict() {}
    }

    /// Forgets everything.
    public func removeAll() {
        root = Node(ids: [], segment: nil, parent: nil)
        byteCount = 0
    }

    /// The nodes along a prompt, with how many tokens of each it shares.
    private func path(_ ids: [Int]) -> [(node: Node, count: Int)] {
        var found: [(node: Node, count: Int)] = []
        var node = root
        var start = 0
        while start < ids.count, let next = node.children[ids[start]] {
            var count = 0
            while count < next.ids.count, start + count < ids.count, next.ids[count] == ids[start + count] {
                count += 1
            }
            found.append((next, count))
            start += count
            guard count == next.ids.count else { break }
            node = next
        }
        return found
    }

    /// Puts the first tokens of a node into a node of their own before it, and gives that.
    private func split(_ node: Node, at place: Int) throws -> Node {
        guard let segment = node.segment, let parent = node.parent else { return node }
        let (first, rest) = try segment.split(at: place)
        let front = Node(ids: Array(node.ids[..<place]), segment: first, parent: parent)
        parent.children[front.ids[0]] = front
        node.ids = Array(node.ids[place...])
        node.segment = rest
        node.parent = front
        front.children[node.ids[0]] = node
        enlist(front, before: node)
        return front
    }

    /// Lets go of the leaf that has not been used for longest.
    /// - Returns: whether there was one.
    private func evict() -> Bool {
        guard let leaf = oldest, leaf.children.isEmpty, let parent = leaf.parent else { return false }
        delist(leaf)
        parent.children[leaf.ids[0]] = nil
        byteCount -= leaf.segment?.byteCount ?? 0
        return true
    }

    // MARK: - The list by use

    /// From the root's child down to a node.
    private func lineage(of node: Node) -> [Node] {
        var found = [node]
        while let parent = found.last?.parent, parent !== root { found.append(parent) }
        return found.reversed()
    }

    /// Puts the nodes of a path, given from the root down, to the front: each before those that stand on it.
    private func use(_ path: [Node]) {
        for node in path.reversed() {
            delist(node)
            enlist(node, before: newest)
        }
    }

    /// Puts a node that is in no list in front of another; in front of `nil` is the list's only place.
    private func enlist(_ node: Node, before next: Node?) {
        node.newer = next?.newer
        node.older = next
        next?.newer?.older = node
        next?.newer = node
        if next == nil || next === newest { newest = node }
        if next == nil { oldest = node }
    }

    /// Takes a node out of the list; one that is in none stays as it is.
    private func delist(_ node: Node) {
        if newest === node { newest = node.older }
        if oldest === node { oldest = node.newer }
        node.newer?.older = node.older
        node.older?.newer = node.newer
        (node.newer, node.older) = (nil, nil)
    }
}

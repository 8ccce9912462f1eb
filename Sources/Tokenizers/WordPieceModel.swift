/// BERT's way with a word: the longest token that begins it, then the longest that carries on, and so on; a word that
/// cannot be covered is unknown.
struct WordPieceModel: Sendable {
    let vocabulary: TokenVocabulary
    let unknown: Int32
    /// Tokens that begin a word, and without their mark those that carry one on.
    private let beginning: TokenTrie
    private let continuing: TokenTrie
    /// In characters; longer words are unknown.
    private let longestWord: Int

    init(_ model: JSONField) throws {
        vocabulary = try TokenVocabulary(object: model["vocab"])
        let prefix = try model["continuing_subword_prefix"].utf8()
        longestWord = try model["max_input_chars_per_word"].int()
        let spelling = try model["unk_token"].utf8()
        guard let id = vocabulary.id(of: spelling) else {
            throw model["unk_token"].fault(
                .missingToken, "\"\(String(decoding: spelling, as: UTF8.self))\" is not in the vocabulary")
        }
        unknown = id
        var (first, rest): ([(key: [UInt8], value: Int32)], [(key: [UInt8], value: Int32)]) = ([], [])
        vocabulary.forEachToken { spelling, id in
            first.append((Array(spelling), id))
            if spelling.starts(with: prefix) { rest.append((Array(spelling.dropFirst(prefix.count)), id)) }
        }
        beginning = TokenTrie(first)
        continuing = TokenTrie(rest)
    }

    /// Appends the ids of a word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, _ workspace: Workspace, into ids: inout [Int]) {
        workspace.cache.append(word, to: &ids, append)
    }

    private func append(_ word: UnsafeBufferPointer<UInt8>, to tokens: inout [Int32]) {
        let length = word.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        guard length <= longestWord else { return tokens.append(unknown) }
        let mark = tokens.count
        var start = 0
        while start < word.count {
            guard let match = (start == 0 ? beginning : continuing).longestMatch(in: word, at: start) else {
                tokens.removeSubrange(mark...)
                return tokens.append(unknown)
            }
            tokens.append(match.value)
            start = match.end
        }
    }
}

import Foundation

/// Turns texts into weighted counts of words and word pairs: the classic bag-of-words baseline.
///
/// Terms are lower-case words of two or more letters or digits and their neighbours in pairs. Weight is
/// `(1 + ln tf) · (ln((1 + n) / (1 + df)) + 1)` and every row has length 1: scikit-learn's `TfidfVectorizer` with
/// `ngram_range=(1, 2), sublinear_tf=True`.
public struct TFIDF: Sendable, Hashable, Codable {
    /// The terms in column order.
    public let terms: [String]
    /// Inverse document frequency per term.
    public let idf: [Double]
    /// Longest run of words that makes a term.
    public let maximumWords: Int
    private let columns: [String: Int]

    /// Learns terms and their weights.
    /// - Parameters:
    ///   - texts: The training texts, and only those: what is scored later must not be among them.
    ///   - maximumWords: 1 for words, 2 for words and pairs.
    ///   - minimumDocuments: A term counts when at least this many texts hold it.
    ///   - maximumTerms: Keep only the terms that most texts hold; `nil` keeps all.
    public init(_ texts: [String], maximumWords: Int = 2, minimumDocuments: Int = 2, maximumTerms: Int? = nil) {
        var documents: [String: Int] = [:]
        for text in texts {
            for term in Set(Self.terms(of: text, upTo: maximumWords)) { documents[term, default: 0] += 1 }
        }
        var kept = documents.filter { $0.value >= minimumDocuments }.map { (term: $0.key, count: $0.value) }
        if let maximumTerms, kept.count > maximumTerms {
            kept.sort { ($1.count, $0.term.utf8Key) < ($0.count, $1.term.utf8Key) }
            kept.removeLast(kept.count - max(maximumTerms, 0))
        }
        kept.sort { $0.term.utf8Key < $1.term.utf8Key }
        terms = kept.map(\.term)
        idf = kept.map { log(Double(1 + texts.count) / Double(1 + $0.count)) + 1 }
        columns = Dictionary(uniqueKeysWithValues: zip(terms, 0...))
        self.maximumWords = maximumWords
    }

    /// One row per text. Terms that were not learned are left out; a text with none gives an empty row.
    public func transform(_ texts: [String]) -> SparseMatrix {
        let rows = texts.map { text -> [(column: Int, value: Float)] in
            var counts: [Int: Int] = [:]
            for term in Self.terms(of: text, upTo: maximumWords) {
                if let column = columns[term] { counts[column, default: 0] += 1 }
            }
            let weights = counts.sorted { $0.key < $1.key }.map {
                (column: $0.key, value: (1 + log(Double($0.value))) * idf[$0.key])
            }
            let length = weights.reduce(0) { $0 + $1.value * $1.value }.squareRoot()
            return weights.map { ($0.column, Float($0.value / length)) }
        }
        return SparseMatrix(columns: terms.count, sortedRows: rows)
    }

    /// Lower-case words of two or more letters, digits or underscores.
    static func words(of text: String) -> [String] {
        text.lowercased().split { character in
            !(character.isLetter || character.isNumber || character == "_")
        }.filter { $0.unicodeScalars.count > 1 }.map(String.init)
    }

    private static func terms(of text: String, upTo maximumWords: Int) -> [String] {
        let words = words(of: text)
        var terms = words
        guard maximumWords > 1 else { return terms }
        for length in 2...maximumWords where words.count >= length {
            for start in 0...(words.count - length) {
                terms.append(words[start..<start + length].joined(separator: " "))
            }
        }
        return terms
    }
}

extension String {
    /// Orders strings by code point: the same order on every platform.
    fileprivate var utf8Key: String.UTF8Key { UTF8Key(bytes: Array(utf8)) }

    fileprivate struct UTF8Key: Comparable {
        let bytes: [UInt8]
        static func < (a: UTF8Key, b: UTF8Key) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
    }
}

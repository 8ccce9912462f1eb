import Conversations
import Foundation

/// A search engine asked over HTTP: how a query is put, and how the answer is read.
public struct SearchServer: SearchProvider {
    /// What the server speaks.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// ParlAI's search server: `POST` with form fields `q` and `n`, `{"response": [{url, title, content}]}`.
        case parlai
        /// SearXNG: `GET …/search?q=…&format=json`, `{"results": [{url, title, content}]}`.
        case searxng
        /// Brave and those like it: `GET …?q=…&count=…` with a key, `{"web": {"results": [{url, title, description}]}}`.
        case brave
    }

    public let kind: Kind
    private let address: String
    private let key: String?
    private let client: WebClient
    private let retries: Retries

    public var name: String { kind.rawValue }

    /// - Parameters:
    ///   - address: the endpoint's URL; without a scheme it is taken for `http`, as in ParlAI.
    ///   - key: for `brave`, sent as `X-Subscription-Token`; never written down.
    public init(
        _ kind: Kind, address: String, key: String? = nil, client: WebClient = WebClient(),
        retries: Retries = Retries(count: 1)
    ) {
        self.kind = kind
        self.address = address.contains("://") ? address : "http://" + address
        self.key = key
        self.client = client
        self.retries = retries
    }

    public func documents(for query: String, count: Int) async throws -> [SearchDocument] {
        let query = String(query.prefix(400))
        let request = try request(query, count: count)
        let bytes = try await retries.run { try await client.body(of: request) }
        return Array(try Self.documents(in: bytes, of: kind).prefix(max(0, count)))
    }

    func request(_ query: String, count: Int) throws -> WebClient.Request {
        guard var parts = URLComponents(string: address) else {
            throw RemoteError(.badAddress, "not an address of HTTP")
        }
        var request = WebClient.Request(address)
        request.headers = [("Accept", "application/json"), ("User-Agent", "loam")]
        switch kind {
        case .parlai:
            request.method = "POST"
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            request.body = Array("q=\(Self.escaped(query))&n=\(count)".utf8)
            return request
        case .searxng:
            if !parts.path.hasSuffix("/search") { parts.path += parts.path.hasSuffix("/") ? "search" : "/search" }
            parts.percentEncodedQuery = "q=\(Self.escaped(query))&format=json"
        case .brave:
            parts.percentEncodedQuery = "q=\(Self.escaped(query))&count=\(count)"
            if let key { request.headers.append(("X-Subscription-Token", key)) }
        }
        guard let url = parts.string else { throw RemoteError(.badAddress, "not an address of HTTP") }
        request.url = url
        return request
    }

    private static func escaped(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }

    /// The documents of an answer, in its order; entries without text are passed over.
    static func documents(in bytes: [UInt8], of kind: Kind) throws -> [SearchDocument] {
        let fault = RemoteError(.badAnswer, "\(kind.rawValue): the answer is not what was agreed on")
        guard let object = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)),
            case .object(let fields) = object
        else { throw fault }
        var list: JSONValue?
        switch kind {
        case .parlai: list = fields["response"]
        case .searxng: list = fields["results"]
        case .brave:
            if case .object(let web)? = fields["web"] { list = web["results"] } else { list = fields["results"] }
        }
        // Nothing found is said by an empty list, by null, or by leaving it out.
        guard let list, list != .null else { return [] }
        guard case .array(let items) = list else { throw fault }
        return items.compactMap { item in
            guard case .object(let item) = item else { return nil }
            func text(_ names: String...) -> String {
                for name in names { if case .string(let text)? = item[name], !text.isEmpty { return text } }
                return ""
            }
            var content = text("content", "description", "snippet")
            if case .array(let more)? = item["extra_snippets"] {
                for case .string(let line) in more { content += "\n" + line }
            }
            guard !content.isEmpty else { return nil }
            return SearchDocument(title: text("title"), content: content, url: text("url", "link"))
        }
    }
}

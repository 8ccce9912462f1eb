import Conversations
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Storage
import Synchronization
import Testing

@testable import Server

/// A server made of a scripted model, a fresh store, a clock that the test moves and counted randomness.
struct Workbench: Sendable {
    let generator: ScriptedGenerator
    let store: SQLiteStore
    let host: ModelHost
    let server: WebServer
    let clock: TestClock
    let log: LogSheet

    var ready: ModelHost.State { .ready(PlainAnswerer(generator: generator)) }

    init(
        _ generator: ScriptedGenerator = ScriptedGenerator(), limits: ServerLimits = ServerLimits(),
        isLoading: Bool = false, canned: String? = nil, compareShare: Double = 0, files: URL? = nil,
        store: SQLiteStore? = nil, clock: TestClock = TestClock(), office: Office? = nil,
        beside: SideModels = SideModels(), requiresKeys: Bool = false, proxies: TrustedProxies = TrustedProxies()
    ) throws {
        self.generator = generator
        self.clock = clock
        let store = try store ?? SQLiteStore(now: { clock.now })
        self.store = store
        host = ModelHost(
            isLoading ? .loading : .ready(PlainAnswerer(generator: generator, canned: canned)), beside: beside,
            repliesAtOnce: limits.repliesAtOnce)
        let log = LogSheet()
        self.log = log
        let box = CounterBox()
        server = try WebServer(
            host: host, store: store, compareShare: compareShare, limits: limits,
            randomness: Randomness { count in box.bytes(count) }, now: { clock.now }, files: files,
            office: office, requiresKeys: requiresKeys, proxies: proxies,
            logger: Logger(label: "test") { _ in SheetLogHandler(sheet: log) })
    }
}

/// A clock that stands still until it is moved.
final class TestClock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: 1_700_000_000))
    var now: Date { time.withLock { $0 } }
    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }
}

/// Bytes that count up, so that ids differ and runs repeat.
final class CounterBox: Sendable {
    private let counter = Mutex(UInt64(0))

    func bytes(_ count: Int) -> [UInt8] {
        let value = counter.withLock {
            $0 += 1
            return $0
        }
        return (0..<count).map {
            $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) : UInt8(truncatingIfNeeded: $0)
        }
    }
}

/// Everything that was logged, as text.
final class LogSheet: Sendable {
    private let lines = Mutex([String]())
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

struct SheetLogHandler: LogHandler {
    let sheet: LogSheet
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    init(sheet: LogSheet) { self.sheet = sheet }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: Logging.LogEvent) {
        sheet.add("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
    }
}

/// One browser: keeps its cookie between requests.
final class Browser: Sendable {
    let client: any TestClientProtocol
    private let jar = Mutex<String?>(nil)

    init(_ client: any TestClientProtocol) { self.client = client }

    var cookie: String? { jar.withLock { $0 } }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, type: String = "application/json"
    ) async throws -> TestResponse {
        var headers: HTTPFields = [:]
        if let cookie { headers[.cookie] = cookie }
        if json != nil { headers[.contentType] = type }
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: json.map { ByteBuffer(string: $0) })
        if let set = response.headers[.setCookie] {
            let pair = String(set.prefix { $0 != ";" })
            jar.withLock { $0 = set.contains("Max-Age=0") ? nil : pair }
        }
        return response
    }

    /// Begins a conversation; gives its id.
    func begin(_ consent: String = "improve") async throws -> String {
        let response = try await send(.post, "/api/conversations", #"{"consent":"\#(consent)"}"#)
        try #require(response.status == .created)
        return try #require(response.object["id"] as? String)
    }

    /// Says something; gives the reply.
    @discardableResult
    func say(_ text: String, in id: String) async throws -> [String: any Sendable] {
        let body = String(decoding: try JSONEncoder().encode(["text": text]), as: UTF8.self)
        let response = try await send(.post, "/api/conversations/\(id)/messages", body)
        try #require(response.status == .ok)
        return try #require(response.events.last { $0.name == "reply" }?.object)
    }
}

/// A parsed server-sent event.
struct ParsedEvent: Sendable {
    var name: String
    var data: String
    var object: [String: any Sendable] { parse(data) }
}

func parse(_ text: String) -> [String: any Sendable] {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return [:] }
    return plain(value) as? [String: any Sendable] ?? [:]
}

/// JSON as plain Swift values; null becomes `JSONValue.null`, so that it can be told from an absent key.
func plain(_ value: JSONValue) -> any Sendable {
    switch value {
    case .null: JSONValue.null
    case .bool(let value): value
    case .number(let value): value
    case .string(let value): value
    case .array(let values): values.map(plain)
    case .object(let fields): fields.mapValues(plain)
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
    var object: [String: any Sendable] { parse(text) }
    var error: [String: any Sendable] { object["error"] as? [String: any Sendable] ?? [:] }
    var events: [ParsedEvent] {
        text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { block in
            var event = ParsedEvent(name: "", data: "")
            for line in block.split(separator: "\n") {
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
            }
            return event
        }
    }
}

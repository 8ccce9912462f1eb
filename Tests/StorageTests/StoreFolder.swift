import Conversations
import Foundation
import Storage
import Synchronization

/// A folder for a store that goes with the value, and a clock that the test moves.
final class StoreFolder: Sendable {
    let url: URL
    private let time = Mutex(Date(timeIntervalSince1970: 1_700_000_000))

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "loam-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var file: URL { url.appending(path: "store.sqlite") }
    var now: Date { time.withLock { $0 } }
    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }

    func store(at file: URL? = nil, busyTimeout: TimeInterval = 5) throws -> SQLiteStore {
        try SQLiteStore(at: file ?? self.file, busyTimeout: busyTimeout, now: { [self] in now })
    }
}

func chat(_ id: String, of user: String, consent: Consent = .improve, startedAt: Date? = nil) -> Conversation {
    Conversation(
        id: id, userID: user,
        messages: [
            Message(id: "1", sender: .human, text: "where is the kettle"),
            Message(id: "2", sender: .bot, text: "on the stove"),
            Message(id: "3", sender: .human, text: "thanks"),
        ], consent: consent, startedAt: startedAt)
}

extension ConversationStore {
    func all(consent: Consent = .improve, since: Date? = nil) async throws -> [Conversation] {
        var all: [Conversation] = []
        for try await conversation in conversations(consent: consent, since: since, pageSize: 3) {
            all.append(conversation)
        }
        return all
    }
}

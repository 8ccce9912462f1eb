import Conversations
import Foundation
import Storage
import Testing

@Suite("Store: memories and documents")
struct MemoryTests {
    private func memory(_ id: String, of user: String, in conversation: String? = "c", _ text: String = "I like tea.")
        -> Memory
    {
        Memory(
            id: id, userID: user, owner: .person, text: text, conversationID: conversation, messageID: "1",
            createdAt: Date(timeIntervalSince1970: 1_700_000_000), usedAt: nil, vector: [0.5, -1.25, 0])
    }

    @Test("kept whole, changed, forgotten, and seen by their person only", arguments: StoreKind.present)
    func roundTrip(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        try await store.save(chat("c", of: "u"))
        try await store.save(chat("d", of: "v"))
        var own = memory("m", of: "u")
        try await store.save(own)
        try await store.save(memory("n", of: "v", in: "d"))
        #expect(try await store.memories(of: "u") == [own])
        own.text = "I like tea and cake."
        own.usedAt = Date(timeIntervalSince1970: 1_700_000_500)
        own.vector = nil
        try await store.save(own)
        #expect(try await folder.open().memories(of: "u") == [own])
        // Another person's id, another person's conversation, a conversation that is gone.
        for stranger in [memory("n", of: "u"), memory("x", of: "u", in: "d"), memory("x", of: "u", in: "gone")] {
            await #expect(throws: StorageError.self) { try await store.save(stranger) }
        }
        try await store.forget(memory: "n", of: "u")
        #expect(try await store.memories(of: "v").count == 1)
        try await store.forget(memory: "m", of: "u")
        #expect(try await store.memories(of: "u").isEmpty)
        try await store.save(memory("own", of: "u", in: nil))
        try await store.forgetMemories(of: "u")
        #expect(try await store.memories(of: "u").isEmpty)
        #expect(try await store.memories(of: "v").count == 1)
    }

    @Test("memories go with their conversation and with their person", arguments: StoreKind.present)
    func deletion(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        try await store.save(chat("c", of: "u"))
        try await store.save(chat("e", of: "u"))
        try await store.save(memory("m", of: "u"))
        try await store.save(memory("k", of: "u", in: "e"))
        try await store.save(memory("own", of: "u", in: nil))
        try await store.setConsent(.none, conversationID: "c")
        #expect(try await store.memories(of: "u").map(\.id).sorted() == ["k", "own"])
        // A log that is imported again leaves them alone.
        try await store.save(chat("e", of: "u"))
        #expect(try await store.memories(of: "u").count == 2)
        try await store.delete(userID: "u")
        #expect(try await store.memories(of: "u").isEmpty)
    }

    @Test("what was remembered of a message goes with it when a log no longer has it", arguments: StoreKind.present)
    func messageTakenOut(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        try await store.save([chat("c", of: "u"), chat("e", of: "u")])
        // All of them name message 1; of `c` alone it goes.
        for memory in [memory("m", of: "u"), memory("k", of: "u", in: "e"), memory("own", of: "u", in: nil)] {
            try await store.save(memory)
        }
        var shorter = chat("c", of: "u")
        shorter.messages.removeFirst()
        try await store.save(shorter)
        #expect(try await store.memories(of: "u").map(\.id).sorted() == ["k", "own"])
    }

    @Test("an index of documents: words, stems, titles, and nothing a person types is an operator")
    func documents() async throws {
        let store = try StoreFolder().store()
        try await store.index(
            IndexedDocument(
                url: "tea.md", title: "Tea", passages: ["Pour hot water.", "Wait four minutes."], fingerprint: "1"))
        try await store.index(
            IndexedDocument(url: "cars.md", title: "Cars", passages: ["Water the engine? Never."], fingerprint: "2"))
        #expect(try await store.passages(matching: "waiting", limit: 5).map(\.content) == ["Wait four minutes."])
        #expect(try await store.passages(matching: "water tea", limit: 1).map(\.url) == ["tea.md"])
        #expect(try await store.passages(matching: "tea", limit: 9).count == 2)
        for odd in ["", "   ", "\" OR 1=1 --", "title:tea*", "NEAR(", "AND", "'; DROP TABLE passage; --", "*"] {
            _ = try await store.passages(matching: odd, limit: 5)
        }
        try await store.index(
            IndexedDocument(url: "tea.md", title: "Tea", passages: ["Use cold water."], fingerprint: "3"))
        #expect(try await store.documentFingerprints() == ["tea.md": "3", "cars.md": "2"])
        #expect(try await store.passages(matching: "minutes", limit: 5).isEmpty)
        try await store.removeDocument(url: "cars.md")
        let counts = try await store.documentCounts()
        #expect(counts.documents == 1 && counts.passages == 1)
        let search = LocalSearch(store: store, encoder: nil)
        #expect(
            try await search.documents(for: "cold?", count: 3)
                == [SearchDocument(title: "Tea", content: "Use cold water.", url: "tea.md")])
    }
}

@Suite("Store: files on their way into the index")
struct DocumentFileTests {
    @Test("txt, md and html are read; others, hidden and broken ones are not")
    func files() throws {
        let folder = try StoreFolder()
        func write(_ text: String, _ name: String) throws {
            let file = folder.url.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try write("intro\n# Making tea\n" + String(repeating: "water ", count: 150), "sub/tea.md")
        try write(
            "<html><head><title>Opening &amp; closing</title><style>b{}</style></head><body><!-- no --><p>Open at <b>ni</b>ne.</p><script>x()</script><p>Closed &#8211; Sunday</p></body>",
            "hours.html")
        try write("  \n", "empty.txt")
        try write("x", "picture.png")
        try write("x", ".hidden.txt")
        try Data([0xFF, 0xFE, 0x00]).write(to: folder.url.appending(path: "broken.txt"))
        let found = DocumentFile.files(in: folder.url)
        #expect(found.map(\.name) == ["broken.txt", "empty.txt", "hours.html", "sub/tea.md"])
        let outcomes = found.map { DocumentFile.read($0.file, name: $0.name) }
        #expect(outcomes[0] == .skipped("not UTF-8 text") && outcomes[1] == .skipped("no text"))
        guard case .document(let hours) = outcomes[2], case .document(let tea) = outcomes[3] else {
            Issue.record("two documents were expected")
            return
        }
        #expect(hours.title == "Opening & closing" && hours.passages == ["Open at nine. Closed – Sunday"])
        #expect(tea.title == "Making tea" && tea.url == "sub/tea.md")
        #expect(tea.passages.map { $0.split(separator: " ").count } == [100, 54])
        for odd in ["<", "<p", "&", "&;", "&#xFFFFFFFF;", "<!--", "<script>", "a < b & c", "<title>"] {
            try write(odd, "odd.html")
            _ = DocumentFile.read(folder.url.appending(path: "odd.html"), name: "odd.html")
        }
    }
}

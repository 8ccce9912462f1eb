import ArgumentParser
import Foundation
import Improvement
import Storage

struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Makes your own documents searchable for the bot.",
        discussion: """
            Reads txt, md and html files of a folder into the store; what has not changed is passed over, what is gone is
            taken out. The folder is all that is searched: another one takes its place. Then: loam chat --search local.

            Example: loam index handbook/ --store chats.sqlite
            """)

    @Argument(help: "The folder.")
    var folder: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var indexed: Int
        var unchanged: Int
        var removed: Int
        var skipped: [String]
        var documents: Int
        var passages: Int
    }

    func run() async throws {
        let root = URL(filePath: folder)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw ValidationError("\(folder): no such folder")
        }
        guard case .file(let path) = store.location else {
            throw ValidationError("loam index writes into a store in a file: --store FILE")
        }
        let store = try SQLiteStore(at: URL(filePath: path))
        let known = try await store.documentFingerprints()
        var answer = Answer(indexed: 0, unchanged: 0, removed: 0, skipped: [], documents: 0, passages: 0)
        var seen: Set<String> = []
        for (name, file) in DocumentFile.files(in: root) {
            switch DocumentFile.read(file, name: name) {
            case .skipped(let reason):
                answer.skipped.append("\(name): \(reason)")
                common.console.say("skipped \(name): \(reason)")
            case .document(let document):
                seen.insert(name)
                if known[name] == document.fingerprint {
                    answer.unchanged += 1
                } else {
                    try await store.index(document)
                    answer.indexed += 1
                }
            }
        }
        for gone in known.keys where !seen.contains(gone) {
            try await store.removeDocument(url: gone)
            answer.removed += 1
        }
        (answer.documents, answer.passages) = try await store.documentCounts()
        try common.console.result(answer)
        common.console.show(
            "\(answer.indexed) indexed, \(answer.unchanged) unchanged, \(answer.removed) removed, \(answer.skipped.count) "
                + "skipped: \(answer.documents) documents, \(answer.passages) passages in \(path)")
    }
}

import Dialogue
import Foundation
import Improvement
import Server

/// Which model a server answers with, changed one at a time: by an operator on the page, or because the registry says another.
actor ServedModel {
    private let host: ModelHost
    private let open: @Sendable (ModelRegistry.Entry) throws -> Opened
    /// Registry id of the model that answers, where it has one.
    private var current: String?
    /// One that could not be opened, which is not tried again and again.
    private var failed: String?

    /// A bot, and what the API serves beside it.
    typealias Opened = (bot: DialogueAgent, beside: SideModels)

    /// - Parameter open: opens a model; takes as long as that takes.
    init(host: ModelHost, current: String?, open: @escaping @Sendable (ModelRegistry.Entry) throws -> Opened) {
        self.host = host
        self.current = current
        self.open = open
    }

    /// From now on this model answers; replies that are being written finish with the one before.
    func serve(_ entry: ModelRegistry.Entry) async throws {
        guard entry.id != current else { return }
        let opened: Opened
        do { opened = try open(entry) } catch {
            failed = entry.id
            throw error
        }
        (current, failed) = (entry.id, nil)
        await host.offer(opened.beside)
        await host.become(.ready(opened.bot))
    }

    /// Looks at the registry every so often: another server, a command or a finished round may have promoted a model.
    func follow(_ registry: ModelRegistry, every pause: Duration = .seconds(5), console: Console) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            guard let entry = try? registry.serving(), entry.id != current, entry.id != failed else { continue }
            do {
                try await serve(entry)
                console.say("\(entry.id) serves now")
            } catch {
                console.say("\(entry.id) is promoted, but cannot be opened: \(error)")
            }
        }
    }
}

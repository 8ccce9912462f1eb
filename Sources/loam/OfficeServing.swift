import Deidentification
import Foundation
import Improvement
import Server
import Storage

/// The operator's and the raters' pages, put together from what the command line knows.
struct OfficeServing {
    /// The conversations, for the runs that are begun here.
    var location: StoreLocation
    /// `nil` leaves promoting to others.
    var registry: ModelRegistry?
    /// Folder of the model that is improved where none serves by the registry.
    var model: String?
    var encoder: String
    var threads: Int
    var choices: OfficeChoices

    /// - Parameter serve: puts a model in front of people; `nil` where none is served.
    /// - Returns: `nil` for a store that keeps no accounts.
    func office(
        store: any ConversationStore, serve: (@Sendable (ModelRegistry.Entry) async throws -> Void)?
    ) throws -> Office? {
        guard let store = store as? any OfficeStore else { return nil }
        return try Office(
            store: store, deidentifier: Self.deidentifier(),
            settings: .init(isSecure: choices.secureCookies, raters: choices.raters),
            models: registry.flatMap { registry in
                serve.map { RegistryShelf(registry: registry, serve: $0) }
            }, runner: serve == nil || location == .memory ? nil : runner(store))
    }

    /// Pseudonyms are the same while the server runs and others afterwards: nothing is kept that could undo them.
    private static func deidentifier() throws -> Deidentifier {
        var random = SystemRandomNumberGenerator()
        return try Deidentifier(key: DeidentificationKey(using: &random))
    }

    private func runner(_ ratings: any OfficeStore) -> RunFolders {
        let (store, registry, model, encoder, threads) = (location.text, registry, model, encoder, threads)
        return RunFolders(
            folder: URL(filePath: choices.runs),
            program: Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        ) { request, folder in
            var words = [
                "improve", "--out", folder.path, "--encoder", encoder, "--threads", "\(threads)", "--iterations",
                "\(request.iterations)", "--seed", "\(request.seed)",
            ]
            if let registry { words += ["--registry", registry.url.path] }
            // The registry's own model is what `improve` takes where there is one.
            if try registry?.serving() == nil {
                guard let model else { throw OfficeRefusal("no model serves yet, so there is none to improve") }
                words += ["--model", model]
            }
            if let loss = request.loss {
                guard ImproveConfiguration.Loss(rawValue: loss) != nil else {
                    throw OfficeRefusal("there is no method `\(loss)`")
                }
                words += ["--loss", loss]
            }
            if let steps = request.steps { words += ["--steps", "\(steps)"] }
            // What raters judged when the round began; one that goes on keeps what it began with.
            let anchors = folder.appending(path: "anchors.csv")
            if !FileManager.default.fileExists(atPath: anchors.path) {
                let said = try await RatingExport(ratings)
                if said.hasAnchors { try Data(said.anchors.utf8).write(to: anchors, options: .atomic) }
            }
            if FileManager.default.fileExists(atPath: anchors.path) { words += ["--anchors", anchors.path] }
            // An address may hold a password, which everybody on the machine could read in a command line.
            return RunFolders.Command(arguments: words, environment: ["LOAM_STORE": store])
        }
    }
}

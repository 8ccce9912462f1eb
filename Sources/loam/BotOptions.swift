import ArgumentParser
import Conversations
import Dialogue
import Foundation
import Generation
import Improvement
import Remote
import Storage
import Tokenizers

/// How the bot goes about a turn: its modules, its memory, its search.
struct BotOptions: ParsableArguments {
    /// How prompts are written.
    enum Style: String, ExpressibleByArgument, CaseIterable {
        case plain, instruction, opt, r2c2
    }

    @Option(
        name: .long,
        help:
            "How modules are prompted: plain (replies only), instruction, opt or r2c2 (default: as the model is made).")
    var style: Style?

    @Flag(inversion: .prefixedNo, help: "Remember facts about people across conversations.")
    var memory = true

    @Flag(name: .long, help: "Let the model write memories and decide on them, instead of rules and nearness.")
    var memoryModel = false

    @Option(
        name: .long,
        help: "Search with: local (see `loam index`), or parlai=URL, searxng=URL, brave=URL (key in LOAM_SEARCH_KEY).")
    var search: String?

    @Flag(name: .long, help: "The search server may have an address inside the house.")
    var searchPrivate = false

    @Option(
        name: .long, help: "Folder of a safety classifier that `loam train safety` made (default: the one that ships).")
    var safety: String?

    @Option(name: .long, help: "How replies are to sound, in a word or two.")
    var tone: String?

    @Option(
        name: .long,
        help: "Answer with a model behind an OpenAI-compatible URL (…/v1) instead; key in LOAM_ENDPOINT_KEY.")
    var endpoint: String?

    @Option(name: .long, help: "The model's name there.")
    var endpointModel = "default"

    func validate() throws {
        if let search { _ = try Self.server(search) }
    }

    /// Who searches and where; `nil` for the store's own documents.
    private static func server(_ search: String) throws -> (kind: SearchServer.Kind, address: String)? {
        guard search != "local" else { return nil }
        let parts = search.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let kind = SearchServer.Kind(rawValue: parts[0]) else {
            throw ValidationError("--search is local, parlai=URL, searxng=URL or brave=URL")
        }
        return (kind, parts[1])
    }

    /// - Parameters:
    ///   - generator: the local model; not opened where an endpoint answers.
    ///   - folder: the local model's, which may say what modules it learned.
    func agent(
        generator: () throws -> ReplyGenerator, folder: () throws -> URL, encoder: any TextEncoder,
        safety: SafetyGuard, store: any ConversationStore
    ) throws -> DialogueAgent {
        let writer: any ModuleWriter
        var style = self.style
        let taught = try endpoint == nil ? TaughtModules.read(from: folder()) : nil
        if style == nil, let learned = taught?.style { style = Style(rawValue: learned.rawValue) }
        if let endpoint {
            writer = NamedEndpoint.open(endpoint, model: endpointModel)
            style = style ?? .instruction
        } else {
            let local = try generator()
            writer = LocalWriter(generator: local)
            style = style ?? (local.format is ChatFormat ? .plain : .instruction)
        }
        let provider = try provider(store: store, encoder: encoder)
        return try DialogueAgent(
            writers: ModuleWriters(writer), plan: plan(style ?? .plain, taught: taught, searches: provider != nil),
            safety: safety, privacy: PrivacyGuard(),
            memories: memory ? (store as? any MemoryStore).map { MemoryBank(store: $0, encoder: encoder) } : nil,
            search: provider.map { PassageSearch(provider: $0, encoder: encoder) })
    }

    private func plan(_ style: Style, taught: TaughtModules?, searches: Bool) throws -> TurnPlan {
        var plan: TurnPlan
        switch style {
        case .plain: plan = .plain
        case .instruction: plan = TurnPlan(style: InstructionPrompt())
        case .opt: plan = .modular(OPTPrompt())
        case .r2c2: plan = .modular(ControlTokenPrompt())
        }
        guard style != .plain || !searches else {
            throw ValidationError("--search needs a model that follows instructions (--style instruction, opt or r2c2)")
        }
        plan.memory = .decide
        plan.search = searches ? .decide : .never
        let writes = taught?.knows(.memoryWriting) ?? (style == .opt || style == .r2c2)
        plan.memoryWriter = memoryModel || (writes && style != .plain) ? .model : .rule
        if let taught, style != .plain { plan.topic = taught.knows(.topicKnowledge) ? .otherwise : .never }
        // A model that was taught here says in its folder how it is sampled; BlenderBot 3's own come with their style's settings.
        plan.replyDrawing = taught == nil ? .asStyle : .asTurn
        plan.replyStyle = tone
        return plan
    }

    private func provider(store: any ConversationStore, encoder: any TextEncoder) throws -> (any SearchProvider)? {
        guard let search else { return nil }
        guard let server = try Self.server(search) else {
            guard let file = store as? SQLiteStore else {
                throw ValidationError("--search local needs a store in a file: that is where `loam index` writes")
            }
            return LocalSearch(store: file, encoder: encoder)
        }
        return SearchServer(
            server.kind, address: server.address, key: ProcessInfo.processInfo.environment["LOAM_SEARCH_KEY"],
            client: WebClient(rule: AddressRule(allowsPrivate: searchPrivate)))
    }
}

import Conversations

/// Writes the outputs of modules: a local model, or an endpoint.
///
/// The agent asks for independent outputs at once, each from a task of its own: a model with a batching scheduler draws
/// them together, and what their prompts have in common at the beginning is computed once where it keeps prefixes.
public protocol ModuleWriter: Sendable {
    /// Registry id of the model, kept with each output.
    var modelID: String { get }
    /// The output of one call; `onPiece` is called with each new piece of text as it is drawn.
    func output(for call: ModuleCall, onPiece: (@Sendable (String) -> Void)?) async throws -> ModuleOutput
}

/// A failure of what writes, which is no fault of whoever asked: an engine that cannot be reached. Its words say where
/// and why, and nothing of what anybody said.
public protocol WriterFault: Error, CustomStringConvertible {
    /// Whether asking again may help.
    var isPassing: Bool { get }
}

/// A model that answers chats as a writer of modules. Prompts that are text to be continued are beyond it.
public struct ChatWriter: ModuleWriter {
    private let generator: any TextGenerator

    public init(_ generator: any TextGenerator) { self.generator = generator }

    public var modelID: String { generator.modelID }

    public func output(for call: ModuleCall, onPiece: (@Sendable (String) -> Void)?) async throws -> ModuleOutput {
        guard case .turns(let turns) = call.prompt else {
            throw DialogueError("\(modelID) answers chats; module \(call.module.rawValue) asks it to continue a text")
        }
        let reply = try await generator.reply(to: turns, sampling: call.sampling, onPiece: onPiece)
        return ModuleOutput(reply: reply, model: generator.modelID)
    }
}

/// Which model writes for which module.
public struct ModuleWriters: Sendable {
    /// For all modules without one of their own.
    public var shared: any ModuleWriter
    public var own: [DialogueModule: any ModuleWriter]

    public init(_ shared: any ModuleWriter, own: [DialogueModule: any ModuleWriter] = [:]) {
        self.shared = shared
        self.own = own
    }

    public subscript(module: DialogueModule) -> any ModuleWriter { own[module] ?? shared }
}

/// What went wrong in a turn.
public struct DialogueError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

import Conversations

/// What a module answers, apart from how a family of models writes it.
public enum ModuleAnswer: Sendable, Hashable {
    case decision(Bool)
    case text(String)
    /// There is nothing to remember.
    case nothing
}

/// One thing for a module to learn: what it is told, and what it should answer.
public struct ModuleTask: Sendable, Hashable {
    public var input: ModuleInput
    public var answer: ModuleAnswer
    /// What else it might have answered: the other decision, the other memories. Whoever learned the task finds the answer more
    /// probable than each of these.
    public var others: [ModuleAnswer]

    public init(_ input: ModuleInput, _ answer: ModuleAnswer, others: [ModuleAnswer] = []) {
        self.input = input
        self.answer = answer
        self.others = others
    }

    public var module: DialogueModule { input.module }
}

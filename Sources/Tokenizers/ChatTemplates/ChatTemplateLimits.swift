/// The caps on a chat template, which is foreign code: a model folder may come from anywhere.
public struct ChatTemplateLimits: Sendable, Hashable {
    /// The longest template, in bytes of UTF-8. The longest published ones have some 20 kB.
    public var sourceBytes = 1_000_000
    /// The deepest nesting of expressions and statements in the template.
    public var nesting = 50
    /// The deepest nesting of macros that call each other.
    public var calls = 60
    /// The deepest nesting of expressions and statements over all macros that are running: what the stack has to hold.
    public var running = 400
    /// The longest text that a render, or any value on its way, may have, in Unicode scalars.
    public var textLength = 16_000_000
    /// The most items in one list.
    public var items = 1_000_000
    /// The work of one render, in small steps: an expression, a turn of a loop, or sixteen scalars copied.
    public var steps = 20_000_000

    public init() {}
}

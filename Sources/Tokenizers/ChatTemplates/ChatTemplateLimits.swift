/// The caps on a chat template, which is foreign code: a model folder may come from anywhere. What 138 published templates
/// reach: 20 kB, nesting 12, expressions 14 deep, macros 4 deep, 45 levels running, 9,000 steps for a short conversation.
/// At these caps, half a megabyte of stack is enough.
public struct ChatTemplateLimits: Sendable, Hashable {
    /// The longest template, in bytes of UTF-8.
    public var sourceBytes = 1_000_000
    /// The deepest nesting of expressions and statements in the template.
    public var nesting = 32
    /// The deepest expression, where a chain of operators or filters counts each link.
    public var expression = 60
    /// The deepest nesting of macros that call each other.
    public var calls = 40
    /// The deepest nesting of expressions and statements over all macros that are running: what the stack has to hold.
    public var running = 300
    /// The longest text that a render, or any value on its way, may have, in Unicode scalars.
    public var textLength = 16_000_000
    /// The most items in one list.
    public var items = 1_000_000
    /// The work of one render, in small steps: an expression, a turn of a loop, or sixteen scalars copied.
    public var steps = 20_000_000

    public init() {}
}

import HTTPTypes

/// Why what an operator asked for cannot be done, in words for them: a model that did not pass the gate, a run that is going on.
public struct OfficeRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }

    var serverError: ServerError { ServerError(.conflict, description, code: "refused") }
}

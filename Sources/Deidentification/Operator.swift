/// What stands in a text where identifying text stood. Names as presidio's.
public enum Operator: String, Sendable, Hashable, Codable, CaseIterable {
    /// A made-up value of the same kind, the same throughout a conversation and different in every other.
    case pseudonymise
    /// `<PERSON>`.
    case replace
    /// Nothing.
    case redact
    /// A star for each character.
    case mask
    /// `<PERSON_3f9a…>`: a keyed hash, the same throughout a conversation and different in every other.
    case hash
    /// The text as it was; it is still reported.
    case keep
}

/// Which operator treats which kind.
public struct OperatorTable: Sendable, Hashable {
    /// For kinds without one of their own.
    public var standard: Operator
    /// Exceptions by kind.
    public var byEntity: [Entity: Operator]

    public init(_ standard: Operator = .pseudonymise, _ byEntity: [Entity: Operator] = [:]) {
        self.standard = standard
        self.byEntity = byEntity
    }

    subscript(entity: Entity) -> Operator { byEntity[entity] ?? standard }
}

/// One trained tensor of a module: the master copy, mostly float32. Modules cast it to the type they compute in.
public final class Parameter: @unchecked Sendable {
    public var value: Tensor

    public init(_ value: Tensor) { self.value = value }
}

/// A part of a network that has parameters, named as in the checkpoint.
public protocol Module: AnyObject {
    var namedParameters: [(name: String, parameter: Parameter)] { get }
}

/// What moves parameters along their gradients.
///
/// Parameters without a gradient stay where they are. `Trainer` goes on from a saved state bit for bit.
public protocol Optimizer: AnyObject {
    /// Calls of `step` so far.
    var stepCount: Int { get }

    /// Moves every parameter that has a gradient.
    /// - Parameter learningRate: Of this step, for all parameters.
    func step(learningRate: Double) throws

    /// Drops all gradients.
    func zeroGradients() throws

    /// Copies of all that the steps to come depend on, beside the parameters.
    func state() throws -> [String: Tensor]

    /// Goes on where the optimiser that gave the state stood. Nothing is changed when it does not fit.
    /// - Throws: `TorchError` `argument` or `shape` that names the missing, strange or misshapen entry.
    func load(state: [String: Tensor]) throws
}

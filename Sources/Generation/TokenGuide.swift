import LanguageModels
import Torch

/// Says of every token that might come next whether it belongs to the wanted class (safe, good): DIRECTOR's second head
/// (Arora et al. 2022, arXiv 2206.07694).
public protocol TokenGuide: Sendable {
    /// Classifier logits d, [N, V], float32.
    /// - Parameters:
    ///   - hidden: the model's last states, [N, H].
    ///   - logits: the model's own logits of them, [N, V], float32.
    func classLogits(hidden: Tensor, logits: Tensor) throws -> Tensor
}

/// A head of its own: d = U h + b.
public struct LinearGuide: TokenGuide {
    public let head: Linear

    public init(_ head: Linear) { self.head = head }

    public func classLogits(hidden: Tensor, logits: Tensor) throws -> Tensor { try head(hidden).to(.float32) }
}

/// The shared variant: d = a · l + b, two numbers.
public struct SharedGuide: TokenGuide {
    public let scale: Double
    public let shift: Double

    public init(scale: Double, shift: Double) {
        self.scale = scale
        self.shift = shift
    }

    public func classLogits(hidden: Tensor, logits: Tensor) throws -> Tensor { try logits * scale + shift }
}

/// The head that lies beside a model trained with DIRECTOR.
extension DirectorHead: TokenGuide {}

/// DIRECTOR's mixing of what is likely with what is wanted.
public enum Director {
    /// Logits of the mixture: l + γ ln σ(d). Their log-softmax is that of ln softmax(l) + γ ln σ(d), since the two differ
    /// by one number for the whole row. A row with γ = 0 is as it was, to the bit.
    /// - Parameters:
    ///   - logits: [N, V].
    ///   - classLogits: [N, V].
    ///   - guidance: γ of each row.
    public static func mix(logits: Tensor, classLogits: Tensor, guidance: [Double]) throws -> Tensor {
        let weight = try Tensor(guidance, shape: [guidance.count, 1], dtype: logits.dtype, device: logits.device)
        return try logits + classLogits.logSigmoid() * weight
    }
}

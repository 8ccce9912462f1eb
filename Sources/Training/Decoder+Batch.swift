import LanguageModels
import Torch

extension LanguageModels.Decoder {
    /// Hidden states that predict a batch's supervised tokens, `[n, H]`.
    func predictorStates(of batch: Batch, on device: Device, compute: DType) throws -> Tensor {
        let hidden = try states(of: batch, on: device, compute: compute)
        let places = try Tensor(batch.predictors, device: device)
        return try hidden.reshape([batch.rowCount * batch.length, configuration.hiddenSize])
            .indexSelect(dim: 0, index: places)
    }

    /// Hidden states of a whole batch, `[rows, length, H]`. Documents of one row do not see each other.
    func states(of batch: Batch, on device: Device, compute: DType) throws -> Tensor {
        try hidden(
            batch.idTensor(on: device), positions: batch.positionTensor(on: device),
            mask: batch.isUnpacked ? .causal : .explicit(batch.attentionTensor(on: device)), cache: nil,
            compute: compute)
    }
}

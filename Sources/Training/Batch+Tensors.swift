import Torch

extension Batch {
    /// `[rowCount, length]` ids on a device.
    public func idTensor(on device: Device) throws -> Tensor {
        try Tensor(ids, shape: [rowCount, length], device: device)
    }

    /// `[rowCount, length]` positions on a device.
    public func positionTensor(on device: Device) throws -> Tensor {
        try Tensor(positions, shape: [rowCount, length], device: device)
    }

    /// `[rowCount, 1, length, length]`, true where a token (third axis) may look at another (fourth): same document and
    /// not later. Padding looks at itself alone, since a row of nothing but "no" has no softmax.
    public func attentionTensor(on device: Device) throws -> Tensor {
        // Padding gets a document of its own per place, so that the one rule below covers it.
        var marks = documents
        for place in marks.indices where marks[place] < 0 { marks[place] = length + place % max(length, 1) }
        let document = try Tensor(marks, shape: [rowCount, 1, length], device: device)
        let order = try Tensor(Array(0..<length), shape: [1, length], device: device)
        let same = try document.reshape([rowCount, length, 1]).equal(to: document)
        let earlier = try order.lessOrEqual(to: order.reshape([length, 1])).reshape([1, length, length])
        return try same.logicalAnd(earlier).reshape([rowCount, 1, length, length])
    }
}

import Torch

/// Sums gradients over all processes in buckets, beside the backward pass that makes them (Li et al. 2020, arXiv 2006.15704).
///
/// Parameters are cut into buckets from the last to the first, the order in which a backward pass finishes them. Once armed, a
/// bucket is sent as soon as its gradients and those of the buckets before it are complete. Numbers are summed in float32.
final class GradientExchange {
    private struct Slot {
        let parameter: Parameter
        let offset: Int
        let count: Int
    }

    private struct Bucket {
        var slots: [Slot] = []
        /// float32 on the CPU: the gradients, then for each slot 1 where this process has one.
        var buffer: Tensor
        var floats: UnsafeMutableBufferPointer<Float>
        var missing: Int = 0
    }

    private let group: any ProcessGroup
    private var buckets: [Bucket] = []
    /// The bucket of each parameter.
    private var homes: [Int] = []
    private var listeners: [GradientListener] = []
    private var isArmed = false
    /// How often each parameter's gradient is added to from arming on; learned in the first step, in which nothing overlaps.
    private var expected: [Int]?
    private var fired: [Int]
    /// Buckets sent so far.
    private var sent = 0
    /// Whether a gradient changed after it was sent.
    private var isLate = false
    private var failure: (any Error)?

    /// - Parameter bucketBytes: Most bytes of a bucket, unless one parameter is larger; 16 MiB keeps a network busy.
    init(_ parameters: [Parameter], group: any ProcessGroup, bucketBytes: Int = 16 << 20) throws {
        self.group = group
        fired = [Int](repeating: 0, count: parameters.count)
        guard group.size > 1 else { return }
        homes = [Int](repeating: 0, count: parameters.count)
        var members: [[Int]] = [[]]
        var bytes = 0
        for index in parameters.indices.reversed() {
            let size = parameters[index].value.count * 4
            if bytes + size > bucketBytes, !(members.last?.isEmpty ?? true) {
                members.append([])
                bytes = 0
            }
            members[members.count - 1].append(index)
            bytes += size
        }
        for (number, indices) in members.enumerated() {
            var slots: [Slot] = []
            var offset = 0
            for index in indices {
                let count = parameters[index].value.count
                slots.append(Slot(parameter: parameters[index], offset: offset, count: count))
                homes[index] = number
                offset += count
            }
            let buffer = try Tensor.zeros([offset + slots.count], dtype: .float32)
            let floats = try buffer.withMutableFloats { $0 }
            buckets.append(Bucket(slots: slots, buffer: buffer, floats: floats, missing: slots.count))
        }
        for (index, parameter) in parameters.enumerated() {
            listeners.append(try GradientListener(parameter) { [unowned self] in self.finished(index) })
        }
    }

    /// The step's last passes begin: from now on each gradient is added to as often as it was in the step before.
    func arm() throws {
        guard group.size > 1 else { return }
        isArmed = true
        for index in fired.indices { fired[index] = 0 }
        for index in buckets.indices { buckets[index].missing = 0 }
        guard let expected else { return }
        for (index, home) in homes.enumerated() where expected[index] > 0 { buckets[home].missing += 1 }
        try sendReady()
    }

    private func finished(_ index: Int) {
        guard isArmed else { return }
        fired[index] += 1
        let home = homes[index]
        if home < sent { isLate = true }
        guard let expected, fired[index] == expected[index] else { return }
        buckets[home].missing -= 1
        do {
            try sendReady()
        } catch {
            failure = failure ?? error
        }
    }

    private func sendReady() throws {
        while sent < buckets.count, buckets[sent].missing == 0 { try send() }
    }

    private func send() throws {
        let bucket = buckets[sent]
        sent += 1
        try withoutGradients {
            let flags = bucket.floats.count - bucket.slots.count
            for (place, slot) in bucket.slots.enumerated() {
                let part = try bucket.buffer.narrow(dim: 0, start: slot.offset, length: slot.count)
                if let gradient = slot.parameter.value.gradient {
                    try part.copy(from: gradient.to(.cpu).reshape([slot.count]))
                    bucket.floats[flags + place] = 1
                } else {
                    try part.zero()
                    bucket.floats[flags + place] = 0
                }
            }
        }
        try group.beginSum(bucket.floats)
    }

    /// Sends what is not on its way yet, waits, and gives every parameter the sum. A parameter that has a gradient in no
    /// process keeps none.
    func finish() throws {
        guard group.size > 1 else { return }
        if let failure { throw failure }
        while sent < buckets.count { try send() }
        try group.wait()
        // A step of another shape, say: some gradient went before it was whole somewhere. Everything goes again.
        let isOtherShape = try group.any(isLate)
        if isOtherShape {
            sent = 0
            while sent < buckets.count { try send() }
            try group.wait()
        }
        if isArmed, expected == nil || isOtherShape { expected = fired }
        (isArmed, isLate, sent) = (false, false, 0)
        try withoutGradients {
            for bucket in buckets {
                let flags = bucket.floats.count - bucket.slots.count
                for (place, slot) in bucket.slots.enumerated() where bucket.floats[flags + place] > 0 {
                    let value = slot.parameter.value
                    let sum = try bucket.buffer.narrow(dim: 0, start: slot.offset, length: slot.count)
                        .reshape(value.shape)
                    if let gradient = value.gradient {
                        try gradient.copy(from: sum.to(value.device))
                    } else {
                        try value.setGradient(sum.clone().to(value.dtype).to(value.device))
                    }
                }
            }
        }
    }
}

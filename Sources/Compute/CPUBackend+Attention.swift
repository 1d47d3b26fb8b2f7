import CKernels
import Tensors

extension CPUBackend {
    /// A block of queries of one head at a time: its scores live in a few hundred kilobytes per thread and are never
    /// all in memory.
    package func attention(_ input: AttentionInput) throws -> Tensor {
        let job = try AttentionJob(input, on: self)
        let span = meter.begin(
            "attention", products: 2 * job.batch * job.queries * job.keys * job.heads * job.headWidth)
        defer { meter.end(span) }
        let y = try empty([job.batch, job.queries, job.heads * job.headWidth])
        let target = try floats(y, "attention")
        let scores = try HostStorage(
            threadCount * AttentionJob.queryBlock * job.keys * MemoryLayout<Float>.size, on: self)
        let blocks = (job.queries + AttentionJob.queryBlock - 1) / AttentionJob.queryBlock
        threads.run(job.batch * job.heads * blocks) { task, worker in
            let (place, block) = task.quotientAndRemainder(dividingBy: blocks)
            let (sample, head) = place.quotientAndRemainder(dividingBy: job.heads)
            let first = block * AttentionJob.queryBlock
            let range = first..<min(first + AttentionJob.queryBlock, job.queries)
            job.attend(
                sample: sample, head: head, queries: range,
                scores: scores.floats + worker * AttentionJob.queryBlock * job.keys, into: target, self)
        }
        return y
    }
}

/// An attention with its operands resolved to memory.
private struct AttentionJob {
    static let queryBlock = 128

    let batch: Int
    let queries: Int
    let keys: Int
    let heads: Int
    let headWidth: Int
    private let query: Operand
    private let key: Operand
    private let value: Operand
    private let bias: UnsafePointer<Float>?
    /// Samples with a bias of their own.
    private let biasCount: Int
    private let mask: UnsafePointer<Float>?
    private let scale: Float
    private let causal: Bool

    private struct Operand {
        let pointer: UnsafePointer<Float>
        let tokenStride: Int
        let sampleStride: Int

        func matrix(sample: Int, token: Int, channel: Int) -> BLAS.Matrix {
            .init(pointer: pointer + sample * sampleStride + token * tokenStride + channel, stride: tokenStride)
        }
    }

    init(_ input: AttentionInput, on cpu: CPUBackend) throws {
        func operand(_ columns: Columns, tokens: Int, samples: Int) throws -> Operand {
            let shape = columns.tensor.shape
            try cpu.require(
                shape.rank == 3 && shape[0] == samples && shape[1] >= tokens
                    && columns.start >= 0 && columns.start + columns.width <= shape[2]
                    && columns.width == input.query.width,
                "attention", "[\(samples), \(tokens) or more, \(input.query.width) or more]", shape)
            return Operand(
                pointer: try cpu.floats(columns.tensor, "attention") + columns.start, tokenStride: shape[2],
                sampleStride: shape[1] * shape[2])
        }
        let shape = input.query.tensor.shape
        try cpu.require(
            shape.rank == 3 && input.heads > 0 && input.query.width % input.heads == 0, "attention",
            "[batch, tokens, a multiple of \(input.heads) heads]", shape)
        (batch, queries, keys, heads) = (shape[0], shape[1], input.keyCount, input.heads)
        headWidth = input.query.width / heads
        query = try operand(input.query, tokens: queries, samples: batch)
        key = try operand(input.key, tokens: keys, samples: batch)
        value = try operand(input.value, tokens: keys, samples: batch)
        if let bias = input.bias {
            let count = bias.shape.rank == 4 ? bias.shape[0] : 1
            try cpu.require(
                Array(bias.shape.extents.suffix(3)) == [heads, queries, keys] && bias.shape.rank <= 4 && count > 0,
                "attention", "a bias per head and score", bias.shape)
        }
        if let mask = input.mask {
            try cpu.require(mask.shape == [batch, keys], "attention", "a mask of [\(batch), \(keys)]", mask.shape)
        }
        try cpu.require(!input.causal || keys >= queries, "attention", "at least as many keys as queries", shape)
        bias = try input.bias.map { UnsafePointer(try cpu.floats($0, "attention")) }
        mask = try input.mask.map { UnsafePointer(try cpu.floats($0, "attention")) }
        biasCount = input.bias.map { $0.shape.rank == 4 ? $0.shape[0] : 1 } ?? 1
        (scale, causal) = (input.scale, input.causal)
    }

    /// Attends for some queries of one head, reading only the keys that they may see.
    func attend(
        sample: Int, head: Int, queries range: Range<Int>, scores: UnsafeMutablePointer<Float>,
        into y: UnsafeMutablePointer<Float>, _ cpu: CPUBackend
    ) {
        let channel = head * headWidth
        let visible = causal ? keys - queries + range.upperBound : keys
        cpu.blas.multiplyTransposed(
            query.matrix(sample: sample, token: range.lowerBound, channel: channel),
            key.matrix(sample: sample, token: 0, channel: channel), into: scores, stride: keys, m: range.count,
            n: visible, k: headWidth)
        for (index, queryRow) in range.enumerated() {
            let row = scores + index * keys
            let count = causal ? keys - queries + queryRow + 1 : keys
            cpu.kernels.softmax(
                row, count, scale, bias.map { $0 + ((sample % biasCount * heads + head) * queries + queryRow) * keys },
                mask.map { $0 + sample * keys })
            (row + count).update(repeating: 0, count: visible - count)
        }
        let stride = heads * headWidth
        cpu.blas.multiply(
            .init(pointer: scores, stride: keys), value.matrix(sample: sample, token: 0, channel: channel),
            into: y + (sample * queries + range.lowerBound) * stride + channel, stride: stride, m: range.count,
            n: headWidth, k: visible)
    }
}

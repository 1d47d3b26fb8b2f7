import CKernels
import Tensors

extension CPUBackend {
    /// A block of queries of one head at a time: scores are never all in memory.
    package func attention(_ input: AttentionInput) throws -> Tensor {
        let job = try AttentionJob(input, on: self)
        let (context, extent) = (job.context, job.context.extent)
        let span = meter.begin("attention", products: 2 * extent.batch * job.queries * extent.keys * extent.channels)
        defer { meter.end(span) }
        let y = try empty([extent.batch, job.queries, extent.channels])
        let target = try floats(y, "attention")
        let scratchBytes = (job.scratchBytes + 63) / 64 * 64
        let scratch = try HostStorage(threadCount * scratchBytes, on: self)
        let blocks = (job.queries + AttentionJob.queryBlock - 1) / AttentionJob.queryBlock
        threads.run(extent.batch * extent.heads * blocks) { task, worker in
            let (place, block) = task.quotientAndRemainder(dividingBy: blocks)
            let first = block * AttentionJob.queryBlock
            let range = first..<min(first + AttentionJob.queryBlock, job.queries)
            let memory = UnsafeMutableRawPointer(scratch.floats) + worker * scratchBytes
            if let packed = context.packed {
                job.attend(packed.head(place), place, range, scratch: memory, into: target, self)
            } else {
                job.attend(place, range, scratch: memory, into: target, self)
            }
        }
        try observer?.attention(heads: extent.heads, scale: input.scale, isPlain: input.bias == nil && !input.causal)
        return y
    }
}

/// An attention with its operands resolved to memory.
private struct AttentionJob {
    static let queryBlock = 128

    let context: CPUContext
    let queries: Int
    private let query: AttentionOperand
    private let bias: UnsafePointer<Float>?
    /// Samples with a bias of their own.
    private let biasCount: Int
    private let mask: UnsafePointer<Float>?
    private let scale: Float
    private let causal: Bool

    init(_ input: AttentionInput, on cpu: CPUBackend) throws {
        switch input.context {
        case .plain(let plain):
            context = try CPUContext(plain, on: cpu)
        case .prepared(let prepared):
            guard let prepared = prepared as? CPUContext else {
                throw TensorError.foreignStorage(operation: "attention")
            }
            context = prepared
        }
        (queries, biasCount) = try context.extent.extent(of: input)
        query = try AttentionOperand(input.query, tokens: queries, samples: context.extent.batch, on: cpu)
        bias = try input.bias.map { UnsafePointer(try cpu.floats($0, "attention")) }
        mask = try context.mask.map { UnsafePointer(try cpu.floats($0, "attention")) }
        (scale, causal) = (input.scale, input.causal)
    }

    private var extent: AttentionExtent { context.extent }

    /// Memory that one thread needs.
    var scratchBytes: Int { 9 * Int(KERNELS_QUERY_TILE) * ((extent.headWidth + 3) / 4 * 4) }

    /// Attends for some queries of one packed head.
    func attend(
        _ head: kernels_context, _ place: Int, _ range: Range<Int>, scratch: UnsafeMutableRawPointer,
        into y: UnsafeMutablePointer<Float>, _ cpu: CPUBackend
    ) {
        let (sample, index) = place.quotientAndRemainder(dividingBy: extent.heads)
        let stride = extent.channels
        withUnsafePointer(to: head) { head in
            var attention = kernels_attention()
            attention.queries = range.count
            attention.q = query.row(sample: sample, token: range.lowerBound, channel: index * extent.headWidth)
            attention.q_stride = query.tokenStride
            attention.context = head
            attention.scale = scale
            attention.y = y + (sample * queries + range.lowerBound) * stride + index * extent.headWidth
            attention.y_stride = stride
            attention.scratch = scratch
            cpu.kernels.attend_u8s8(&attention)
        }
    }

    /// Attends for some queries of one head in floats.
    func attend(
        _ place: Int, _ range: Range<Int>, scratch: UnsafeMutableRawPointer, into y: UnsafeMutablePointer<Float>,
        _ cpu: CPUBackend
    ) {
        let (keys, heads, width) = (extent.keys, extent.heads, extent.headWidth)
        let (sample, head) = place.quotientAndRemainder(dividingBy: heads)
        let channel = head * width
        var attention = kernels_float_attention()
        (attention.queries, attention.keys, attention.width) = (range.count, keys, width)
        attention.q = query.row(sample: sample, token: range.lowerBound, channel: channel)
        attention.q_stride = query.tokenStride
        attention.k = context.key.row(sample: sample, token: 0, channel: channel)
        attention.k_stride = context.key.tokenStride
        attention.v = context.value.row(sample: sample, token: 0, channel: channel)
        attention.v_stride = context.value.tokenStride
        attention.scale = scale
        attention.mask = mask.map { $0 + sample * keys }
        attention.bias = bias.map { $0 + ((sample % biasCount * heads + head) * queries + range.lowerBound) * keys }
        attention.bias_stride = keys
        attention.visible = causal ? keys - queries + range.lowerBound + 1 : keys
        attention.y = y + (sample * queries + range.lowerBound) * heads * width + channel
        attention.y_stride = heads * width
        attention.scratch = scratch
        cpu.kernels.attend_f32(&attention)
    }
}

import CCUDA
import Tensors

extension CUDABackend {
    /// Keys and values are read as they are, so there is nothing to do but to check.
    package func prepare(_ context: AttentionContext) throws -> any PreparedContext {
        try CUDAContext(context, on: self)
    }

    package func attention(_ input: AttentionInput) throws -> Tensor {
        let context: CUDAContext
        switch input.context {
        case .plain(let plain): context = try CUDAContext(plain, on: self)
        case .prepared(let prepared):
            guard let prepared = prepared as? CUDAContext else {
                throw TensorError.foreignStorage(operation: "attention")
            }
            context = prepared
        }
        let (extent, (queries, biases)) = (context.extent, try context.extent.extent(of: input))
        let products = 2 * extent.batch * queries * extent.keys * extent.channels
        return try measured("attention", products: products) {
            let y = try empty([extent.batch, queries, extent.channels])
            let query = try AttentionOperand(input.query, tokens: queries, samples: extent.batch, on: self)
            let (kernel, tile) = try kernel(for: extent.headWidth)
            try launch(
                kernel, try arguments(input, context, query, queries: queries, biases: biases, into: y),
                grid: ((queries + tile - 1) / tile, extent.heads, extent.batch))
            return y
        }
    }

    private func arguments(
        _ input: AttentionInput, _ context: CUDAContext, _ query: AttentionOperand, queries: Int, biases: Int,
        into y: Tensor
    ) throws -> cuda_attention {
        let int = { try self.int($0, "attention") }
        return cuda_attention(
            q: query.address, k: context.key.address, v: context.value.address,
            mask: try context.mask.map { try address($0, "attention") } ?? 0,
            bias: try input.bias.map { try address($0, "attention") } ?? 0, y: try address(y, "attention"),
            q_sample: Int64(query.sampleStride), k_sample: Int64(context.key.sampleStride),
            v_sample: Int64(context.value.sampleStride), q_token: try int(query.tokenStride),
            k_token: try int(context.key.tokenStride), v_token: try int(context.value.tokenStride),
            queries: try int(queries), keys: try int(context.extent.keys), heads: try int(context.extent.heads),
            width: try int(context.extent.headWidth),
            bias_count: try int(biases),
            is_causal: input.causal ? 1 : 0, scale: input.scale)
    }

    /// The kernel for heads of a width, and how many queries its blocks take.
    private func kernel(for width: Int) throws -> (Kernel, queries: Int) {
        if usesMMA, let kernel = tensorCoreKernel(for: width) {
            return (kernel, Int(CUDA_ATTENTION_MMA_QUERIES))
        }
        switch width {
        case ...64: return (.attention64, 32)
        case ...128: return (.attention128, 32)
        case ...512: return (.attention512, 32)
        case ...1024: return (.attention1024, 16)
        default:
            throw TensorError.shapeMismatch(
                operation: "attention", expected: "heads of at most 1024 channels", found: [width])
        }
    }

    /// The widths that models have are whole tiles; others are filled up with zeros.
    private func tensorCoreKernel(for width: Int) -> Kernel? {
        switch width {
        case ...32: .attentionMMA32
        case ...48: .attentionMMA48
        case ...64: .attentionMMA64
        case ...80: .attentionMMA80
        default: nil
        }
    }
}

/// A context whose tensors have been checked.
final class CUDAContext: PreparedContext {
    let extent: AttentionExtent
    let key: AttentionOperand
    let value: AttentionOperand
    let mask: Tensor?

    init(_ context: AttentionContext, on cuda: CUDABackend) throws {
        extent = try AttentionExtent(of: context)
        key = try AttentionOperand(context.key, tokens: extent.keys, samples: extent.batch, on: cuda)
        value = try AttentionOperand(context.value, tokens: extent.keys, samples: extent.batch, on: cuda)
        mask = context.mask
    }
}

/// Columns of a tensor in the device's memory.
struct AttentionOperand: Sendable {
    /// Keeps the memory.
    private let tensor: Tensor
    let address: UInt64
    let tokenStride: Int
    let sampleStride: Int

    /// - Throws: `TensorError` unless the columns hold `tokens` tokens of `samples` samples.
    init(_ columns: Columns, tokens: Int, samples: Int, on cuda: CUDABackend) throws {
        let shape = columns.tensor.shape
        try columns.require(tokens: tokens, samples: samples)
        tensor = columns.tensor
        address = try cuda.address(tensor, "attention") + UInt64(columns.start * MemoryLayout<Float>.size)
        tokenStride = shape[2]
        sampleStride = shape[1] * shape[2]
    }
}

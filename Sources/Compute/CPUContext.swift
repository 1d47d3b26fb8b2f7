import CKernels
import Tensors

extension CPUBackend {
    package func prepare(_ context: AttentionContext) throws -> any PreparedContext {
        try CPUContext(context, on: self)
    }
}

/// A context whose tensors have been checked, and packed where it is read as 8-bit numbers.
final class CPUContext: PreparedContext {
    let extent: AttentionExtent
    let key: AttentionOperand
    let value: AttentionOperand
    let mask: Tensor?
    let packed: PackedHeads?

    init(_ context: AttentionContext, on cpu: CPUBackend) throws {
        let extent = try AttentionExtent(of: context)
        let (keys, headWidth) = (extent.keys, extent.headWidth)
        key = try AttentionOperand(context.key, tokens: keys, samples: extent.batch, on: cpu)
        value = try AttentionOperand(context.value, tokens: keys, samples: extent.batch, on: cpu)
        mask = context.mask
        let packs = context.arithmetic == .quantized && headWidth <= Int8Layout.maximumWidth
        let masks = try mask.map { UnsafePointer(try cpu.floats($0, "attention")) }
        packed =
            packs
            ? try PackedHeads(
                count: extent.batch * extent.heads, keys: keys, width: headWidth, on: cpu
            ) { [key, value] place, head in
                var head = head
                let (sample, index) = place.quotientAndRemainder(dividingBy: extent.heads)
                cpu.kernels.pack_context(
                    key.row(sample: sample, token: 0, channel: index * headWidth), key.tokenStride,
                    value.row(sample: sample, token: 0, channel: index * headWidth), value.tokenStride,
                    masks.map { $0 + sample * keys }, &head)
            } : nil
        self.extent = extent
    }
}

/// Columns of a tensor, in memory.
struct AttentionOperand: @unchecked Sendable {
    /// Keeps the memory.
    private let tensor: Tensor
    private let pointer: UnsafePointer<Float>
    let tokenStride: Int
    private let sampleStride: Int

    /// - Throws: `TensorError` unless the columns hold `tokens` tokens of `samples` samples.
    init(_ columns: Columns, tokens: Int, samples: Int, on cpu: CPUBackend) throws {
        let shape = columns.tensor.shape
        try columns.require(tokens: tokens, samples: samples)
        tensor = columns.tensor
        pointer = UnsafePointer(try cpu.floats(columns.tensor, "attention")) + columns.start
        tokenStride = shape[2]
        sampleStride = shape[1] * shape[2]
    }

    func row(sample: Int, token: Int, channel: Int) -> UnsafePointer<Float> {
        pointer + sample * sampleStride + token * tokenStride + channel
    }
}

/// Keys and values of every sample's heads as the 8-bit kernel reads them.
struct PackedHeads: Sendable {
    private let storage: HostStorage
    private let layout: Layout

    /// Where the parts of one head lie, in bytes.
    private struct Layout {
        let keys: Int
        let width: Int
        let keyScales, keyOffsets, keySums, values, valueScales, valueMeans, valueSums, keyMeans: Int
        let byteCount: Int

        init(keys: Int, width: Int) {
            (self.keys, self.width) = (keys, width)
            let paddedKeys = (keys + 3) / 4 * 4
            let paddedWidth = (width + 3) / 4 * 4
            let block = Int(KERNELS_KEY_BLOCK)
            var end = 0
            func place(_ bytes: Int) -> Int {
                defer { end += (bytes + 63) / 64 * 64 }
                return end
            }
            _ = place(paddedKeys * paddedWidth)
            values = place(paddedKeys * paddedWidth)
            (keyScales, keyOffsets, keySums) = (place(paddedKeys * 4), place(paddedKeys * 4), place(paddedKeys * 4))
            (valueScales, valueMeans, keyMeans) = (
                place(paddedWidth * 4), place(paddedWidth * 4), place(paddedWidth * 4)
            )
            valueSums = place((keys + block - 1) / block * paddedWidth * 4)
            byteCount = end
        }
    }

    /// Packs `count` heads by all threads.
    init(
        count: Int, keys: Int, width: Int, on cpu: CPUBackend,
        pack: (_ place: Int, _ head: kernels_context) -> Void
    ) throws {
        layout = Layout(keys: keys, width: width)
        storage = try HostStorage(count * layout.byteCount, on: cpu)
        cpu.threads.run(count) { [self] place, _ in pack(place, head(place)) }
    }

    /// Pointers to one head's parts.
    func head(_ place: Int) -> kernels_context {
        let base = UnsafeMutableRawPointer(storage.floats) + place * layout.byteCount
        func floats(_ offset: Int) -> UnsafeMutablePointer<Float> {
            (base + offset).assumingMemoryBound(to: Float.self)
        }
        var head = kernels_context()
        (head.keys, head.width) = (layout.keys, layout.width)
        head.key_bytes = base.assumingMemoryBound(to: Int8.self)
        head.key_scales = floats(layout.keyScales)
        head.key_offsets = floats(layout.keyOffsets)
        head.key_sums = (base + layout.keySums).assumingMemoryBound(to: Int32.self)
        head.value_bytes = (base + layout.values).assumingMemoryBound(to: Int8.self)
        head.value_scales = floats(layout.valueScales)
        head.value_means = floats(layout.valueMeans)
        head.value_sums = (base + layout.valueSums).assumingMemoryBound(to: Int32.self)
        head.key_means = floats(layout.keyMeans)
        return head
    }
}

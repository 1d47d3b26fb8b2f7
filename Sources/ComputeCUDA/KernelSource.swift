import CKernels

/// The kernels' source, as one text.
package enum KernelSource {
    /// Each file behind those that it needs.
    private static let files: [(name: String, bytes: [UInt8])] = [
        ("arguments.h", PackageResources.arguments_h), ("common.cuh", PackageResources.common_cuh),
        ("fragments.cuh", PackageResources.fragments_cuh), ("product.cu", PackageResources.product_cu),
        ("product_mma.cu", PackageResources.product_mma_cu), ("product_halves.cu", PackageResources.product_halves_cu),
        ("quantize.cu", PackageResources.quantize_cu), ("attention.cu", PackageResources.attention_cu),
        ("attention_mma.cu", PackageResources.attention_mma_cu), ("norms.cu", PackageResources.norms_cu),
        ("elements.cu", PackageResources.elements_cu),
    ]

    package static let text =
        """
        #define AUDIOLDM2_DEVICE_CODE 1
        #define AUDIOLDM2_HAS_MMA (__CUDA_ARCH__ >= 750)
        #define AUDIOLDM2_HAS_BYTE_MMA (__CUDA_ARCH__ >= 800)

        """
        + files.map { "#line 1 \"\($0.name)\"\n" + String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "\n")

    /// What tells versions of the source apart, and of how it is compiled.
    package static let hash = Array((text + KernelCompiler.options.joined(separator: "\n")).utf8).withUnsafeBytes {
        bytes in
        bytes.baseAddress.map { kernels_xxh64($0, bytes.count, 0) } ?? 0
    }
}

/// The kernels by the names of their functions.
package enum Kernel: String, CaseIterable, Sendable {
    case productFloat32 = "product_float32"
    case productFloat16 = "product_float16"
    case productExpanded = "product_expanded"
    case productInt8 = "product_int8"
    case productMMA = "product_mma"
    case productMMASum = "product_mma_sum"
    case productFloat16MMA = "product_float16_mma"
    case productFloat16MMASum = "product_float16_mma_sum"
    case productExpandedMMA = "product_expanded_mma"
    case productExpandedMMASum = "product_expanded_mma_sum"
    case quantizeRows = "quantize_rows"
    case quantizeTiles = "quantize_tiles"
    case attention64 = "attention_64"
    case attention128 = "attention_128"
    case attention512 = "attention_512"
    case attention1024 = "attention_1024"
    case attentionMMA32 = "attention_mma_32"
    case attentionMMA48 = "attention_mma_48"
    case attentionMMA64 = "attention_mma_64"
    case attentionMMA80 = "attention_mma_80"
    case layerNorm = "layer_norm"
    case rmsNorm = "rms_norm"
    case l2Normalize = "l2_normalize"
    case groupMoments = "group_moments"
    case groupFactors = "group_factors"
    case scaleShift = "scale_shift"
    case apply
    case gate
    case combine
    case copyRuns = "copy_runs"
    case normalizeChannels = "normalize_channels"
    case blend
    case pool
    case accumulateRows = "accumulate_rows"
    case divideRows = "divide_rows"
    case copyRows = "copy_rows"

    /// Those that are compiled for such a target.
    package static func all(for capability: Capability) -> [Kernel] {
        allCases.filter { kernel in
            switch kernel {
            case .productMMA, .productMMASum: capability.hasByteMMA
            case .productFloat16MMA, .productFloat16MMASum, .productExpandedMMA, .productExpandedMMASum,
                .attentionMMA32, .attentionMMA48, .attentionMMA64, .attentionMMA80:
                capability.hasMMA
            default: true
            }
        }
    }
}

/// What a device can do: 8.0 is written sm_80.
package struct Capability: Hashable, Sendable {
    package let major, minor: Int

    package init(major: Int, minor: Int) { (self.major, self.minor) = (major, minor) }

    /// 80 for sm_80.
    package init(number: Int) { self.init(major: number / 10, minor: number % 10) }

    package var number: Int { major * 10 + minor }
    var architecture: String { "sm_\(number)" }
    /// Products of four bytes in one instruction, without which there is nothing to gain.
    var isEnough: Bool { (major, minor) >= (6, 1) }
    /// Tensor cores for halves in the shapes that we use.
    var hasMMA: Bool { (major, minor) >= (7, 5) }
    /// And for bytes.
    var hasByteMMA: Bool { major >= 8 }
}

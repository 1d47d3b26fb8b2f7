import Layers
import Tensors
import WeightFile

/// A residual block followed by this place's transformers, one for each conditioning sequence.
///
/// In AudioLDM 2 the transformers stand in a fixed order, and their position says what they read: the first two the
/// language of audio, later ones the second text encoder; without a cross-attention width they attend to themselves
/// (arXiv 2308.05734, section III-C; diffusers `CrossAttnDownBlock2D`).
package struct UNetLayer: Sendable {
    package let resnet: TimedResnetBlock
    package let transformers: [Transformer2D]

    package init(
        _ inputs: Int, _ level: UNetConfig.Level, hasAttention: Bool, index: Int, build: UNetBuild,
        _ weights: WeightScope
    ) throws {
        resnet = try TimedResnetBlock(inputs, level.channels, build: build, weights["resnets"][index])
        transformers =
            try hasAttention
            ? UNetLayer.transformers(level, firstIndex: index * level.crossAttentionDims.count, build: build, weights)
            : []
    }

    static func transformers(
        _ level: UNetConfig.Level, firstIndex: Int, build: UNetBuild, _ weights: WeightScope
    ) throws -> [Transformer2D] {
        try level.crossAttentionDims.enumerated().map { place, dim in
            try Transformer2D(
                level.channels, heads: level.heads, layers: level.transformerLayers, groups: build.norm.groups,
                context: dim.map { (index: UNetConfig.contextIndex(place), dim: $0) }, slots: build.slots,
                weights["attentions"][firstIndex + place])
        }
    }

    package func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        try transformers.reduce(resnet(x, conditioning)) { h, transformer in
            let readsContext = transformer.blocks.contains(where: \.readsContext)
            return try transformer(readsContext ? conditioning.forAll(h) : h, conditioning)
        }
    }
}

/// What all blocks of one UNet share while they are built.
package struct UNetBuild {
    let timeEmbedDim: Int
    let norm: ResnetBlock.Norm
    package let slots = UNetSlots()

    package init(timeEmbedDim: Int, norm: ResnetBlock.Norm) {
        self.timeEmbedDim = timeEmbedDim
        self.norm = norm
    }
}

/// One resolution on the way down.
package struct UNetDownLevel: Sendable {
    package let layers: [UNetLayer]
    private let downsampler: Conv2d?

    package init(
        _ inputs: Int, _ level: UNetConfig.Level, downsamples: Bool, build: UNetBuild, _ weights: WeightScope
    ) throws {
        layers = try (0..<level.layers).map { index in
            try UNetLayer(
                index == 0 ? inputs : level.channels, level, hasAttention: level.downHasAttention, index: index,
                build: build, weights)
        }
        downsampler =
            try downsamples
            ? Conv2d(level.channels, level.channels, kernel: 3, stride: 2, weights["downsamplers.0.conv"]) : nil
    }

    /// Appends every intermediate result to `skips`.
    package func callAsFunction(
        _ x: Tensor, _ conditioning: UNetConditioning, skips: inout [Tensor]
    ) throws -> Tensor {
        var x = x
        for layer in layers {
            x = try layer(x, conditioning)
            skips.append(x)
        }
        if let downsampler {
            x = try downsampler(x)
            skips.append(x)
        }
        return x
    }
}

/// The lowest resolution: residual block, transformers, residual block.
struct UNetMiddle: Sendable {
    let first: UNetLayer
    let resnet2: TimedResnetBlock

    init(_ level: UNetConfig.Level, build: UNetBuild, _ weights: WeightScope) throws {
        first = try UNetLayer(level.channels, level, hasAttention: true, index: 0, build: build, weights)
        resnet2 = try TimedResnetBlock(level.channels, level.channels, build: build, weights["resnets.1"])
    }

    func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        try resnet2(first(x, conditioning), conditioning)
    }
}

/// One resolution on the way up: each layer reads the result before it beside a skip from the way down.
package struct UNetUpLevel: Sendable {
    package let layers: [UNetLayer]
    private let upsampler: Conv2d?

    /// - Parameters:
    ///   - inputs: channels that come from the level below.
    ///   - skips: channels of each layer's skip, in the order of use.
    package init(
        _ inputs: Int, skips: [Int], _ level: UNetConfig.Level, upsamples: Bool, build: UNetBuild,
        _ weights: WeightScope
    ) throws {
        layers = try skips.enumerated().map { index, skip in
            try UNetLayer(
                (index == 0 ? inputs : level.channels) + skip, level, hasAttention: level.upHasAttention, index: index,
                build: build, weights)
        }
        upsampler =
            try upsamples ? Conv2d(level.channels, level.channels, kernel: 3, weights["upsamplers.0.conv"]) : nil
    }

    /// Takes its skips off the end of `skips`; upsamples to the size of the next one there.
    /// - Parameter outer: the height and width to upsample to if there is none.
    package func callAsFunction(
        _ x: Tensor, _ conditioning: UNetConditioning, skips: inout [Tensor], outer: (Int, Int)?
    ) throws -> Tensor {
        var x = x
        for layer in layers {
            x = try layer(
                .concatenate([conditioning.forAll(x), conditioning.forAll(skips.removeLast())]), conditioning)
        }
        guard let upsampler, let size = skips.last.map({ ($0.shape[1], $0.shape[2]) }) ?? outer else { return x }
        return try upsampler(x, resizedTo: size)
    }
}

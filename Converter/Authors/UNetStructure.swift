import Checkpoints

/// The U of the authors' `UNetModel`, read off its tensors.
///
/// Its blocks are numbered through: `input_blocks.0` is the first convolution, then come the layers of each level and a
/// downsampler; each block's modules are a residual block, transformers, and on the way up an upsampler.
struct UNetStructure: Sendable {
    struct Level: Sendable {
        let channels: Int
        /// Indices of its layers in `input_blocks`.
        let blocks: [Int]
        /// In `input_blocks`, if there is a level below.
        let downsampler: Int?
        /// Widths that the second attention of each transformer reads.
        let contextWidths: [Int]
        /// Blocks in each transformer.
        let depth: Int
    }

    let inChannels: Int
    let outChannels: Int
    let modelChannels: Int
    let filmWidth: Int?
    /// Highest resolution first.
    let levels: [Level]
    /// Transformers at each place.
    let transformerCount: Int

    init(_ shapes: PartShapes) throws {
        inChannels = try shapes.extent("input_blocks.0.0.weight", 1)
        modelChannels = try shapes.extent("input_blocks.0.0.weight", 0)
        outChannels = try shapes.extent("out.2.weight", 0)
        filmWidth = shapes.has("film_emb.weight") ? try shapes.extent("film_emb.weight", 1) : nil
        transformerCount = Self.transformers(of: "middle_block", shapes)
        var levels: [Level] = []
        var block = 1
        while shapes.has("input_blocks.\(block).0.in_layers.2.weight") {
            let first = block
            while shapes.has("input_blocks.\(block).0.in_layers.2.weight") { block += 1 }
            let downsampler = shapes.has("input_blocks.\(block).0.op.weight") ? block : nil
            let path = "input_blocks.\(first)"
            let count = Self.transformers(of: path, shapes)
            levels.append(
                Level(
                    channels: try shapes.extent("\(path).0.in_layers.2.weight", 0), blocks: Array(first..<block),
                    downsampler: downsampler,
                    contextWidths: try (0..<count).map {
                        try shapes.extent("\(path).\($0 + 1).transformer_blocks.0.attn2.to_k.weight", 1)
                    },
                    depth: shapes.count { "\(path).1.transformer_blocks.\($0).norm1.weight" }))
            if downsampler != nil { block += 1 }
        }
        let layers = Set(levels.map(\.blocks.count))
        let places = Set(levels.map(\.contextWidths.count)).subtracting([0])
        guard layers.count == 1, places.isSubset(of: [transformerCount]) else {
            throw CheckpointError.malformed(
                file: shapes.source.name, reason: "has a UNet of \(levels.count) levels that is built in an unknown way"
            )
        }
        self.levels = levels
    }

    private static func transformers(of path: String, _ shapes: PartShapes) -> Int {
        shapes.count { "\(path).\($0 + 1).transformer_blocks.0.norm1.weight" }
    }

    /// Layers of a level on the way down; one more on the way up.
    var layerCount: Int { levels.first?.blocks.count ?? 0 }

    /// The width of the sequence that each transformer reads, nil for the feature map itself.
    ///
    /// A transformer that reads itself has the level's own width, which differs between levels.
    var contextWidths: [Int?] {
        (0..<transformerCount).map { index in
            let attending = levels.filter { !$0.contextWidths.isEmpty }
            let readsItself = attending.allSatisfy { $0.contextWidths[index] == $0.channels }
            return readsItself ? nil : attending.first?.contextWidths[index]
        }
    }

    // MARK: Keys

    /// The rules from the authors' keys to those of diffusers' UNet classes.
    var keys: KeyTable {
        KeyTable(
            [
                KeyRename("time_embed.0.*", "time_embedding.linear_1.*"),
                KeyRename("time_embed.2.*", "time_embedding.linear_2.*"),
                KeyRename("film_emb.*", "class_embedding.*"), KeyRename("input_blocks.0.0.*", "conv_in.*"),
                KeyRename("out.0.*", "conv_norm_out.*"), KeyRename("out.2.*", "conv_out.*"),
            ] + downRules + middleRules + upRules,
            [
                KeyRename("*.in_layers.0.*", "*.norm1.*"), KeyRename("*.in_layers.2.*", "*.conv1.*"),
                KeyRename("*.emb_layers.1.*", "*.time_emb_proj.*"), KeyRename("*.out_layers.0.*", "*.norm2.*"),
                KeyRename("*.out_layers.3.*", "*.conv2.*"), KeyRename("*.skip_connection.*", "*.conv_shortcut.*"),
            ])
    }

    private func rule(_ from: String, _ to: String) -> KeyRename {
        KeyRename(KeyPattern("\(from).*"), KeyPattern("\(to).*"))
    }

    /// A layer: the residual block, and the transformers behind it.
    private func layer(_ from: String, _ to: String, index: Int, transformers: Int) -> [KeyRename] {
        [rule("\(from).0", "\(to).resnets.\(index)")]
            + (0..<transformers).map {
                rule("\(from).\($0 + 1)", "\(to).attentions.\(index * transformers + $0)")
            }
    }

    private var downRules: [KeyRename] {
        levels.enumerated().flatMap { place, level in
            let target = "down_blocks.\(place)"
            let layers = level.blocks.enumerated().flatMap { index, block in
                layer("input_blocks.\(block)", target, index: index, transformers: level.contextWidths.count)
            }
            return layers
                + (level.downsampler.map { [rule("input_blocks.\($0).0.op", "\(target).downsamplers.0.conv")] } ?? [])
        }
    }

    private var middleRules: [KeyRename] {
        layer("middle_block", "mid_block", index: 0, transformers: transformerCount)
            + [rule("middle_block.\(transformerCount + 1)", "mid_block.resnets.1")]
    }

    private var upRules: [KeyRename] {
        levels.reversed().enumerated().flatMap { place, level in
            let target = "up_blocks.\(place)"
            let count = level.contextWidths.count
            let blocks = place * (layerCount + 1)..<(place + 1) * (layerCount + 1)
            // The upsampler follows the transformers of the level's last layer.
            let upsampler = rule(
                "output_blocks.\(blocks.upperBound - 1).\(count + 1).conv", "\(target).upsamplers.0.conv")
            return [upsampler]
                + blocks.enumerated().flatMap { index, block in
                    layer("output_blocks.\(block)", target, index: index, transformers: count)
                }
        }
    }
}

import Tensors
import WeightFile

/// Channels between weights that make them and weights that read them, with nothing between that is not linear in each:
/// what divides the former and multiplies the latter changes no result.
///
/// Xiao et al. 2022 (SmoothQuant, arXiv 2211.10438) for norms before products; the same for whatever else is linear in its
/// channels: values of attention, the ungated half of gated layers, and all of HiFi-GAN, as leaky ReLU keeps positive
/// factors.
struct ChannelMove: Sendable {
    /// Rows of a weight: outputs of a product, or numbers of a vector. The channels in order, once or more.
    struct Rows: Sendable, Equatable {
        let path: String
        let range: Range<Int>
    }

    let channels: Int
    /// Divided.
    let writers: [Rows]
    /// Products whose input columns are multiplied.
    let readers: [String]
    /// Rows that are multiplied by what the writers are divided by: keys, where queries are the writers.
    var partners: [Rows] = []

    /// The changes that factors make, added to those that are there.
    /// - Parameters:
    ///   - scales: what each channel is divided by, positive.
    ///   - roles: of all weights.
    func apply(_ scales: [Float], to changes: inout [String: WeightChange], _ roles: [String: WeightRole]) {
        let inverses = scales.map { 1 / $0 }
        func multiply(_ rows: Rows, by factors: [Float]) {
            guard let role = roles[rows.path] else { return }
            changes[rows.path, default: WeightChange()].multiply(rows: rows.range, of: role.rowCount, by: factors)
        }
        for rows in writers { multiply(rows, by: inverses) }
        for rows in partners { multiply(rows, by: scales) }
        for path in readers { changes[path, default: WeightChange()].multiply(columns: scales) }
    }
}

/// Finds a component's moves by the names and shapes of its weights.
struct ChannelMoves {
    private let roles: [String: WeightRole]
    private let paths: [String]

    init(_ requirements: [WeightRequirement]) {
        roles = Dictionary(requirements.map { ($0.path, $0.role) }) { first, _ in first }
        paths = requirements.map(\.path)
    }

    /// In the order of the weights.
    var all: [ChannelMove] { norms + products + vocoder }

    /// Norms whose results are read by products alone, by their names beside those.
    private static let norms = [
        "norm1": ["attn1.to_qkv", "attn.qkv"], "norm2": ["attn2.to_qkv", "attn2.to_q", "mlp.fc1"],
        "norm3": ["ff.net.0.proj"], "norm": ["proj_in", "reduction"], "group_norm": ["to_qkv"],
        "ln_1": ["attn.c_attn"], "ln_2": ["mlp.c_fc"], "layer_norm": ["SelfAttention.qkv", "DenseReluDense.wi"],
        "layernorm_before": ["attention.self.qkv"], "layernorm_after": ["intermediate.dense"],
    ]
    /// Fused projections: how many parts they have, which of them are values, and what reads those.
    private static let projections: [(name: String, parts: Int, value: Int, reader: String)] = [
        ("to_qkv", 3, 2, "to_out.0"), ("to_kv", 2, 1, "to_out.0"), ("qkv", 3, 2, "proj"), ("qkv", 3, 2, "o"),
        ("c_attn", 3, 2, "c_proj"), ("self.qkv", 3, 2, "output.dense"), ("ff.net.0.proj", 2, 0, "ff.net.2"),
        ("wi", 2, 0, "wo"),
    ]

    private var norms: [ChannelMove] {
        paths.compactMap { path in
            guard let (parent, name) = split(path), let readers = Self.norms[name] else { return nil }
            let found = readers.map { join(parent, $0) + ".weight" }.filter { roles[$0] != nil }
            guard let reader = found.first, found.count == 1, let role = roles[path], case .vector(let count) = role,
                roles[reader]?.inputs == count
            else { return nil }
            return ChannelMove(channels: count, writers: rows(of: parent, name, 0..<count), readers: [reader])
        }
    }

    private var products: [ChannelMove] {
        paths.flatMap { path -> [ChannelMove] in
            guard path.hasSuffix(".weight") else { return [] }
            let module = path.dropLast(".weight".count)
            var moves: [ChannelMove] = []
            for (name, parts, value, readerName) in Self.projections {
                guard module == name || module.hasSuffix("." + name), let role = roles[path] else { continue }
                let parent = module == name ? "" : String(module.dropLast(name.count + 1))
                let reader = join(parent, readerName) + ".weight"
                let width = role.rowCount / parts
                guard roles[reader]?.inputs == width else { continue }
                moves.append(
                    ChannelMove(
                        channels: width, writers: rows(of: parent, name, value * width..<(value + 1) * width),
                        readers: [reader]))
                moves += queries(parent, name, parts: parts, width: width)
            }
            return moves
        }
    }

    /// Queries against keys.
    private func queries(_ parent: String, _ name: String, parts: Int, width: Int) -> [ChannelMove] {
        switch (name, parts) {
        case ("to_qkv", 3):
            return [
                ChannelMove(
                    channels: width, writers: rows(of: parent, name, 0..<width), readers: [],
                    partners: rows(of: parent, name, width..<2 * width))
            ]
        case ("to_kv", 2):
            guard roles[join(parent, "to_q.weight")]?.rowCount == width else { return [] }
            return [
                ChannelMove(
                    channels: width, writers: rows(of: parent, "to_q", 0..<width), readers: [],
                    partners: rows(of: parent, name, 0..<width))
            ]
        default: return []
        }
    }

    // MARK: Vocoder

    private var vocoder: [ChannelMove] {
        guard roles["conv_pre.weight"] != nil, roles["conv_post.weight"] != nil else { return [] }
        let stages = (0...).prefix { roles["upsampler.\($0).weight"] != nil }
        let blocks = (0...).prefix { roles["resblocks.\($0).convs1.0.weight"] != nil }.count
        guard !stages.isEmpty, blocks % stages.count == 0 else { return [] }
        let perStage = blocks / stages.count
        var moves = [stream(["conv_pre"], readers: ["upsampler.0"])]
        for stage in stages {
            var (writers, readers) = (["upsampler.\(stage)"], [String]())
            for block in stage * perStage..<(stage + 1) * perStage {
                for pair in (0...).prefix(while: { roles["resblocks.\(block).convs1.\($0).weight"] != nil }) {
                    let (first, second) = ("resblocks.\(block).convs1.\(pair)", "resblocks.\(block).convs2.\(pair)")
                    moves.append(stream([first], readers: [second]))
                    writers.append(second)
                    readers.append(first)
                }
            }
            readers.append(stage + 1 < stages.count ? "upsampler.\(stage + 1)" : "conv_post")
            moves.append(stream(writers, readers: readers))
        }
        return moves
    }

    private func stream(_ writers: [String], readers: [String]) -> ChannelMove {
        let readers = readers.map { $0 + ".weight" }
        return ChannelMove(
            channels: roles[readers[0]]?.inputs ?? 0,
            writers: writers.flatMap { rows(of: "", $0, 0..<(roles[$0 + ".weight"]?.rowCount ?? 0)) }, readers: readers)
    }

    // MARK: Names

    /// The same rows of a module's weight and bias, as far as it has them.
    private func rows(of parent: String, _ name: String, _ range: Range<Int>) -> [ChannelMove.Rows] {
        ["weight", "bias"].map { join(parent, name) + "." + $0 }.filter { roles[$0] != nil }
            .map { ChannelMove.Rows(path: $0, range: range) }
    }

    /// Parent and name of the module whose weight this is.
    private func split(_ path: String) -> (parent: String, name: String)? {
        let names = path.split(separator: ".")
        guard names.count >= 2, names.last == "weight" else { return nil }
        return (names.dropLast(2).joined(separator: "."), String(names[names.count - 2]))
    }

    private func join(_ parent: String, _ name: String) -> String { parent.isEmpty ? name : parent + "." + name }
}

import AudioLDM2
import Checkpoints
import Files
import FoundationEssentials
import Glibc

/// A change of some layers of a checkpoint, each by the product of two narrow matrices (Hu et al. 2021, arXiv 2106.09685): what
/// PEFT and diffusers save as LoRA.
package struct LowRankAdapter: Sendable {
    /// One layer's: its weight becomes W + scale · B · A.
    struct Layer: Sendable {
        /// Of the checkpoint, such as "unet"; nil where the file does not say.
        let component: String?
        /// The layer's name in its component: its weight's key without ".weight".
        let module: String
        /// `A`, of `[rank, inputs…]`, and `B`, of `[outputs, rank…]`.
        let (down, up): (String, String)
        /// `alpha / rank`, or what takes its place, times what the user said.
        let scale: Double
    }

    /// For messages and provenance.
    package let name: String
    package let userScale: Double
    let source: any CheckpointSource
    let layers: [Layer]

    /// - Parameters:
    ///   - path: of a file, or of a folder as PEFT or diffusers save one.
    ///   - scale: times what the file says.
    /// - Throws: `CheckpointError`, `AdapterError`.
    package init(path: String, scale: Double = 1) throws {
        let file = try Self.file(path)
        name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        userScale = scale
        guard FileName.exists(file) else {
            throw CheckpointError.missing(path: file, remedy: "name the file or folder of an adapter")
        }
        let source = try CheckpointFile.open(path: file, name: name)
        self.source = source
        var settings = try AdapterSettings(of: source, beside: file)
        var factors: [String: [AdapterKey.Part: String]] = [:]
        var unknown: [String] = []
        for key in source.tensors.keys.sorted() {
            guard let (layer, part) = AdapterKey.parts(of: key) else {
                unknown.append(key)
                continue
            }
            guard factors[layer, default: [:]].updateValue(key, forKey: part) == nil else {
                throw AdapterError.unpaired(file: name, layer: layer)
            }
        }
        guard unknown.isEmpty else { throw AdapterError.foreign(file: name, keys: unknown) }
        guard !factors.isEmpty else { throw AdapterError.foreign(file: name, keys: []) }
        layers = try factors.sorted { $0.key < $1.key }.map { [name] layer, keys in
            guard let down = keys[.down], let up = keys[.up], let rank = source.tensors[down]?.shape.extents.first,
                rank > 0
            else { throw AdapterError.unpaired(file: name, layer: layer) }
            let (component, module) = AdapterKey.place(of: layer)
            let own = try keys[.alpha].map { try Self.number(in: source, $0) }
            return Layer(
                component: component, module: module, down: down, up: up,
                scale: scale * (try settings.scale(of: module, in: component, rank: rank, alpha: own)))
        }
    }

    private static func file(_ path: String) throws -> String {
        guard FileName.isFolder(path) else { return path }
        let names = ["adapter_model.safetensors", "pytorch_lora_weights.safetensors", "adapter_model.bin"]
        guard let found = names.first(where: { FileName.exists("\(path)/\($0)") }) else {
            throw CheckpointError.missing(
                path: "\(path)/\(names[0]) (or \(names.dropFirst().joined(separator: ", ")))",
                remedy: "name the file of the adapter itself")
        }
        return "\(path)/\(found)"
    }

    private static func number(in source: any CheckpointSource, _ key: String) throws -> Double {
        guard source.tensors[key]?.shape.count == 1, let value = try source.open(key).readAll().first, value.isFinite
        else { throw AdapterError.foreign(file: source.name, keys: [key]) }
        return Double(value)
    }
}

/// How the keys of adapters are spelled.
enum AdapterKey {
    enum Part { case down, up, alpha }

    /// PEFT's; diffusers' since 0.17, before and in text encoders; others'.
    private static let endings: [(String, Part)] = [
        (".lora_A.weight", .down), (".lora_B.weight", .up), (".lora_A.default.weight", .down),
        (".lora_B.default.weight", .up), (".lora.down.weight", .down), (".lora.up.weight", .up),
        (".lora_linear_layer.down.weight", .down), (".lora_linear_layer.up.weight", .up),
        (".lora_down.weight", .down), (".lora_up.weight", .up), ("_lora.down.weight", .down),
        ("_lora.up.weight", .up), (".alpha", .alpha),
    ]
    private static let components = [
        PartName.unet, PartName.clap, PartName.second, PartName.languageModel, PartName.projection, PartName.vae,
        PartName.vocoder,
    ]

    /// - Returns: the layer that a tensor belongs to, and what it is there; nil for a tensor of another kind.
    static func parts(of key: String) -> (layer: String, part: Part)? {
        guard let (ending, part) = endings.first(where: { key.hasSuffix($0.0) }) else { return nil }
        let layer = String(key.dropLast(ending.count))
        return layer.isEmpty ? nil : (layer, part)
    }

    /// - Returns: the component that a layer is said to be of, and its name there.
    static func place(of layer: String) -> (component: String?, module: String) {
        var name = layer[...]
        let component = components.first { name.hasPrefix($0 + ".") }
        if let component { name = name.dropFirst(component.count + 1) }
        for prefix in ["base_model.model."] where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
        var module = String(name)
        // Of diffusers' attention processors, which stood beside the layers: "attn1.processor.to_q".
        if let range = module.firstRange(of: ".processor.") {
            module.replaceSubrange(range, with: ".")
            if module.hasSuffix(".to_out") { module += ".0" }
        }
        return (component, module)
    }
}

/// What can be wrong with an adapter.
package enum AdapterError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Tensors that no low-rank change of a weight has; none if there is nothing else.
    case foreign(file: String, keys: [String])
    case unpaired(file: String, layer: String)
    case unknownLayers(file: String, component: String?, modules: [String])
    case wrongShape(file: String, layer: String, reason: String)

    package var description: String {
        switch self {
        case .foreign(let file, let keys):
            keys.isEmpty
                ? "\(file): holds no tensors of an adapter; name a LoRA as PEFT or diffusers save it"
                : "\(file): \(Self.list(keys)): only LoRA's products of two matrices are merged, and not biases, embeddings, "
                    + "magnitudes (DoRA) or whole modules; merge it where it was trained, and convert the result"
        case .unpaired(let file, let layer):
            "\(file): layer \(layer.quoted) does not have one A and one B; the file is damaged or of another kind"
        case .unknownLayers(let file, let component, let modules):
            "\(file): \(component.map { "the checkpoint's \($0)" } ?? "no component of the checkpoint") has "
                + "\(Self.list(modules)); choose an adapter of this kind of model"
        case .wrongShape(let file, let layer, let reason):
            "\(file): layer \(layer.quoted): \(reason); choose an adapter of this size of model"
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = 4
        let rest = names.count > shown ? " and \(names.count - shown) more" : ""
        return names.prefix(shown).map(\.quoted).joined(separator: ", ") + rest
    }
}

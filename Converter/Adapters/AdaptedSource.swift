import Checkpoints
import Tensors

/// A view of a component's weights in which adapters have been merged.
struct AdaptedSource: CheckpointSource {
    private let source: any CheckpointSource
    /// By the key of the weight.
    private var changes: [String: [Change]] = [:]

    private struct Change {
        let adapter: LowRankAdapter
        let layer: LowRankAdapter.Layer
        let isTransposed: Bool
    }

    var name: String { source.name }
    var tensors: [String: TensorHeader] { source.tensors }

    /// - Parameters:
    ///   - component: whose weights these are.
    ///   - mapping: of its class; says which matrices lie as `[inputs, outputs]`.
    /// - Throws: `AdapterError` for layers that are not there or have other shapes.
    init(
        _ source: any CheckpointSource, _ component: String, mapping: ComponentMapping?,
        adapters: [(adapter: LowRankAdapter, layers: [LowRankAdapter.Layer])]
    ) throws {
        self.source = source
        for (adapter, layers) in adapters {
            var unknown: [String] = []
            for layer in layers {
                guard let key = AdaptedComponents.key(of: layer.module, in: source) else {
                    unknown.append(layer.module)
                    continue
                }
                let isTransposed = mapping?.transposed.contains { $0.matches("." + key) } ?? false
                let change = Change(adapter: adapter, layer: layer, isTransposed: isTransposed)
                try check(change, key)
                changes[key, default: []].append(change)
            }
            guard unknown.isEmpty else {
                throw AdapterError.unknownLayers(file: adapter.name, component: component, modules: unknown)
            }
        }
    }

    private func check(_ change: Change, _ key: String) throws {
        func shape(_ key: String, _ source: any CheckpointSource) -> Shape { source.tensors[key]?.shape ?? [] }
        let (down, up) = (
            shape(change.layer.down, change.adapter.source), shape(change.layer.up, change.adapter.source)
        )
        let weight = shape(key, source)
        let rank = down.extents.first ?? 0
        let outputs = up.extents.first ?? 0
        let fits =
            rank > 0 && outputs > 0 && down.rank > 1 && up.rank > 1 && up.count == outputs * rank
            && (change.isTransposed
                ? weight.extents == [down.count / rank, outputs]
                : weight.extents.first == outputs && weight.count == outputs * (down.count / rank))
        guard fits else {
            throw AdapterError.wrongShape(
                file: change.adapter.name, layer: change.layer.module,
                reason: "A has shape \(down) and B \(up), but the weight \(weight)")
        }
    }

    func open(_ key: String) throws -> any SourceTensor {
        let base = try source.open(key)
        guard let changes = changes[key] else { return base }
        return try AdaptedTensor(
            base: base,
            products: changes.map { change in
                let (down, up) = (
                    try change.adapter.source.open(change.layer.down).readAll(),
                    try change.adapter.source.open(change.layer.up).readAll()
                )
                return AdaptedTensor.Product(
                    up: up, down: down, rank: change.adapter.source.tensors[change.layer.down]?.shape[0] ?? 1,
                    scale: Float(change.layer.scale), isTransposed: change.isTransposed)
            })
    }
}

/// Which adapters change which components.
package struct AdaptedComponents {
    private var layers: [String: [(adapter: LowRankAdapter, layers: [LowRankAdapter.Layer])]] = [:]

    /// - Parameter components: of the checkpoint that have weights, and these.
    /// - Throws: `AdapterError` for layers of no component.
    package init(_ adapters: [LowRankAdapter], _ components: [(name: String, source: any CheckpointSource)]) throws {
        for adapter in adapters {
            var byComponent: [String: [LowRankAdapter.Layer]] = [:]
            for layer in adapter.layers { byComponent[layer.component ?? "", default: []].append(layer) }
            for (component, layers) in byComponent.sorted(by: { $0.key < $1.key }) {
                let found =
                    component.isEmpty
                    ? components.first { component in
                        layers.allSatisfy { Self.key(of: $0.module, in: component.source) != nil }
                    } : components.first { $0.name == component }
                guard let found else {
                    throw AdapterError.unknownLayers(
                        file: adapter.name, component: component.isEmpty ? nil : component,
                        modules: layers.map(\.module))
                }
                self.layers[found.name, default: []].append((adapter, layers))
            }
        }
    }

    /// A component's weights with what changes them.
    /// - Parameter modelName: the component's class, as `ComponentMapping` knows it; it says which matrices lie as
    ///   `[inputs, outputs]`.
    /// - Throws: `AdapterError`.
    package func applied(
        to source: any CheckpointSource, of component: String, modelName: String
    ) throws -> any CheckpointSource {
        guard let changes = layers[component] else { return source }
        return try AdaptedSource(source, component, mapping: ComponentMapping.named(modelName), adapters: changes)
    }

    /// The key of a layer's weight: some checkpoints were saved as a part of a larger model, or adapters trained on one.
    static func key(of module: String, in source: any CheckpointSource) -> String? {
        let key = module + ".weight"
        if source.tensors[key] != nil { return key }
        let longer = source.tensors.keys.filter { $0.hasSuffix("." + key) }
        if longer.count == 1 { return longer.first }
        let shorter = source.tensors.keys.filter { $0.hasSuffix(".weight") && key.hasSuffix("." + $0) }
        return longer.isEmpty && shorter.count == 1 ? shorter.first : nil
    }
}

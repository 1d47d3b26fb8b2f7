import Checkpoints

/// A view of a checkpoint under the keys that its mapping knows.
struct RenamedSource: CheckpointSource {
    private(set) var tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    /// The source's own key of each renamed tensor.
    private var originals: [String: String] = [:]

    var name: String { source.name }

    init(_ source: any CheckpointSource, mapping: ComponentMapping) {
        self.source = source
        tensors = source.tensors
        for rename in mapping.replacements { apply(rename, replacing: true) }
        for rename in mapping.renames { apply(rename, replacing: false) }
    }

    private mutating func apply(_ rename: (from: KeyPattern, to: KeyPattern), replacing: Bool) {
        for (key, header) in source.tensors.sorted(by: { $0.key < $1.key }) {
            guard let renamed = rename.from.match(key).map(rename.to.filled), replacing || tensors[renamed] == nil
            else {
                continue
            }
            tensors[key] = nil
            tensors[renamed] = header
            originals[renamed] = key
        }
    }

    func open(_ key: String) throws -> any SourceTensor { try source.open(originals[key] ?? key) }
}

import Checkpoints

/// A view of a checkpoint under the keys that its mapping knows.
struct RenamedSource: CheckpointSource {
    private(set) var tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    /// The source's own key of each renamed tensor.
    private var originals: [String: String] = [:]

    var name: String { source.name }

    init(_ source: any CheckpointSource, renames: [(from: KeyPattern, to: KeyPattern)]) {
        self.source = source
        tensors = source.tensors
        for rename in renames {
            for (key, header) in source.tensors.sorted(by: { $0.key < $1.key }) {
                guard let renamed = rename.from.match(key).map(rename.to.filled), tensors[renamed] == nil else {
                    continue
                }
                tensors[key] = nil
                tensors[renamed] = header
                originals[renamed] = key
            }
        }
    }

    func open(_ key: String) throws -> any SourceTensor { try source.open(originals[key] ?? key) }
}

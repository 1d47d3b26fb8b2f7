import AudioLDM2
import Checkpoints
import Tensors

/// What a checkpoint is, found without reading its numbers.
package struct CheckpointDescription: Sendable, Equatable, Codable {
    package struct Component: Sendable, Equatable, Codable {
        package let name: String
        package let className: String
        package let tensors: Int
        package let parameters: Int
        /// In the checkpoint.
        package let bytes: Int
        /// How many tensors have each number type.
        package let types: [String: Int]
        /// The shape of every tensor, by its key.
        package let shapes: [String: [Int]]
    }

    package let name: String
    package let kind: String
    /// Whether there is a moving average of the UNet's weights; nil where the question does not arise.
    package let hasAverage: Bool?
    package let components: [Component]
    package let tokenizers: [String]
    /// Tensors that are copies of others, that nothing uses, and that nothing here knows.
    package let copies: Int
    package let ignored: Int
    package let unknown: [String]
    /// What conversion needs and the checkpoint lacks, and how to add it.
    package let missing: [String]

    /// - Throws: `CheckpointError` for components whose files cannot be read.
    package init(_ checkpoint: any Checkpoint) throws {
        name = checkpoint.name
        let authors = (checkpoint as? AssembledCheckpoint)?.base ?? checkpoint
        let file = authors as? AuthorsCheckpoint
        let saver = authors is NetworkFolder ? "transformers" : "diffusers"
        let isJudge = authors is JudgeCheckpoint
        kind =
            isJudge
            ? "\(checkpoint.pipelineClass), which judges"
            : file?.kind.rawValue ?? "\(checkpoint.pipelineClass), as \(saver) saves it"
        hasAverage = file?.hasAverage
        let uses = file.map { Array($0.usage.values) } ?? []
        copies = uses.count { if case .copy = $0 { true } else { false } }
        ignored = uses.count { $0 == .ignored }
        unknown = (file?.usage.filter { $0.value == .unknown }.keys.sorted()) ?? []
        let layout = try CheckpointLayout.of(checkpoint)
        let parts = layout.models.map(\.folder)
        let additions = layout.extras.filter {
            $0.addedClassName != nil && checkpoint.components[$0.folder] == nil
        }
        let names =
            parts
            + checkpoint.components.keys.filter { name in
                !parts.contains(name) && !layout.tokenizers.contains(name) && name != PartName.scheduler
                    && name != PartName.features
            }.sorted()
        let listed = try names.filter { checkpoint.components[$0] != nil }.map { name in
            Component(
                name: name, className: try checkpoint.component(name).className,
                tensors: try checkpoint.weights(of: name).tensors)
        }
        let added = try additions.compactMap { addition in
            try addition.weights(in: checkpoint).map {
                Component(name: addition.name, className: try addition.className(in: checkpoint), tensors: $0.tensors)
            }
        }
        components = listed + added
        tokenizers = layout.tokenizers.filter { checkpoint.components[$0] != nil }
        missing =
            layout.models.filter { !$0.isOptional && checkpoint.components[$0.folder] == nil }.map {
                "\($0.folder): add it by --component \($0.folder)=FOLDER"
            }
            + layout.tokenizers(of: checkpoint).filter { checkpoint.components[$0] == nil }.map(layout.withoutTokenizer)
    }
}

extension CheckpointDescription.Component {
    fileprivate init(name: String, className: String, tensors: [String: TensorHeader]) {
        self.init(
            name: name, className: className, tensors: tensors.count,
            parameters: tensors.values.reduce(0) { $0 + $1.shape.count },
            bytes: tensors.values.reduce(0) { $0 + $1.byteCount },
            types: tensors.values.reduce(into: [:]) { $0[$1.type.rawValue, default: 0] += 1 },
            shapes: tensors.mapValues(\.shape.extents))
    }
}

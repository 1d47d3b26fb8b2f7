import AudioLDM2
import Checkpoints
import Tensors

/// Runs single components of a model on given tensors, so that one part can be compared with the code that one trusts.
///
///     let trace = try await ComponentTrace(modelAt: "audioldm2.aldm")
///     let mel = try await trace.run([NamedTensor(name: "vae.latent", shape: [1, 8, 64, 16], values: latents)])
public struct ComponentTrace: Sendable {
    /// What one component reads and makes.
    public struct Stage: Sendable, Hashable {
        /// A tensor that it reads.
        public struct Input: Sendable, Hashable {
            /// As it is called in files.
            public let name: String
            /// Its extents, by number or by name: `[B, 8, T, 16]`. The same name is the same extent in all inputs.
            public let shape: String
            /// Whether it must be given.
            public let isRequired: Bool
        }

        /// What it reads.
        public let inputs: [Input]
        /// The names of what it makes.
        public let outputs: [String]
    }

    /// What the model's components can be given.
    public let stages: [Stage]
    private let table: [TraceStage]
    private let context: GenerationContext
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { context.deviceWarning }

    /// - Throws: `AudioLDM2Error` for a model that cannot be opened.
    public init(modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil) async throws {
        self = try await onOwnThread { _ in try ComponentTrace(opening: path, threads: threads, device: device) }
    }

    /// The same on the caller's thread, which waits for it.
    package init(opening path: String, threads: Int? = nil, device: ComputeDevice? = nil) throws {
        context = try AudioLDM2Error.translating {
            try GenerationContext(Model(opening: path), threads: threads, device: device)
        }
        table = TraceStage.table(context.model)
        stages = table.map { stage in
            Stage(
                inputs: stage.inputs.map {
                    Stage.Input(name: $0.name, shape: $0.axes.description, isRequired: $0.isRequired)
                }, outputs: stage.outputs)
        }
    }

    /// Runs every component that is given an input. Tensors that none reads are passed over: see `isRead`.
    /// - Parameter onStage: sees what each component made as soon as it is known, on the working thread.
    /// - Returns: all that was made, in the order of `stages`.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` if no component of this model reads any of the tensors, for a
    ///   missing one, or a wrong shape or value.
    public func run(
        _ tensors: [NamedTensor], onStage: @escaping @Sendable (Stage, [NamedTensor]) -> Void = { _, _ in }
    ) async throws -> [NamedTensor] {
        try await onOwnThread { _ in try blockingRun(tensors, onStage: onStage) }
    }

    /// The same on the caller's thread, which waits for it.
    package func blockingRun(
        _ tensors: [NamedTensor], onStage: (Stage, [NamedTensor]) -> Void = { _, _ in }
    ) throws -> [NamedTensor] {
        try AudioLDM2Error.translating {
            try requireInput(among: tensors.map(\.name))
            let given = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
            var made: [NamedTensor] = []
            for (stage, entry) in zip(stages, table) where entry.inputs.contains(where: { given[$0.name] != nil }) {
                let values = try TraceValues(entry.inputs, given: given, on: context.backend)
                let outputs = zip(entry.outputs, try entry.compute(values, context)).map { name, output in
                    NamedTensor(name: name, shape: output.shape.extents, values: output.values)
                }
                onStage(stage, outputs)
                made += outputs
            }
            return made
        }
    }

    /// Whether some component of this model reads a tensor of this name.
    public func isRead(_ name: String) -> Bool {
        table.contains { stage in stage.inputs.contains { $0.name == name } }
    }

    private func requireInput(among names: [String]) throws {
        guard !names.contains(where: isRead) else { return }
        let found = names.first.map { "no component of this model reads \($0.quoted)" } ?? "there are no tensors to run"
        throw AudioLDM2Error(.invalidOption, "\(found); known inputs: \(knownInputs)")
    }

    /// The same, from one safetensors file to another, in float32.
    /// - Parameter onUnread: told the names of tensors that no component reads, if there are any.
    /// - Throws: also for files that cannot be read or written.
    public func run(
        inputsAt inputs: String, outputTo output: String, onUnread: @escaping @Sendable ([String]) -> Void = { _ in },
        onStage: @escaping @Sendable (Stage, [NamedTensor]) -> Void = { _, _ in }
    ) async throws {
        try await onOwnThread { _ in
            try SafetensorsWriter.checkWritable(output)
            let file = try SafetensorsFile(path: inputs, name: inputs)
            let names = file.tensors.keys.sorted()
            try requireInput(among: names)
            let unread = names.filter { !isRead($0) }
            if !unread.isEmpty { onUnread(unread) }
            let tensors = try names.filter(isRead).map { name in
                let (shape, values) = try file.values(name)
                return NamedTensor(name: name, shape: shape.extents, values: values)
            }
            let made = try blockingRun(tensors, onStage: onStage)
            try SafetensorsWriter.write(made.map { ($0.name, Shape($0.shape), $0.values) }, to: output)
        }
    }

    private var knownInputs: String { table.flatMap { $0.inputs.map(\.name) }.joined(separator: ", ") }
}

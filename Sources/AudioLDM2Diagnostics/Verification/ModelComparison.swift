import AudioLDM2
import Tensors
import WeightFile

/// Compares two model files of one checkpoint, such as one in int8 and one in float32: what each stage of the one makes of what
/// the other's stages were given.
///
///     let comparison = try await ModelComparison(modelAt: "small.aldm", against: "exact.aldm", prompts: ["rain on a tin roof"])
///     print(try await comparison.run().passed)
public struct ModelComparison: Sendable {
    private let context: GenerationContext
    private let reference: GenerationContext
    private let request: StageRequest
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { context.deviceWarning }

    /// - Parameters:
    ///   - reference: the model file that is believed.
    ///   - prompts: what both are asked; at least one.
    ///   - seconds: length of the sounds that the reference makes.
    /// - Throws: `AudioLDM2Error` for files that cannot be used or are not of one checkpoint.
    public init(
        modelAt path: String, against reference: String, prompts: [String], seconds: Double = 2.56,
        threads: Int? = nil, device: ComputeDevice? = nil
    ) async throws {
        self = try await onOwnThread { _ in
            try ModelComparison(
                opening: path, against: reference, prompts: prompts, seconds: seconds, threads: threads, device: device)
        }
    }

    /// The same on the caller's thread, which waits for it.
    package init(
        opening path: String, against reference: String, prompts: [String], seconds: Double = 2.56,
        threads: Int? = nil, device: ComputeDevice? = nil
    ) throws {
        (context, self.reference) = try AudioLDM2Error.translating {
            let contexts = try [path, reference].map {
                try GenerationContext(Model(opening: $0), threads: threads, device: device)
            }
            return (contexts[0], contexts[1])
        }
        guard !prompts.isEmpty else { throw AudioLDM2Error(.invalidOption, "there is no prompt to compare models by") }
        var request = StageRequest(prompts: prompts)
        request.seconds = seconds
        self.request = request
        try requireOneCheckpoint()
        try AudioLDM2Error.translating { try self.reference.model.requireTextEncoders() }
    }

    private func requireOneCheckpoint() throws {
        let ours = context.model.pack
        for component in reference.model.pack.components {
            guard let other = ours.component(component.name), other.config != component.config else { continue }
            throw AudioLDM2Error(
                .invalidOption,
                "\(ours.path), \(reference.model.pack.path): the configurations of their \(component.name) differ; compare "
                    + "models of one checkpoint")
        }
    }

    /// Runs both models and compares them.
    /// - Parameter onRow: sees each row as soon as it is known, on the working thread.
    public func run(
        onRow: @escaping @Sendable (VerificationReport.Row) -> Void = { _ in }
    ) async throws -> VerificationReport {
        try await onOwnThread { _ in try blockingRun(onRow: onRow) }
    }

    /// The same on the caller's thread, which waits for it.
    package func blockingRun(
        onRow: @escaping (VerificationReport.Row) -> Void = { _ in }
    ) throws -> VerificationReport {
        try AudioLDM2Error.translating {
            let tolerances = context.model.tolerances
            var rows: [VerificationReport.Row] = []
            _ = try StageRecording(request, of: reference) { stage in
                let row = try row(stage, tolerances)
                rows.append(row)
                onRow(row)
            }
            return VerificationReport(rows: rows, weights: tolerances.weights)
        }
    }

    private func row(
        _ stage: StageRecording.Stage, _ tolerances: VerificationTolerances
    ) throws -> VerificationReport.Row {
        guard context.model.pack.component(stage.component)?.tensors.isEmpty == false else {
            return .init(name: stage.name, relativeError: nil, tolerance: nil, status: .notComputed)
        }
        let error = try stage.error(in: context).largest
        let tolerance = tolerances.tolerance(for: stage.name)
        let status: VerificationReport.Row.Status = tolerance.map { error <= $0 ? .ok : .failed } ?? .stated
        return .init(name: stage.name, relativeError: error, tolerance: tolerance, status: status)
    }
}

import AudioLDM2
import AudioLDM2Diagnostics
import Compute
import Synchronization
import Tensors
import WeightFile

/// Runs a checkpoint's float model on a few prompts, and finds out for every component how its 8-bit weights are best made.
///
/// One component after the other: its weights are in memory in float16 while it is heard, then as they are going to be
/// stored while that is judged. The same checkpoint and options give the same result, whatever the number of threads.
struct Calibrator {
    /// What was found out.
    struct Result {
        /// By component and path; what is missing is stored as ever.
        var plans: [String: [String: WeightPlan]] = [:]
        var report: CalibrationReport
    }

    private let components: [String: CheckpointConverter.Component]
    private let weights: [String: CheckpointWeights]
    private let presets: [String: WeightPreset]
    private let options: CalibrationOptions
    private let backend: CPUBackend
    private let records = ProductRecords()

    /// - Parameters:
    ///   - components: all that the model has.
    ///   - presets: how they are to be stored; only those in int8 are looked at.
    init(
        _ components: [CheckpointConverter.Component], presets: [String: WeightPreset], _ options: CalibrationOptions,
        threads: Int
    ) throws {
        self.components = Dictionary(uniqueKeysWithValues: components.map { ($0.name, $0) })
        let encoder = WeightEncoder(workers: Workers(count: threads))
        weights = self.components.compactMapValues { component in
            component.weights.map { CheckpointWeights(component.name, $0, encoder) }
        }
        (self.presets, self.options) = (presets, options)
        // Our own kernels: what they compute does not depend on what is installed.
        backend = try CPUBackend(threadCount: threads, usesBLAS: false)
    }

    /// - Parameters:
    ///   - outline: a model file of the checkpoint that need not hold weights.
    ///   - report: hears which component is next.
    func run(outline: String, report: (_ component: String) throws -> Void) throws -> Result {
        let observed = backend.observed(by: records)
        let context = try GenerationContext(model: Model(opening: outline), backend: observed)
            .with(observed, weights: reference(backend))
        let request = options.request
        var result = Result(
            report: CalibrationReport(
                prompts: request.prompts, seconds: request.seconds, steps: request.steps, components: []))
        // The recording tells what it has done while it is made.
        try withoutActuallyEscaping(report) { report in
            _ = try StageRecording(request, of: context) { stage in
                try Task.checkCancellation()
                for weights in weights.values { weights.clear() }
                defer {
                    records.clear()
                    for weights in weights.values { weights.clear() }
                    backend.trim()
                }
                guard presets[stage.component] == .int8 else { return }
                try report(stage.component)
                try calibrate(stage, in: context, &result)
            }
        }
        return result
    }

    private func reference(_ backend: any Backend) -> @Sendable (String) throws -> any WeightSource {
        { [weights] name in
            guard let weights = weights[name] else { throw MappingError.unknownClass(file: name, className: "") }
            return PlannedSource(weights: weights, backend: backend, plan: WeightPlan.reference)
        }
    }

    private func calibrate(_ stage: StageRecording.Stage, in context: GenerationContext, _ result: inout Result) throws
    {
        guard let component = components[stage.component], let weights = weights[stage.component] else { return }
        let judge = ProductJudge(
            weights: weights, records: records.records,
            requirements: Dictionary(component.requirements.map { ($0.path, $0) }) { first, _ in first },
            backend: backend)
        let fitting = ComponentFitting(component.requirements, judge, target: options.target(of: stage.component))
        let reference = reference(backend)
        let (calibrated, plans) = try fitting.fit { plan in
            try stage.error(
                in: context.with(backend) { name in
                    guard name == weights.name else { return try reference(name) }
                    return PlannedSource(weights: weights, backend: backend, plan: plan)
                })
        }
        result.plans[stage.component] = plans
        result.report.components.append(calibrated)
    }
}

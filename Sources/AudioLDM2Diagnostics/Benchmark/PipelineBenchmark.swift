import AudioLDM2
import Diffusion
import Glibc
import Tensors

/// Times the stages of the pipeline on any model, trained or random.
public struct PipelineBenchmark: Sendable {
    private let context: GenerationContext
    private let steps: Int
    private let seconds: Double
    private let memoryLimit: Int?
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { context.deviceWarning }

    /// - Parameters:
    ///   - seconds: of sound; nil for the length that the model was trained on.
    ///   - steps: of the denoiser; the first one warms up and does not count, so at least 2.
    ///   - memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`.
    public init(
        modelAt path: String, seconds: Double? = nil, steps: Int = 3, threads: Int? = nil,
        device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) async throws {
        self = try await onOwnThread { _ in
            try PipelineBenchmark(
                opening: path, seconds: seconds, steps: steps, threads: threads, device: device,
                memoryLimit: memoryLimit)
        }
    }

    private init(
        opening path: String, seconds: Double?, steps: Int, threads: Int?, device: ComputeDevice?, memoryLimit: Int?
    ) throws {
        guard (2...1000).contains(steps) else {
            throw AudioLDM2Error(.invalidOption, "\(steps) steps: choose 2…1000; the first one does not count")
        }
        context = try AudioLDM2Error.translating {
            try GenerationContext(Model(opening: path), threads: threads, device: device)
        }
        self.memoryLimit = memoryLimit
        self.steps = steps
        self.seconds = seconds ?? context.model.defaultSeconds
    }

    /// Runs the whole pipeline once and times its stages.
    /// - Throws: `AudioLDM2Error`; `CancellationError`.
    public func run() async throws -> Report {
        try await onOwnThread { cancellation in
            let context = self.context.cancelled(by: cancellation)
            try context.model.requireTextEncoders()
            let length = try ClipLength(seconds: seconds, model: context.model)
            let peak = context.backend.peakProductsPerSecond.map { $0 / 1e9 }
            let tokens = try PromptEncoder(context: context).tokenize(
                "a dog barking while rain falls", negative: "low quality",
                speech: context.model.speaks ? .phonemes("wɪʃ juː hɐv ɐ ɡʊd dˈeɪ") : nil)
            let plan = try context.plan(
                limit: memoryLimit, soundBytes: 3 * length.samples * MemoryLayout<Float>.size, isGuided: true
            ) { _ = try measure(tokens, length, in: $0) }
            let planned = context.following(plan)
            let (timer, loop) = try measure(tokens, length, in: planned)
            let stepGMAC = loop.operations.values.reduce(0) { $0 + Double($1.products) } / Double(loop.metered) / 1e9
            return Report(
                seconds: seconds, steps: steps, threads: context.backend.threadCount, tier: context.backend.name,
                encodeSeconds: timer.seconds[.encoding] ?? 0, unetStepSeconds: loop.median, unetStepGMAC: stepGMAC,
                vaeSeconds: timer.seconds[.decoding] ?? 0, vocoderSeconds: timer.seconds[.vocoding] ?? 0,
                loadSeconds: planned.loading.seconds, gmacs: stepGMAC / loop.median, peakGmacs: peak,
                peakRSSBytes: Self.peakRSSBytes, utilization: loop.utilization,
                deviceMemoryBytes: loop.readings.map(\.usedBytes).max(), watts: loop.readings.compactMap(\.watts).mean,
                operations: Self.table(loop.operations), memoryPlan: plan.summary)
        }
    }

    /// All stages, with their times, and what the steps cost.
    private func measure(
        _ tokens: [PromptEncoder.Tokens], _ length: ClipLength, in context: GenerationContext
    ) throws -> (StageTimer, LoopCost) {
        var timer = StageTimer()
        let conditions = try timer.measure(.encoding) { try PromptEncoder(context: context).encode(tokens) }
        let (latents, cost) = try denoise(conditions, length, in: context)
        let decoder = LatentDecoder(context: context)
        let mel = try timer.measure(.decoding) { try decoder.mel(latents) }
        _ = try timer.measure(.vocoding) { try decoder.waveform(mel, samples: length.samples) }
        return (timer, cost)
    }

    /// The diffusion loop, with the cost of each step. A device that works on its own would have to be waited for to meter
    /// operations, so there they are those of another step, whose time does not count.
    private func denoise(
        _ conditions: [Condition], _ length: ClipLength, in context: GenerationContext
    ) throws -> (Tensor, LoopCost) {
        let (config, backend) = (context.model.unetConfig, context.backend)
        return try context.withUNet { unet in
            var source = NoiseSource(seeds: [0], on: backend)
            var sample = try source.normal([1, length.latentFrames, length.latentBands, config.inChannels])
            let all = backend.holdsWeights ? steps + 1 : steps
            var scheduler = try makeScheduler(.ddim, config: context.model.schedulerConfig, steps: all)
            let conditioned = try ConditionedUNet(unet, conditions: [conditions], context: context)
            var predictor: any NoisePredictor = try conditioned.predictor(
                at: scheduler.timesteps, Guidance(scale: SoundOptions().guidanceScale))
            let loop = DiffusionLoop(context: context)
            var cost = LoopCost(metered: backend.holdsWeights ? 1 : steps - 1)
            for step in scheduler.timesteps.indices.prefix(context.memory.stepLimit) {
                if step == all - cost.metered { backend.startMetering() }
                let start = UsedTime()
                sample = try loop.step(step, sample, &scheduler, &predictor) { _ in sample }
                try backend.synchronize()
                if (1..<steps).contains(step) { cost.add(UsedTime().since(start), backend.reading) }
            }
            cost.operations = backend.operationTotals
            cost.threads = backend.threadCount
            return (sample, cost)
        }
    }

    private static func table(_ totals: [String: OperationTotal]) -> [Report.Operation] {
        totals.map { name, total in
            Report.Operation(
                name: name, calls: total.calls, seconds: total.seconds,
                gmacs: total.products > 0 ? Double(total.products) / total.seconds / 1e9 : 0)
        }.sorted { $0.seconds > $1.seconds }
    }

    private static var peakRSSBytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}

/// What the steps of a loop cost.
private struct LoopCost {
    /// Steps whose operations were counted.
    let metered: Int
    var operations: [String: OperationTotal] = [:]
    var threads = 1
    private(set) var readings: [DeviceReading] = []
    private var steps: [UsedTime] = []

    init(metered: Int) { self.metered = metered }

    mutating func add(_ step: UsedTime, _ reading: DeviceReading?) {
        steps.append(step)
        if let reading { readings.append(reading) }
    }

    /// Seconds of a step.
    var median: Double { steps.map(\.wall).sorted()[steps.count / 2] }

    /// By the device's own account, or of this process' threads.
    var utilization: Double? {
        if !readings.isEmpty {
            let told = readings.compactMap(\.utilization)
            return told.isEmpty ? nil : told.mean
        }
        let wall = steps.reduce(0) { $0 + $1.wall }
        return wall > 0 ? steps.reduce(0) { $0 + $1.processor } / wall / Double(threads) : nil
    }
}

/// Time that has passed, and that the process has computed on all of its threads, in seconds.
private struct UsedTime {
    let wall, processor: Double

    init() { self.init(wall: Self.now(CLOCK_MONOTONIC), processor: Self.now(CLOCK_PROCESS_CPUTIME_ID)) }

    private init(wall: Double, processor: Double) { (self.wall, self.processor) = (wall, processor) }

    func since(_ start: UsedTime) -> UsedTime {
        UsedTime(wall: wall - start.wall, processor: processor - start.processor)
    }

    private static func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension [Double] {
    fileprivate var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}

import Compute
import Foundation

/// Text to sound, from one model file.
///
///     let pipeline = try AudioLDM2Pipeline(modelAt: "audioldm2.aldm")
///     let clip = try await pipeline.generate("a dog barking", options: .init(seconds: 5)).clip
///     try clip.write(to: "dog.wav")
///
/// A pipeline holds no weights between calls: each stage maps or decompresses its own, computes, and lets them go.
public final class AudioLDM2Pipeline: Sendable {
    private let model: Model
    private let backend: CPUBackend

    /// Numbers of threads that can be asked for.
    public static let threadsRange = 1...1024

    /// Opens a model and checks its configuration; reads no weights yet.
    /// - Parameter threads: to compute with; nil for one per core.
    /// - Throws: `AudioLDM2Error` for a file that is missing, damaged, foreign, or asks for what this version does not do.
    public init(modelAt path: String, threads: Int? = nil) throws {
        (model, backend) = try AudioLDM2Error.translating {
            let model = try Model(opening: path)
            return (model, try CPUBackend(for: model, requestedThreads: threads))
        }
    }

    /// Of the sounds it makes, in Hz.
    public var sampleRate: Int { model.vocoderConfig.samplingRate }

    /// The length that the model was trained on and makes unless told otherwise.
    public var defaultSeconds: Double { model.defaultSeconds }

    /// The kernels in use: "avx512vnni", "avx2", …
    public var instructionSet: String { backend.tierName }

    public var threads: Int { backend.threadCount }

    /// What memory a prompt, however long, will take with these options.
    /// - Throws: `AudioLDM2Error`: of kind `.outOfMemory`, with the least that would do, if their limit is too low.
    public func memoryPlan(options: GenerationOptions = .init()) throws -> MemoryPlan {
        try AudioLDM2Error.translating {
            try Generation(prompt: "", options: options, context: StageContext(model: model, backend: backend)).plan()
        }
    }

    /// Makes a sound.
    /// - Throws: `AudioLDM2Error`; `CancellationError` if the surrounding task is cancelled, within a step.
    public func generate(_ prompt: String, options: GenerationOptions = .init()) async throws -> GenerationResult {
        for try await event in events(prompt, options: options) {
            if case .finished(let result) = event { return result }
        }
        throw CancellationError()
    }

    /// Makes a sound and reports on the way. The last event is `.finished`.
    ///
    /// The work runs on its own thread and stops soon after the iteration is given up or its task cancelled.
    public func events(
        _ prompt: String, options: GenerationOptions = .init()
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
        let cancellation = CancellationFlag()
        continuation.onTermination = { _ in cancellation.cancel() }
        let worker = Thread { [model, backend] in
            do {
                let context = StageContext(
                    model: model, backend: backend, cancellation: cancellation,
                    report: { continuation.yield($0) })
                let result = try AudioLDM2Error.translating {
                    try Generation(prompt: prompt, options: options, context: context).run()
                }
                continuation.yield(.finished(result))
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        worker.name = "audioldm2"
        worker.stackSize = 2 << 20
        worker.start()
        return stream
    }
}

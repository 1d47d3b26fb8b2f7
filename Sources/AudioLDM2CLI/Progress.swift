import ArgumentParser
import AudioLDM2
import Terminal

/// - Throws: `ValidationError` for an `--output` whose extension is no sound file's.
func validateSoundFile(_ output: String) throws {
    guard AudioClip.fileExtensions.contains(where: { output.lowercased().hasSuffix(".\($0)") }) else {
        throw ValidationError(
            "--output \(output): name a file that ends in ." + AudioClip.fileExtensions.joined(separator: ", .") + ".")
    }
}

/// Follows a generation to its end, showing how far it is.
/// - Throws: what the generation throws; `CancellationError` if its task is cancelled.
func follow(
    _ events: AsyncThrowingStream<GenerationEvent, any Error>, quiet: Bool, verbose: Bool = false
) async throws -> GenerationResult {
    let line = ProgressLine(quiet: quiet)
    defer { line.clear() }
    for try await event in events {
        switch event {
        case .plan(let plan):
            if verbose { printNote("\(plan)") }
        case .progress(let progress):
            line.show(progress)
        case .warning(let text):
            line.clear()
            if !quiet { printWarning(text) }
        case .finished(let result):
            return result
        }
    }
    throw CancellationError()
}

extension ProgressLine {
    /// - Parameter name: of the sound that is being made, if there are several.
    func show(_ progress: GenerationProgress, of name: String = "") {
        let detail = progress.total > 1 ? "\(progress.completed) of \(progress.total)" : ""
        show(
            progress.stage.rawValue + (name.isEmpty ? "" : " " + name),
            share: Double(progress.completed) / Double(max(progress.total, 1)), detail: detail)
    }
}

/// What `--json` prints about a sound, beside its record.
struct ResultSummary: Encodable {
    let record: SoundRecord
    let output: String
    var spectrogram: String?
    let sampleRate: Int
    let stageSeconds: [String: Double]
    let memoryPlan: MemoryPlan

    init(_ result: GenerationResult, output: String, spectrogram: String? = nil) {
        record = result.record
        self.output = output
        self.spectrogram = spectrogram
        sampleRate = result.clip.sampleRate
        memoryPlan = result.memoryPlan
        stageSeconds = Dictionary(uniqueKeysWithValues: result.stageSeconds.map { ($0.key.rawValue, $0.value) })
    }

    private enum CodingKeys: CodingKey { case output, spectrogram, sampleRate, stageSeconds, memoryPlan }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(output, forKey: .output)
        try container.encodeIfPresent(spectrogram, forKey: .spectrogram)
        try container.encode(sampleRate, forKey: .sampleRate)
        try container.encode(stageSeconds, forKey: .stageSeconds)
        try container.encode(memoryPlan, forKey: .memoryPlan)
    }
}

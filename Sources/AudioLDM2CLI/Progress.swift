import ArgumentParser
import AudioLDM2
import Synchronization
import Terminal

/// - Throws: `ValidationError` for an `--output` whose extension is no sound file's.
func validateSoundFile(_ output: String) throws {
    guard AudioClip.fileExtensions.contains(where: { output.lowercased().hasSuffix(".\($0)") }) else {
        throw ValidationError(
            "--output \(output): name a file that ends in ." + AudioClip.fileExtensions.joined(separator: ", .") + ".")
    }
}

/// Follows work on sounds to its end, showing how far it is and what is to be known.
/// - Parameters:
///   - name: of a sound by its number, if there are several.
///   - namesWarnings: whether warnings say which sound they are about.
///   - failed: what becomes of a sound that could not be made while others go on.
///   - finished: gets the sounds as they are made.
/// - Throws: what the work and the closures throw; `CancellationError` if its task is cancelled.
func follow(
    _ events: AsyncThrowingStream<SoundEvent, any Error>, quiet: Bool, verbose: Bool = false,
    name: (Int) -> String = { _ in "" }, namesWarnings: Bool = true,
    failed: (SoundFailure) throws -> Void = { _ in },
    finished: (SoundResult) throws -> Void
) async throws {
    let line = ProgressLine(quiet: quiet)
    defer { line.clear() }
    for try await event in events {
        switch event {
        case .plan(let plan):
            if verbose { printNote("\(plan)") }
        case .progress(let progress):
            line.show(progress, of: name(progress.sound))
        case .warning(let warning):
            line.clear()
            let subject = namesWarnings ? warning.sound.map(name) ?? "" : ""
            if !quiet, isNew(warning) { printWarning(subject.isEmpty ? "\(warning)" : "\(subject): \(warning)") }
        case .finished(let result):
            line.clear()
            try finished(result)
        case .failed(let failure):
            line.clear()
            try failed(failure)
        }
    }
    try Task.checkCancellation()
}

/// What is about no sound is said once, however many jobs there are.
private func isNew(_ warning: SoundWarning) -> Bool {
    warning.sound != nil || said.withLock { $0.insert(warning.description).inserted }
}

private let said = Mutex<Set<String>>([])

/// Follows the making of one sound.
func follow(
    _ events: AsyncThrowingStream<SoundEvent, any Error>, quiet: Bool, verbose: Bool
) async throws -> SoundResult {
    var result: SoundResult?
    try await follow(events, quiet: quiet, verbose: verbose) { result = $0 }
    guard let result else { throw CancellationError() }
    return result
}

/// Follows candidates.
/// - Returns: those that are kept, best first.
func follow(
    _ events: AsyncThrowingStream<SoundEvent, any Error>, count: Int, quiet: Bool, verbose: Bool
) async throws -> [SoundResult] {
    var kept: [SoundResult] = []
    let line = { (number: Int) in "\(number + 1) of \(count)" }
    try await follow(events, quiet: quiet, verbose: verbose, name: line, namesWarnings: false) { kept.append($0) }
    return kept
}

extension ProgressLine {
    /// - Parameter name: of the sound that is being made, if there are several.
    func show(_ progress: SoundProgress, of name: String = "") {
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

    init(_ result: SoundResult, output: String, spectrogram: String? = nil) {
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

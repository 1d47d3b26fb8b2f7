import ArgumentParser
import AudioLDM2
import Foundation
import Terminal

extension GenerateCommand {
    /// Makes the candidates and writes those that are kept.
    func runCandidates(_ pipeline: AudioLDM2Pipeline, _ options: GenerationOptions) async throws {
        let events = pipeline.events(ranking: candidates, keeping: keep, of: prompt, options: options)
        let work = Task { [quiet, verbose, candidates] in
            try await follow(events, count: candidates, quiet: quiet, verbose: verbose)
        }
        let interrupts = Interrupts { work.cancel() }
        defer { interrupts.stop() }
        do {
            let kept = try await work.value
            let files = kept.indices.map { kept.count == 1 ? output : numbered($0 + 1) }
            for (sound, file) in zip(kept, files) { try sound.result.clip.write(to: file, record: sound.result.record) }
            if json {
                print(try Terminal.json(zip(kept, files).map { ResultSummary($0.result, output: $1) }))
            } else if !quiet {
                for (sound, file) in zip(kept, files) {
                    print("\(file): " + String(format: "score %+.4f, seed %llu", sound.score, sound.result.seed))
                }
            }
        } catch is CancellationError {
            if !quiet { printNote("stopped; nothing was written") }
            throw ExitCode(130)
        }
    }

    /// `dog.wav` as `dog-2.wav`.
    private func numbered(_ number: Int) -> String {
        let path = output as NSString
        return "\(path.deletingPathExtension)-\(number).\(path.pathExtension)"
    }
}

/// Follows candidates to their end, showing how far they are.
private func follow(
    _ events: AsyncThrowingStream<RankingEvent, any Error>, count: Int, quiet: Bool, verbose: Bool
) async throws -> [RankedSound] {
    let line = ProgressLine(quiet: quiet)
    defer { line.clear() }
    for try await event in events {
        switch event {
        case .plan(let plan):
            if verbose { printNote("\(plan)") }
        case .progress(let progress, let candidate):
            line.show(progress, of: "\(candidate + 1) of \(count)")
        case .warning(let text):
            line.clear()
            if !quiet { printNote("warning: " + text) }
        case .finished(let sounds):
            return sounds
        }
    }
    throw CancellationError()
}

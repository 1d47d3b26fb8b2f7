import ArgumentParser
import AudioLDM2
import Glibc
import Terminal
import Text

/// How many sounds are made, and how many of them kept.
struct CandidateFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Make so many sounds, of this seed and the next ones, and keep what fits the prompt best by CLAP.")
    var candidates = 1

    @Option(parsing: .unconditional, help: "How many of the candidates to write, best first: NAME-1, NAME-2, ….")
    var keep = 1

    /// Where the sounds that are kept are written.
    func files(of output: String) -> [String] {
        candidates == 1 || keep == 1 ? [output] : (1...keep).map { numbered(output, $0) }
    }

    /// Checks all files before any work is done for them.
    func checkWritable(_ output: String) throws { for file in files(of: output) { try AudioClip.checkWritable(file) } }

    func validate() throws {
        guard (1...64).contains(candidates), (1...candidates).contains(keep) else {
            throw ValidationError(
                "--candidates \(candidates) --keep \(keep): choose 1 to 64, and keep 1 or more of them.")
        }
    }
}

/// Writes a sound.
/// - Returns: what was written.
@discardableResult
func write(_ result: SoundResult, to file: String, quiet: Bool) throws -> SoundResult {
    warnOfClipping(try result.clip.write(to: file, record: result.record), file, quiet: quiet)
    return result
}

/// Says if some of a sound could not be kept: of one that was changed, the samples may lie anywhere.
func warnOfClipping(_ samples: Int, _ file: String, quiet: Bool) {
    guard samples > 0, !quiet else { return }
    printWarning("\(file): \(samples) samples lie beyond ±1 and were clipped; make the sound quieter to keep them")
}

/// Writes the sounds that are kept, and says so.
func writeRanked(
    _ kept: [SoundResult], to output: String, json: Bool, quiet: Bool,
    _ write: (SoundResult, _ file: String, _ quiet: Bool) throws -> SoundResult = write(_:to:quiet:)
) throws {
    let files = kept.indices.map { kept.count == 1 ? output : numbered(output, $0 + 1) }
    let written = try zip(kept, files).map { try write($0, $1, quiet) }
    if json {
        print(try Terminal.json(zip(written, files).map { ResultSummary($0, output: $1) }))
    } else if !quiet {
        for (result, file) in zip(kept, files) {
            print("\(file): " + String(printf: "score %+.4f, seed %llu", result.score ?? 0, result.seed))
        }
    }
}

/// `dog.wav` as `dog-2.wav`.
private func numbered(_ path: String, _ number: Int) -> String {
    let dot = path.lastIndex(of: ".") ?? path.endIndex
    return "\(path[..<dot])-\(number)\(path[dot...])"
}

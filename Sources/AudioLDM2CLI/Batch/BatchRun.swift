import AudioLDM2
import Batches
import Glibc
import Terminal

/// How a batch ended.
struct BatchSummary: Encodable, Sendable {
    struct Failure: Encodable, Sendable {
        let line: Int
        let error: String
    }

    var made = 0
    /// There before.
    var skipped = 0
    var failed: [Failure] = []
}

/// Makes the sounds of a batch that are not there yet, some at a time.
final class BatchRun {
    let pipeline: AudioLDM2Pipeline
    let manifest: BatchManifest
    /// What was said for all lines.
    let defaults: SoundSettings
    let memoryLimit: Int?
    let firstSeed: UInt64
    let format: String
    let quiet: Bool
    private let conditions: BatchConditions
    private var summary = BatchSummary()
    /// Which line has an output, by its name's bytes, as the system tells names apart: texts that look alike may be different
    /// names.
    private var outputs: [[UInt8]: Int] = [:]

    init(
        pipeline: AudioLDM2Pipeline, manifest: BatchManifest, defaults: SoundSettings, memoryLimit: Int?,
        firstSeed: UInt64, format: String, quiet: Bool
    ) {
        self.pipeline = pipeline
        self.manifest = manifest
        self.defaults = defaults
        self.memoryLimit = memoryLimit
        self.firstSeed = firstSeed
        self.format = format
        self.quiet = quiet
        conditions = BatchConditions(pipeline)
    }

    private struct Job {
        let number: Int
        let line: BatchLine
    }

    /// - Throws: `CancellationError`, and `AudioLDM2Error` for what stops all lines: the model file, the manifest.
    func make(_ input: BatchInput, together: Int) async throws -> BatchSummary {
        try await input.forEachGroup { try await self.make($0, together: together) }
        summary.failed.sort { $0.line < $1.line }
        return summary
    }

    private func make(_ lines: [BatchFile.Line], together: Int) async throws {
        let jobs = try await jobs(lines)
        let single = jobs.filter { $0.line.candidates == 1 }
        for start in stride(from: 0, to: single.count, by: together) {
            try await make(single[start..<min(start + together, single.count)])
        }
        for job in jobs where job.line.candidates > 1 { try await makeBest(job) }
    }

    /// What is to be made; notes lines that cannot be.
    private func jobs(_ lines: [BatchFile.Line]) async throws -> [Job] {
        var jobs: [Job] = []
        for line in lines {
            do {
                let seed = firstSeed &+ UInt64(line.number - 1)
                let parsed = try await BatchLine(
                    line, defaults: defaults, memoryLimit: memoryLimit, seed: seed, format: format,
                    conditions: conditions)
                if let other = outputs.updateValue(line.number, forKey: Array(parsed.output.utf8)) {
                    throw AudioLDM2Error(.invalidOption, "\"output\" is \"\(parsed.output)\", as in line \(other)")
                }
                let record = try pipeline.record(of: parsed.prompt, options: parsed.options)
                if try manifest.contains(parsed.output, record: record, candidates: parsed.candidates) {
                    summary.skipped += 1
                } else {
                    try AudioClip.checkWritable(
                        manifest.file(parsed.output), sampleRate: parsed.options.sampleRate ?? pipeline.sampleRate,
                        encoding: parsed.options.encoding)
                    jobs.append(Job(number: line.number, line: parsed))
                }
            } catch let error as AudioLDM2Error {
                try fail(line.number, error)
            }
        }
        return jobs
    }

    /// Makes the candidates of one line, and keeps the best.
    private func makeBest(_ job: Job) async throws {
        let (line, count) = (job.line, job.line.candidates)
        do {
            let events = pipeline.events(ranking: count, of: line.prompt, options: line.options)
            for result in try await follow(events, count: count, quiet: quiet, verbose: false) {
                try keep(result, job)
                summary.made += 1
            }
        } catch let error as AudioLDM2Error where error.kind != .modelFile {
            try fail(job.number, error)
        }
    }

    private func make(_ jobs: ArraySlice<Job>) async throws {
        let jobs = Array(jobs)
        let requests = jobs.map { SoundRequest(prompt: $0.line.prompt, options: $0.line.options) }
        try await follow(
            pipeline.events(of: requests), quiet: quiet, name: { "line \(jobs[$0].number)" },
            failed: { try fail(jobs[$0.sound].number, $0.error) },
            finished: { result in
                do {
                    try keep(result, jobs[result.sound])
                    summary.made += 1
                } catch let error as AudioLDM2Error {
                    try fail(jobs[result.sound].number, error)
                }
            })
    }

    private func keep(_ result: SoundResult, _ job: Job) throws {
        let output = job.line.output
        try write(result, to: manifest.file(output), quiet: quiet)
        try manifest.append(
            .init(
                line: job.number, status: .made, output: output, bytes: manifest.byteCount(output),
                record: result.record,
                stageSeconds: Dictionary(
                    uniqueKeysWithValues: result.stageSeconds.map { ($0.key.rawValue, $0.value) })))
    }

    private func fail(_ line: Int, _ error: AudioLDM2Error) throws {
        summary.failed.append(.init(line: line, error: error.description))
        try manifest.append(.init(line: line, status: .failed, error: error.description))
    }
}

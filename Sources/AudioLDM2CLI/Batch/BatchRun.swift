import AudioLDM2
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
struct BatchRun: Sendable {
    let pipeline: AudioLDM2Pipeline
    let manifest: BatchManifest
    /// What was said for all lines.
    let defaults: SoundSettings
    let memoryLimit: Int?
    let firstSeed: UInt64
    let format: String
    let quiet: Bool

    private struct Job {
        let number: Int
        let line: BatchLine
    }

    /// - Throws: `CancellationError`, and `AudioLDM2Error` for what stops all lines: the model file, the manifest.
    func make(_ lines: [BatchFile.Line], together: Int) async throws -> BatchSummary {
        var summary = BatchSummary()
        let jobs = try await jobs(lines, &summary)
        let single = jobs.filter { $0.line.candidates == 1 }
        for start in stride(from: 0, to: single.count, by: together) {
            try await make(single[start..<min(start + together, single.count)], &summary)
        }
        for job in jobs where job.line.candidates > 1 { try await makeBest(job, &summary) }
        summary.failed.sort { $0.line < $1.line }
        return summary
    }

    /// What is to be made; notes lines that cannot be.
    private func jobs(_ lines: [BatchFile.Line], _ summary: inout BatchSummary) async throws -> [Job] {
        var jobs: [Job] = []
        let conditions = BatchConditions(pipeline)
        // By bytes, as the system tells names apart: texts that look alike may be different names.
        var outputs: [[UInt8]: Int] = [:]
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
                if manifest.contains(parsed.output, record: record, candidates: parsed.candidates) {
                    summary.skipped += 1
                } else {
                    try AudioClip.checkWritable(manifest.file(parsed.output))
                    jobs.append(Job(number: line.number, line: parsed))
                }
            } catch let error as AudioLDM2Error {
                try fail(line.number, error, &summary)
            }
        }
        return jobs
    }

    /// Makes the candidates of one line, and keeps the best.
    private func makeBest(_ job: Job, _ summary: inout BatchSummary) async throws {
        let (line, count) = (job.line, job.line.candidates)
        do {
            let events = pipeline.events(ranking: count, of: line.prompt, options: line.options)
            for result in try await follow(events, count: count, quiet: quiet, verbose: false) {
                try keep(result, job)
                summary.made += 1
            }
        } catch let error as AudioLDM2Error where error.kind != .modelFile {
            try fail(job.number, error, &summary)
        }
    }

    private func make(_ jobs: ArraySlice<Job>, _ summary: inout BatchSummary) async throws {
        let jobs = Array(jobs)
        let requests = jobs.map { SoundRequest(prompt: $0.line.prompt, options: $0.line.options) }
        try await follow(
            pipeline.events(of: requests), quiet: quiet, name: { "line \(jobs[$0].number)" },
            failed: { try fail(jobs[$0.sound].number, $0.error, &summary) },
            finished: { result in
                do {
                    try keep(result, jobs[result.sound])
                    summary.made += 1
                } catch let error as AudioLDM2Error {
                    try fail(jobs[result.sound].number, error, &summary)
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

    private func fail(_ line: Int, _ error: AudioLDM2Error, _ summary: inout BatchSummary) throws {
        summary.failed.append(.init(line: line, error: error.description))
        try manifest.append(.init(line: line, status: .failed, error: error.description))
    }
}

import AudioLDM2
import Batches
import Files
import FoundationEssentials
import Glibc

/// The manifests of a batch's shards as one, in the order of the lines.
struct BatchMerge {
    struct Report: Encodable {
        let manifest: String
        /// Lines that ask for a sound.
        let lines: Int
        var made = 0
        var failed: [BatchSummary.Failure] = []
        /// Lines of which nothing is known, or whose sounds are not there.
        var missing: [Int] = []

        /// "2, 5-9".
        var missingLines: String {
            let ranges = missing.reduce(into: [ClosedRange<Int>]()) { ranges, line in
                if let last = ranges.last, last.upperBound == line - 1 {
                    ranges[ranges.count - 1] = last.lowerBound...line
                } else {
                    ranges.append(line...line)
                }
            }
            return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
                .joined(separator: ", ")
        }
    }

    let folder: String
    /// The lines that ask for a sound, in order.
    let lines: [BatchFile.Line]

    private var path: String { folder + "/" + Shard().manifestName }

    /// Writes the joined manifest, which appears when it is complete.
    /// - Throws: `AudioLDM2Error` of kind `.file`, also for sounds that were made of another file's lines.
    func write() throws -> Report {
        guard !lines.isEmpty else { throw AudioLDM2Error(.file, "there are no lines whose sounds could be joined") }
        let prompts = Dictionary(lines.map { ($0.number, try? BatchFields($0).prompt) }) { $1 }
        var best: [Int: (error: String?, line: ArraySlice<UInt8>)] = [:]
        for name in try BatchManifest.names(in: folder) {
            try BatchManifest.entries(of: folder + "/" + name) { entry, bytes in
                switch entry.status {
                // What is there counts more than what failed; of two the later one.
                case .made where isThere(entry):
                    try requireLine(of: entry, among: prompts, in: name)
                    best[entry.line] = (nil, bytes)
                case .failed where best[entry.line].map({ $0.error != nil }) ?? true:
                    best[entry.line] = (entry.error ?? "no reason is known", bytes)
                default: break
                }
            }
        }
        var report = Report(manifest: path, lines: lines.count)
        var bytes: [UInt8] = []
        for line in lines.map(\.number) {
            guard let entry = best[line] else {
                report.missing.append(line)
                continue
            }
            bytes += entry.line + [UInt8(ascii: "\n")]
            if let error = entry.error {
                report.failed.append(.init(line: line, error: error))
            } else {
                report.made += 1
            }
        }
        do {
            let file = try AtomicFile(path: path)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.commit()
        } catch let error as FileError {
            throw AudioLDM2Error(.file, "\(path): cannot be written: \(error.reason)")
        }
        return report
    }

    /// Joined with another file's lines a manifest would say of sounds what they are not, and forget others.
    private func requireLine(of entry: BatchManifest.Entry, among prompts: [Int: String?], in name: String) throws {
        let remedy = "give the file that the sounds were made of, or another --output-dir"
        guard let prompt = prompts[entry.line] else {
            throw AudioLDM2Error(
                .file, "\(folder)/\(name): has a sound of line \(entry.line), which is none; \(remedy)")
        }
        guard let made = entry.record?.prompt, let prompt, made != prompt else { return }
        throw AudioLDM2Error(
            .file,
            "\(folder)/\(name): line \(entry.line)'s sound is of \"\(made)\", and not of \"\(prompt)\"; \(remedy)")
    }

    private func isThere(_ entry: BatchManifest.Entry) -> Bool {
        guard let output = entry.output, let status = FileName.status(folder + "/" + output) else { return false }
        return entry.bytes == Int(status.st_size)
    }
}

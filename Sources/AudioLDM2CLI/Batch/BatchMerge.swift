import AudioLDM2
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
    /// Numbers of the lines that ask for a sound, rising.
    let lines: [Int]

    private var path: String { folder + "/" + Shard().manifestName }

    /// Writes the joined manifest, which appears when it is complete.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    func write() throws -> Report {
        var best: [Int: (error: String?, line: ArraySlice<UInt8>)] = [:]
        for name in try BatchManifest.names(in: folder) {
            try BatchManifest.entries(of: folder + "/" + name) { entry, bytes in
                switch entry.status {
                // What is there counts more than what failed; of two the later one.
                case .made where isThere(entry): best[entry.line] = (nil, bytes)
                case .failed where best[entry.line].map({ $0.error != nil }) ?? true:
                    best[entry.line] = (entry.error ?? "no reason is known", bytes)
                default: break
                }
            }
        }
        var report = Report(manifest: path, lines: lines.count)
        var bytes: [UInt8] = []
        for line in lines {
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

    private func isThere(_ entry: BatchManifest.Entry) -> Bool {
        guard let output = entry.output, let status = FileName.status(folder + "/" + output) else { return false }
        return entry.bytes == Int(status.st_size)
    }
}

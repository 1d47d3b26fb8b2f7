import AudioLDM2
import Files
import FoundationEssentials
import Glibc

/// What became of each line, as lines of JSON in the folder of the sounds.
struct BatchManifest: Sendable {
    struct Entry: Codable, Sendable {
        enum Status: String, Codable, Sendable { case made, failed }

        var line: Int
        var status: Status
        var output: String?
        /// Of the sound's file.
        var bytes: Int?
        var record: SoundRecord?
        var stageSeconds: [String: Double]?
        var error: String?
    }

    let folder: String
    let path: String
    /// What earlier runs made, by the bytes of the output's name.
    private let made: [[UInt8]: Entry]

    /// - Throws: `AudioLDM2Error` for a manifest that cannot be read. Lines that are not entries are passed over: the last
    ///   one is incomplete if a run was killed.
    init(folder: String, shard: Shard) throws {
        self.folder = folder
        path = folder + "/" + shard.manifestName
        var made: [[UInt8]: Entry] = [:]
        let names: [String]
        do {
            names = try FileName.contents(ofFolder: folder).sorted()
        } catch let error as FileError {
            throw AudioLDM2Error(.file, "\(folder): cannot be read: \(error.reason)")
        }
        for name in names where name.hasPrefix("manifest") && name.hasSuffix(".jsonl") {
            let data: [UInt8]
            do {
                data = try RegularFile.contents(of: folder + "/" + name, limit: .max)
            } catch let error as FileError {
                throw AudioLDM2Error(.file, "\(folder)/\(name): cannot be read: \(error.reason)")
            }
            for line in data.split(separator: UInt8(ascii: "\n")) {
                guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) else { continue }
                if entry.status == .made, let output = entry.output { made[Array(output.utf8)] = entry }
            }
        }
        self.made = made
    }

    func file(_ output: String) -> String { folder + "/" + output }

    /// True if a file of this name is there, whole, and was made in this very way: as the best of so many candidates, or
    /// where seeds made silence, with the record's seed or one of the next.
    func contains(_ output: String, record: SoundRecord, candidates: Int) -> Bool {
        guard let entry = made[Array(output.utf8)], var found = entry.record else { return false }
        let attempts = candidates > 1 ? candidates : (record.silenceRetries ?? 0) + 1
        guard found.candidates == (candidates > 1 ? candidates : nil), found.seed &- record.seed < UInt64(attempts)
        else { return false }
        found.seed = record.seed
        found.candidates = nil
        found.score = nil
        found.silenceRetries = record.silenceRetries
        guard found == record else { return false }
        return byteCount(output).map { $0 == entry.bytes } ?? false
    }

    func byteCount(_ output: String) -> Int? {
        FileName.status(file(output)).map { Int($0.st_size) }
    }

    /// Adds a line, on the disk when it returns.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    func append(_ entry: Entry) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes = Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")]
        let descriptor = try FileName.with(path) { open($0, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        // A line that a killed run left incomplete must not swallow this one.
        var last: UInt8 = 0
        let end = lseek(descriptor, 0, SEEK_END)
        if end > 0, pread(descriptor, &last, 1, end - 1) == 1, last != UInt8(ascii: "\n") {
            bytes.insert(UInt8(ascii: "\n"), at: 0)
        }
        let count = write(descriptor, bytes, bytes.count)
        if count >= 0, count < bytes.count {
            // Half a line: the disk is full. It must not stay.
            ftruncate(descriptor, max(end, 0))
            errno = ENOSPC
        }
        guard count == bytes.count, fsync(descriptor) == 0 else { throw failure() }
    }

    private func failure() -> AudioLDM2Error {
        AudioLDM2Error(.file, "\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
}

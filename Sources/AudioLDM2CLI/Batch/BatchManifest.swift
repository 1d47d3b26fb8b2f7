import AudioLDM2
import Files
import FoundationEssentials
import Glibc
import Synchronization

/// What became of each line, as lines of JSON in the folder of the sounds.
final class BatchManifest: Sendable {
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
    private let name: String
    /// What earlier runs made, by the bytes of the output's name.
    private let made: Mutex<Made>

    private struct Made {
        var entries: [[UInt8]: Entry] = [:]
        /// Manifests of other shards, which are not read before a sound is found that the own one does not know.
        var others: [String] = []
    }

    /// - Throws: `AudioLDM2Error` for a manifest that cannot be read.
    init(folder: String, shard: Shard) throws {
        self.folder = folder
        name = shard.manifestName
        path = folder + "/" + name
        let names = try Self.names(in: folder)
        var made = Made(others: names.filter { [name] in $0 != name })
        if names.contains(name) { try Self.read(path) { made.entries[Array($1.utf8)] = $0 } }
        self.made = Mutex(made)
    }

    /// Manifests of a folder, that of a whole batch first.
    /// - Throws: `AudioLDM2Error` for a folder that cannot be read.
    static func names(in folder: String) throws -> [String] {
        do {
            return try FileName.contents(ofFolder: folder).filter {
                $0.hasPrefix("manifest") && $0.hasSuffix(".jsonl")
            }.sorted { ($0.count, $0) < ($1.count, $1) }
        } catch let error as FileError {
            throw AudioLDM2Error(.file, "\(folder): cannot be read: \(error.reason)")
        }
    }

    /// Entries of sounds that were made, with the names of their files.
    private static func read(_ path: String, _ take: (Entry, String) -> Void) throws {
        try entries(of: path) { entry, _ in
            if entry.status == .made, let output = entry.output { take(entry, output) }
        }
    }

    /// Lines that are not entries are passed over: the last one is incomplete if a run was killed.
    /// - Throws: `AudioLDM2Error` for a manifest that cannot be read.
    /// - Parameter take: gets entries, and their lines without ends.
    static func entries(of path: String, _ take: (Entry, ArraySlice<UInt8>) throws -> Void) throws {
        let data: [UInt8]
        do {
            data = try RegularFile.contents(of: path, limit: .max)
        } catch let error as FileError {
            throw AudioLDM2Error(.file, "\(path): cannot be read: \(error.reason)")
        }
        let decoder = JSONDecoder()
        for line in data.split(separator: UInt8(ascii: "\n")) {
            if let entry = try? decoder.decode(Entry.self, from: Data(line)) { try take(entry, line) }
        }
    }

    /// What an earlier run made under this name, of which there is a file.
    private func entry(_ output: String) throws -> Entry? {
        try made.withLock { made in
            let key = Array(output.utf8)
            if let own = made.entries[key] { return own }
            for other in made.others {
                try Self.read(folder + "/" + other) { entry, output in
                    let key = Array(output.utf8)
                    made.entries[key] = made.entries[key] ?? entry
                }
            }
            made.others = []
            return made.entries[key]
        }
    }

    func file(_ output: String) -> String { folder + "/" + output }

    /// True if a file of this name is there, whole, and was made in this very way: as the best of so many candidates, or
    /// where seeds made silence, with the record's seed or one of the next.
    /// - Throws: `AudioLDM2Error` for a manifest that cannot be read.
    func contains(_ output: String, record: SoundRecord, candidates: Int) throws -> Bool {
        guard let bytes = byteCount(output), let entry = try entry(output), var found = entry.record else {
            return false
        }
        let attempts = candidates > 1 ? candidates : (record.silenceRetries ?? 0) + 1
        guard found.candidates == (candidates > 1 ? candidates : nil), found.seed &- record.seed < UInt64(attempts)
        else { return false }
        found.seed = record.seed
        found.candidates = nil
        found.score = nil
        found.silenceRetries = record.silenceRetries
        if record.trimsSilence == true { found.seconds = record.seconds }
        return found == record && bytes == entry.bytes
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
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = count < 0 ? errno : ENOSPC
                // Half a line must not stay.
                if written > 0, end >= 0 { ftruncate(descriptor, end) }
                errno = code
                throw failure()
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure() }
    }

    private func failure() -> AudioLDM2Error {
        AudioLDM2Error(.file, "\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
}

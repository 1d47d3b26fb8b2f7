import CKernels
import Files
import FoundationEssentials
import Glibc
import Synchronization

/// What a judge heard, kept on disk as it is heard: an evaluation that was stopped goes on where it was, and a reference set is
/// heard once. A file per judge and protocol, of records: bytes u32 · header's bytes u32 · header (JSON) · float32 numbers · xxh64 u64.
/// A record that is not whole ends the file; it is written over.
public final class EmbeddingJournal: Sendable {
    private struct Header: Codable {
        /// Resolved, so that a folder may be named in several ways.
        let path: String
        /// With the size what says that a file is the one that was heard; nanoseconds.
        let modified: Int
        let size: Int
        let width: Int
        let rows: Int
        let classes: Int
        let windows: Int
        let isSilent: Bool
    }

    private struct Record {
        let header: Header
        let values: [Float]
    }

    private struct State {
        /// Where the last record of each file begins; numbers stay on disk.
        var places: [String: Int] = [:]
        var end = 0
    }

    /// The journal's file.
    public let path: String
    private let descriptor: Int32
    private let state: Mutex<State>

    private static let maximumRecordBytes = 1 << 30

    /// - Parameter folder: made if it is not there.
    /// - Throws: `EvaluationError.file`.
    public init(folder: String, judge: JudgeIdentity, rules: EvaluationProtocol) throws {
        let safe = "\(judge.name)-\(judge.hash)-\(rules.name.rawValue)".map { character in
            character.isASCII && (character.isLetter || character.isNumber || character == "-" || character == "_")
                ? character : "-"
        }
        path = folder + "/" + String(safe) + ".heard"
        do {
            try FileName.makeFolder(folder)
        } catch let error as FileError {
            throw EvaluationError.file(path: folder, reason: "cannot be made: \(error.reason.lowercased())")
        }
        let path = path
        descriptor = try FileName.with(path) { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else { throw Self.failure(path, "opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw EvaluationError.file(
                path: path, reason: "another evaluation is writing it; wait, or use another folder")
        }
        var state = State()
        while let (record, size) = Self.record(descriptor, at: state.end) {
            state.places[record.header.path] = state.end
            state.end += size
        }
        self.state = Mutex(state)
    }

    deinit { close(descriptor) }

    /// What was heard of a file, if that is as it was then.
    func heard(_ item: SoundSet.Item) -> HeardSound? {
        guard let (path, modified, size) = Self.identity(item.path),
            let place = state.withLock({ $0.places[path] }),
            let (record, _) = Self.record(descriptor, at: place), record.header.modified == modified,
            record.header.size == size
        else { return nil }
        let header = record.header
        let split = header.rows * header.width
        guard let embeddings = try? Embeddings(width: header.width, values: Array(record.values[..<split])) else {
            return nil
        }
        let logits =
            header.classes > 0
            ? try? Embeddings(width: header.classes, values: Array(record.values[split...])) : nil
        return HeardSound(item: item, embeddings: embeddings, logits: logits, isSilent: header.isSilent)
    }

    /// - Throws: `EvaluationError.file` if it cannot be written; the file keeps what it had.
    func append(_ sound: HeardSound) throws {
        guard let (name, modified, size) = Self.identity(sound.item.path) else { return }
        let header = Header(
            path: name, modified: modified, size: size, width: sound.embeddings.width, rows: sound.embeddings.rowCount,
            classes: sound.logits?.width ?? 0, windows: sound.logits?.rowCount ?? 0, isSilent: sound.isSilent)
        let values = sound.embeddings.values + (sound.logits?.values ?? [])
        let json = Array(try JSONEncoder().encode(header))
        var bytes: [UInt8] = []
        func add(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        add(UInt32(json.count + 4 * values.count))
        add(UInt32(json.count))
        bytes += json
        for value in values { add(value.bitPattern) }
        add(bytes.withUnsafeBytes { kernels_xxh64($0.baseAddress, $0.count, 0) })
        try state.withLock { state in
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes {
                    pwrite(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(state.end + done))
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let failure = Self.failure(path, "written")
                    ftruncate(descriptor, off_t(state.end))
                    throw failure
                }
                done += count
            }
            state.places[name] = state.end
            state.end += bytes.count
        }
    }

    private static func identity(_ path: String) -> (path: String, modified: Int, size: Int)? {
        guard let status = FileName.status(path), let resolved = FileName.resolved(path) else { return nil }
        let (seconds, overflow) = Int(status.st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        return (resolved, overflow ? 0 : seconds &+ Int(status.st_mtim.tv_nsec), Int(status.st_size))
    }

    private static func record(_ descriptor: Int32, at place: Int) -> (Record, size: Int)? {
        guard let lengths = read(descriptor, at: place, count: 8) else { return nil }
        func number(_ bytes: [UInt8], _ offset: Int) -> Int {
            bytes.withUnsafeBytes {
                Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            }
        }
        let (body, json) = (number(lengths, 0), number(lengths, 4))
        guard body <= maximumRecordBytes, json <= body, (body - json) % 4 == 0,
            let bytes = read(descriptor, at: place, count: 8 + body + 8)
        else { return nil }
        let (sum, expected) = bytes.withUnsafeBytes { all in
            (
                kernels_xxh64(all.baseAddress, 8 + body, 0),
                UInt64(littleEndian: all.loadUnaligned(fromByteOffset: 8 + body, as: UInt64.self))
            )
        }
        guard sum == expected,
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes[8..<8 + json])),
            header.width > 0, header.rows >= 0, header.classes >= 0, header.windows >= 0,
            case (let count, let a) = header.width.multipliedReportingOverflow(by: header.rows),
            case (let logits, let b) = header.classes.multipliedReportingOverflow(by: header.windows),
            case (let all, let c) = count.addingReportingOverflow(logits), !a, !b, !c, all == (body - json) / 4
        else { return nil }
        let values = (0..<all).map { index in
            Float(bitPattern: UInt32(truncatingIfNeeded: number(bytes, 8 + json + 4 * index)))
        }
        return (Record(header: header, values: values), bytes.count)
    }

    private static func read(_ descriptor: Int32, at place: Int, count: Int) -> [UInt8]? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, place <= Int(status.st_size), count <= Int(status.st_size) - place else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress.map { $0 + done }, count - done, off_t(place + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return nil }
            done += got
        }
        return bytes
    }

    private static func failure(_ path: String, _ what: String) -> EvaluationError {
        .file(path: path, reason: "cannot be \(what): \(String(cString: strerror(errno)).lowercased())")
    }
}

import Files
import Glibc

/// Bytes on their way to a reader, as a file where it takes one.
final class FuzzInput {
    let bytes: [UInt8]
    private(set) var declaredBytes = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Notes what contents take by their own account.
    func declare(_ count: Int) { declaredBytes += count }

    /// A file that holds these bytes, those of the input unless given.
    func file(_ contents: [UInt8]? = nil, named name: String = "input") throws -> String {
        try Scratch.shared.write(contents ?? bytes, name)
    }

    /// A folder that holds these files, and nothing else; names may have a folder before them.
    func folder(_ files: [(name: String, bytes: [UInt8])]) throws -> String {
        try Scratch.shared.fill("folder", files)
    }

    /// Goes on after a refusal, unless it is no proper one.
    func attempt(_ step: () throws -> Void) throws {
        do { try step() } catch  where FuzzResult.isTyped(error) {}
    }

    /// An input of several files: a line "== NAME" before each. What comes before the first has the name "".
    var sections: [(name: String, bytes: [UInt8])] {
        let newline = UInt8(ascii: "\n")
        var sections: [(name: String, bytes: [UInt8])] = []
        var (name, start, line) = ("", 0, 0)
        func end(_ place: Int) {
            // The line end belongs to the line that follows.
            let contents = Array(bytes[start..<max(start, place - 1)])
            if !name.isEmpty || !contents.isEmpty { sections.append((name, contents)) }
        }
        while line < bytes.count {
            let lineEnd = bytes[line...].firstIndex(of: newline) ?? bytes.count
            if bytes[line..<lineEnd].starts(with: "== ".utf8) {
                end(line)
                name = String(decoding: bytes[(line + 3)..<lineEnd], as: UTF8.self)
                start = min(lineEnd + 1, bytes.count)
            }
            line = lineEnd + 1
        }
        end(bytes.count + 1)
        return sections
    }
}

/// What must be so of whatever was read: else the process ends, and the input is a finding.
func mustHold(_ holds: Bool, _ otherwise: String) {
    if !holds { fatalError("FINDING \(otherwise)") }
}

/// A folder of this process for what readers read, in memory where there is such a place.
final class Scratch: @unchecked Sendable {
    // Unchecked: inputs are read one at a time.
    static let shared = Scratch()

    let path: String
    /// Files of each folder that was filled.
    private var filled: [String: Set<String>] = [:]

    private init() {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        path = getenv("AUDIOLDM2_FUZZ_SCRATCH").map { String(cString: $0) } ?? "\(parent)/audioldm2-fuzz-\(getpid())"
        mkdir(path, 0o700)
        atexit { Scratch.shared.remove() }
    }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            fatalError("\(file): \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        return file
    }

    func fill(_ folder: String, _ files: [(name: String, bytes: [UInt8])]) throws -> String {
        let root = path + "/" + folder
        mkdir(root, 0o700)
        for name in filled[folder] ?? [] { unlink(root + "/" + name) }
        filled[folder] = []
        for (name, bytes) in files where Self.isPlain(name) {
            // What was a folder may be a file now, and the other way round; of both at once the first counts.
            if let slash = name.lastIndex(of: "/") {
                guard (try? FileName.makeFolder(root + "/" + name[..<slash])) != nil else { continue }
            }
            rmdir(root + "/" + name)
            guard !FileName.isFolder(root + "/" + name) else { continue }
            filled[folder]?.insert(name)
            _ = try write(bytes, folder + "/" + name)
        }
        return root
    }

    /// Names of files of ours: at most one folder deep, nothing that leads elsewhere.
    private static func isPlain(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count <= 2
            && parts.allSatisfy { part in
                (1...64).contains(part.utf8.count) && !part.hasPrefix(".")
                    && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            }
    }

    /// Removes all of it.
    func remove() {
        func remove(_ name: String) {
            for entry in (try? FileName.contents(ofFolder: name)) ?? [] { remove(name + "/" + entry) }
            if rmdir(name) != 0 { unlink(name) }
        }
        remove(path)
    }
}

/// What tests and the command clean up.
package enum FuzzScratch {
    package static func remove() { Scratch.shared.remove() }
}

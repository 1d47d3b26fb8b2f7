import Glibc

/// Names of files as the system has them: bytes but for zero, of which not all are UTF-8.
///
/// In our texts a byte that belongs to no UTF-8 is a character of its own, U+10FF00 and the byte, from the end of a plane that
/// nobody uses; the bytes of such characters themselves are taken one by one too. So every name goes through a text and
/// comes out as it was (Python's PEP 383, which has surrogates for it, that our texts cannot hold).
package enum FileName {
    private static let base: UInt32 = 0x10FF00
    private static let escapes: ClosedRange<UInt32> = base + 0x80...base + 0xFF

    package static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !hasEscapes(text) { return text }
        var scalars = String.UnicodeScalarView()
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            var parser = Unicode.UTF8.ForwardParser()
            var iterator = rest.makeIterator()
            if case .valid(let encoded) = parser.parseScalar(from: &iterator),
                case let scalar = Unicode.UTF8.decode(encoded), !escapes.contains(scalar.value)
            {
                scalars.append(scalar)
                rest = rest.dropFirst(encoded.count)
            } else if let byte = rest.popFirst(), let scalar = Unicode.Scalar(base + UInt32(byte)) {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// The bytes that `text` was made of; those of any other text.
    package static func bytes(_ text: String) -> [UInt8] {
        guard hasEscapes(text) else { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar in
            escapes.contains(scalar.value) ? [UInt8(scalar.value - base)] : Array(String(scalar).utf8)
        }
    }

    private static func hasEscapes(_ text: String) -> Bool {
        text.utf8.contains(0xF4) && text.unicodeScalars.contains { escapes.contains($0.value) }
    }
}

extension FileName {
    /// Calls `body` with a name as the system takes it.
    /// - Throws: `FileError` for a name with a zero byte, which would end it; what `body` throws.
    package static func with<Result>(_ name: String, _ body: (UnsafePointer<CChar>) throws -> Result) throws -> Result {
        let bytes = bytes(name)
        guard !bytes.contains(0) else { throw FileError("be named so", reason: "its name has a zero byte") }
        return try (bytes + [0]).withUnsafeBufferPointer { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { name in
                guard let start = name.baseAddress else { throw FileError("be named so", code: EINVAL) }
                return try body(start)
            }
        }
    }

    /// What is there under a name, links followed; nil if nothing is, or it cannot be found out.
    package static func status(_ name: String) -> stat? {
        var status = stat()
        let code = try? with(name) { stat($0, &status) }
        return code == 0 ? status : nil
    }

    package static func exists(_ name: String) -> Bool { status(name) != nil }

    package static func isFolder(_ name: String) -> Bool {
        status(name).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// A name without links; nil if there is nothing of that name.
    package static func resolved(_ name: String) -> String? {
        (try? with(name) { name -> String? in
            guard let resolved = realpath(name, nil) else { return nil }
            defer { free(resolved) }
            return text(UnsafeBufferPointer(start: resolved, count: strlen(resolved)).map { UInt8(bitPattern: $0) })
        }) ?? nil
    }

    /// The folder that a name is in: "." for a name alone. Foundation's own function traps on names of one character, and
    /// takes names from a current folder that is not UTF-8 elsewhere.
    package static func folder(of name: String) -> String {
        let whole = name.unicodeScalars.reversed().drop { $0 == "/" }
        let parent = whole.drop { $0 != "/" }
        guard !parent.isEmpty else { return name.hasPrefix("/") ? "/" : "." }
        let trimmed = parent.drop { $0 == "/" }.reversed()
        return trimmed.isEmpty ? "/" : String(String.UnicodeScalarView(trimmed))
    }

    /// A name whose last part is no link: that of what would be made under `name`.
    /// - Throws: `FileError` for links that lead on and on.
    package static func followed(_ name: String) throws -> String {
        var name = name
        for _ in 0..<40 {
            let target = try with(name) { name -> [UInt8]? in
                var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
                let count = readlink(name, &buffer, buffer.count)
                return count > 0 ? buffer.prefix(count).map { UInt8(bitPattern: $0) } : nil
            }
            guard let target else { return name }
            let text = text(target)
            name = text.hasPrefix("/") ? text : folder(of: name) + "/" + text
        }
        throw FileError("be named so", code: ELOOP)
    }

    /// What a folder holds, but for itself and its own folder.
    /// - Throws: `FileError`.
    package static func contents(ofFolder name: String) throws -> [String] {
        try with(name) { name in
            guard let folder = opendir(name) else { throw FileError("list", code: errno) }
            defer { closedir(folder) }
            var names: [String] = []
            // The end and an error both have no entry: errno tells them apart.
            errno = 0
            while true {
                guard let entry = readdir(folder) else {
                    if errno == 0 { break }
                    guard errno == EINTR else { throw FileError("list", code: errno) }
                    errno = 0
                    continue
                }
                // Read in place: the entry is shorter than its declaration, and a copy could reach past the buffer.
                let start = UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
                let length = strlen(start.assumingMemoryBound(to: CChar.self))
                names.append(text(UnsafeRawBufferPointer(start: start, count: length)))
                errno = 0
            }
            return names.filter { $0 != "." && $0 != ".." }
        }
    }

    /// Makes a folder and those on the way to it; one that is there is left as it is.
    /// - Throws: `FileError`.
    package static func makeFolder(_ name: String) throws {
        guard !isFolder(name) else { return }
        let parent = folder(of: name)
        if parent != name, parent != "." { try makeFolder(parent) }
        try with(name) { name in
            guard mkdir(name, 0o777) == 0 || errno == EEXIST else { throw FileError("make", code: errno) }
        }
        guard isFolder(name) else { throw FileError("make", reason: "it is no folder") }
    }
}

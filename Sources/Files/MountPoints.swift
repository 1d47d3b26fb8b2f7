/// Places where the system has put something of another file system, or a file of another place: those cannot be replaced.
enum MountPoints {
    /// - Parameter path: without links.
    static func contain(_ path: String) -> Bool {
        guard let bytes = try? ReadOnce.contents(of: "/proc/self/mountinfo") else { return false }
        let wanted = escaped(path)
        // Numbers of the mount, its parent and its device, its root in its file system, and its place.
        return bytes.split(separator: UInt8(ascii: "\n")).contains { line in
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            return fields.count > 4 && fields[4].elementsEqual(wanted)
        }
    }

    /// As the system writes names there: what would end a field, in octal digits.
    private static func escaped(_ path: String) -> [UInt8] {
        FileName.bytes(path).flatMap { byte -> [UInt8] in
            guard [0x20, 0x09, 0x0A, 0x5C].contains(byte) else { return [byte] }
            return Array("\\".utf8) + [byte >> 6, byte >> 3 & 7, byte & 7].map { UInt8(ascii: "0") + $0 }
        }
    }
}

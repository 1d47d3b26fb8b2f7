import CKernels
import FoundationEssentials
import Glibc

/// What compiled kernels, and for what.
package struct KernelBuild: Hashable, Sendable {
    /// "12.4"
    let compilerVersion: String
    let target: KernelTarget

    package init(compilerVersion: String, target: KernelTarget) {
        (self.compilerVersion, self.target) = (compilerVersion, target)
    }

    /// Of a name such as "12.4-sm_80"; nil for any other.
    fileprivate init?(name: String) {
        let parts = name.split(separator: "-").map(String.init)
        guard parts.count == 2, let target = KernelTarget(name: parts[1]) else { return nil }
        self.init(compilerVersion: parts[0], target: target)
    }

    var name: String { compilerVersion + "-" + target.name }
}

/// Compiled kernels on disk, so that a device's are built once: `~/.cache/audioldm2`, or `$XDG_CACHE_HOME/audioldm2`.
///
/// A file is named by all that its contents depend on, and checked as it is read; what is damaged counts as not there.
/// A folder that cannot be written to only costs time. One that others can write to counts as empty: whoever makes kernels
/// decides what the GPU does, and checksums are nobody's signature.
package struct KernelCache: Sendable {
    package struct Key: Hashable, Sendable {
        let sourceHash: UInt64
        let architecture: String
        let driverVersion: Int
        /// Nil matches any.
        let build: KernelBuild?

        /// - Parameter architecture: the device's.
        package init(sourceHash: UInt64, architecture: String, driverVersion: Int, build: KernelBuild?) {
            (self.sourceHash, self.architecture) = (sourceHash, architecture)
            (self.driverVersion, self.build) = (driverVersion, build)
        }

        fileprivate var prefix: String {
            "kernels-\(String(sourceHash, radix: 16))-\(architecture)-driver\(driverVersion)-nvrtc"
        }
    }

    let folder: URL

    package init(folder: URL? = nil) {
        self.folder = folder ?? Self.caches.appendingPathComponent("audioldm2")
    }

    /// - Returns: kernels, and what they were built by and for.
    func read(_ key: Key) -> (binary: [UInt8], build: KernelBuild)? {
        guard let build = key.build else {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.filter { $0.hasPrefix(key.prefix) && $0.hasSuffix(Self.ending) }.sorted().reversed().lazy
                .compactMap { name in
                    let build = KernelBuild(
                        name: String(name.dropFirst(key.prefix.count).dropLast(Self.ending.count)))
                    return build.flatMap { build in contents(name).map { ($0, build) } }
                }.first
        }
        return contents(key.prefix + build.name + Self.ending).map { ($0, build) }
    }

    private static var caches: URL {
        environmentVariable("XDG_CACHE_HOME").map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    }

    package func write(_ binary: [UInt8], for key: Key) {
        let name = key.prefix + (key.build?.name ?? "") + Self.ending
        makeFolder()
        var data = Data(binary)
        withUnsafeBytes(of: Self.checksum(binary).littleEndian) { data.append(contentsOf: $0) }
        try? data.write(to: folder.appendingPathComponent(name), options: .atomic)
    }

    /// What was noted under a name beside the kernels.
    func note(_ name: String) -> String? { contents(name + ".note").map { String(decoding: $0, as: UTF8.self) } }

    func write(note: String, _ name: String) {
        makeFolder()
        var data = Data(note.utf8)
        withUnsafeBytes(of: Self.checksum(Array(note.utf8)).littleEndian) { data.append(contentsOf: $0) }
        try? data.write(to: folder.appendingPathComponent(name + ".note"), options: .atomic)
    }

    private static let ending = ".cubin"

    private func contents(_ name: String) -> [UInt8]? {
        guard isOwn, let data = try? Data(contentsOf: folder.appendingPathComponent(name)), data.count > 8 else {
            return nil
        }
        let binary = Array(data.dropLast(8))
        let stored = Array(data.suffix(8)).withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        return stored == Self.checksum(binary) ? binary : nil
    }

    /// Whether nobody but this user, and root, can put something into the folder.
    private var isOwn: Bool {
        var status = stat()
        guard stat(folder.path, &status) == 0 else { return false }
        return (status.st_uid == geteuid() || status.st_uid == 0) && status.st_mode & (S_IWGRP | S_IWOTH) == 0
    }

    private func makeFolder() {
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { bytes in bytes.baseAddress.map { kernels_xxh64($0, bytes.count, 0) } ?? 0 }
    }
}

import ArgumentParser
import Files
import Glibc

/// - Parameter folders: of which each file is read, such as a checkpoint's.
/// - Throws: `ValidationError` if writing `output` would replace one of the files that it is made from, or a file that is
///   not a pack inside a folder that it is made from.
package func requireDistinct(output: String, from inputs: [String?], folders: [String?] = []) throws {
    guard let target = FileIdentity(output) else { return }
    let isPart = folders.contains { folder in
        guard let source = folder.flatMap(FileIdentity.init), source.isFolder else { return false }
        return target.path.hasPrefix(source.path + "/") && !target.path.hasSuffix(".aldm")
    }
    guard isPart || (inputs + folders).contains(where: { $0.flatMap(FileIdentity.init) == target }) else { return }
    throw ValidationError("--output \(output) would replace what it is made from: choose another name.")
}

/// A file that exists, whatever it is called.
private struct FileIdentity: Equatable {
    let path: String
    let isFolder: Bool
    private let device: UInt64
    private let number: UInt64

    init?(_ path: String) {
        guard let status = FileName.status(path), let resolved = FileName.resolved(path) else { return nil }
        self.path = resolved
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    static func == (a: FileIdentity, b: FileIdentity) -> Bool { (a.device, a.number) == (b.device, b.number) }
}

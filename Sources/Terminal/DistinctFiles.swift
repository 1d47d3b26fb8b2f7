import ArgumentParser
import Foundation

/// - Throws: `ValidationError` if writing `output` would replace one of the files that it is made from, or a file that is
///   not a pack inside a folder that it is made from.
package func requireDistinct(output: String, from inputs: [String?]) throws {
    guard let target = FileIdentity(output) else { return }
    for case let input? in inputs {
        guard let source = FileIdentity(input) else { continue }
        let isPart = source.isFolder && target.path.hasPrefix(source.path + "/") && !target.path.hasSuffix(".aldm")
        if source == target || isPart {
            throw ValidationError("--output \(output) would replace what it is made from: choose another name.")
        }
    }
}

/// A file that exists, whatever it is called.
private struct FileIdentity: Equatable {
    let path: String
    let isFolder: Bool
    private let device: UInt64
    private let number: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    static func == (a: FileIdentity, b: FileIdentity) -> Bool { (a.device, a.number) == (b.device, b.number) }
}

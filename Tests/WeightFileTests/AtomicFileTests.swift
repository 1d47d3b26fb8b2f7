import Files
import Foundation
import TestSupport
import Testing

/// Files that appear when they are complete.
@Suite struct AtomicFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, to path: String) throws {
        let file = try AtomicFile(path: path)
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        #expect(try folder.contents().allSatisfy { !$0.hasSuffix(".partial") }, "this file system names files at once")
        try file.commit()
    }

    private func mode(_ path: String) -> mode_t { FileName.status(path).map { $0.st_mode & 0o777 } ?? 0 }

    @Test func newAndReplacedFiles() throws {
        let (path, link) = (folder.file("a"), folder.file("link"))
        try write("one", to: path)
        #expect(mode(path) == 0o666 & ~mask)
        chmod(path, 0o600)
        try write("two", to: path)
        #expect(mode(path) == 0o600)
        try #require(symlink(path, link) == 0)
        try write("three", to: link)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "three" && mode(path) == 0o600)
        #expect(try folder.contents() == ["a", "link"])
    }

    /// A link to what is not there yet: what is made has the name that the link says.
    @Test func aLinkThatLeadsNowhereStaysOne() throws {
        let (link, second) = (folder.file("link"), folder.file("second"))
        try #require(symlink("real", link) == 0 && symlink(link, second) == 0)
        try write("one", to: second)
        #expect(try folder.contents() == ["link", "real", "second"])
        #expect(try String(contentsOfFile: folder.file("real"), encoding: .utf8) == "one")
        try #require(symlink(folder.file("absent/a"), folder.file("away")) == 0)
        #expect(throws: FileError.self) { try AtomicFile.check(folder.file("away")) }
        try #require(symlink("round", folder.file("round")) == 0)
        #expect(throws: FileError.self) { try AtomicFile.check(folder.file("round")) }
    }

    @Test(arguments: [("a", "."), ("é", "."), ("/", "/"), ("/a", "/"), ("a/b", "a"), ("a//b/", "a"), ("./a", ".")])
    func foldersOfNames(_ name: String, _ expected: String) { #expect(FileName.folder(of: name) == expected) }

    private var mask: mode_t {
        let mask = umask(0)
        umask(mask)
        return mask
    }

    @Test func aFileThatIsNotFinishedLeavesNothing() throws {
        let path = folder.file("a")
        try write("one", to: path)
        do {
            let file = try AtomicFile(path: path)
            try [1, 2, 3].withUnsafeBytes { try file.write($0, at: 0) }
        }
        try AtomicFile.check(path)
        #expect(try folder.contents() == ["a"] && String(contentsOfFile: path, encoding: .utf8) == "one")
    }

    /// Of killed processes, on file systems where every file has a name.
    @Test func whatOthersLeftIsSwept() throws {
        let names = [".audioldm2-abc.partial", ".audioldm2-held.partial", ".audioldm2-young.partial", "other.partial"]
        for name in names {
            try folder.write("x", to: name)
            let old = timespec(tv_sec: time(nil) - 3600, tv_nsec: 0)
            if !name.contains("young") { utimensat(AT_FDCWD, folder.file(name), [old, old], 0) }
        }
        let held = open(folder.file(names[1]), O_RDWR)
        defer { close(held) }
        try #require(flock(held, LOCK_EX) == 0)
        try AtomicFile.check(folder.file("a"))
        #expect(try folder.contents() == Array(names.dropFirst()))
    }

    @Test func namesThatCannotBe() throws {
        let long = folder.file(String(repeating: "n", count: 256))
        #expect(throws: FileError.self) { try AtomicFile.check(long) }
        let zero = #expect(throws: FileError.self) { try AtomicFile.check(folder.file("a\0b")) }
        #expect(zero?.reason == "its name has a zero byte")
        #expect(throws: FileError.self) { try AtomicFile.check(folder.file("missing/a")) }
        let inTheWay = #expect(throws: FileError.self) { try AtomicFile.check(folder.path) }
        #expect(inTheWay?.reason == "it is a folder")
        #expect(try folder.contents().isEmpty)
    }

    @Test func bytesGoInAndOut() throws {
        let names: [[UInt8]] = [
            [0xE9], [0x61, 0xC3], [0xC3, 0xA9], [0xFF, 0xFE, 0x2F], [0xED, 0xA0, 0x80], [0xF4, 0x8F, 0xBF, 0xA9],
            Array("ü.wav".utf8), [0xF0, 0x9F, 0x98], (0x80...0xFF).map { $0 }, [],
        ]
        for name in names {
            #expect(FileName.bytes(FileName.text(name)) == name)
            #expect(name.isEmpty || String(validating: Array(FileName.text(name).utf8), as: UTF8.self) != nil)
        }
        // Another name than any text's own.
        #expect(Set(names.map(FileName.text)).count == names.count)
        #expect(FileName.text(Array("plain ü".utf8)) == "plain ü")
        try write("x", to: folder.file(FileName.text([0xE9])))
        #expect(try FileName.contents(ofFolder: folder.path).map(FileName.bytes) == [[0xE9]])
    }
}

import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// Files that somebody writes to while they are used.
@Suite struct ChangedPackTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file()
        try writePack(path, SampleWeight.small, .none)
    }

    private func write(_ byte: UInt8, at offset: Int) throws {
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        var byte = byte
        try #require(pwrite(descriptor, &byte, 1, off_t(offset)) == 1)
    }

    @Test func otherWeightsAreFound() throws {
        let pack = try Pack(opening: path)
        let stamp = pack.stamp
        try pack.requireUnchanged("unet", since: stamp)
        let tensor = pack.components[0].tensors[1]
        try write(~(try readBytes(path)[tensor.storage.offset]), at: tensor.storage.offset)
        let expected = PackError.changedInUse(path: path, part: "unet.a.bias")
        #expect(throws: expected) { try pack.requireUnchanged("unet", since: stamp) }
        #expect("\(expected)".contains("was changed while it was used"))
        // It has the same tensors, elsewhere in the file.
        try pack.requireUnchanged("vae", since: stamp)
    }

    /// Also if the time of the change was set back, as `cp -p` does.
    @Test func timesMayLie() throws {
        let pack = try Pack(opening: path)
        let stamp = pack.stamp
        var status = stat()
        try #require(stat(path, &status) == 0)
        try write(~(try readBytes(path)[64]), at: 64)
        try #require(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
        #expect(throws: PackError.changedInUse(path: path, part: "unet.a.weight")) {
            try pack.requireUnchanged("unet", since: stamp)
        }
    }

    @Test func whatIsTheSameMayBeWritten() throws {
        let pack = try Pack(opening: path)
        let stamp = pack.stamp
        try write(try readBytes(path)[64], at: 64)
        #expect(pack.stamp != stamp)
        try pack.requireUnchanged("unet", since: stamp)
        // Replaced by a rename: the old file is still there for whoever has it.
        let before = pack.stamp
        try writePack(path, SampleWeight.everyKind, .none)
        try pack.requireUnchanged("unet", since: before)
    }

    @Test func otherLengthsAreFound() throws {
        let pack = try Pack(opening: path)
        let stamp = pack.stamp
        try #require(truncate(path, 100) == 0)
        #expect(throws: PackError.changedInUse(path: path, part: "its length")) {
            try pack.requireUnchanged("unet", since: stamp)
        }
    }
}

import Files
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// Writers that fail leave nothing behind, and an older file untouched.
@Suite struct PackWriterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let vector = SampleWeight("v", WeightDescription(role: .vector(count: 4), format: .float32))

    @Test(arguments: [PackCompression.none, .zstd(level: 1), .zstd(level: 19)])
    func diskFull(compression: PackCompression) throws {
        try writePack(folder.file(), SampleWeight.small, .none)
        let before = try readBytes(folder.file())
        let file = try AtomicFile(path: folder.file()) { _ in open("/dev/full", O_RDWR) }
        let writer = try PackWriter(file: file, compression: compression, threads: 2)
        let expected = PackError.diskFull(path: folder.file(), operation: "write", offset: 64)
        #expect(throws: expected) { try writer.addSamples(SampleWeight.everyKind) }
        #expect("\(expected)".contains("disk full"))
        #expect(throws: PackError.self) { try writer.finish() }
        #expect(try readBytes(folder.file()) == before)
        #expect(try folder.contents() == ["test.aldm"])
    }

    @Test func diskFullAtTheEnd() throws {
        let file = try AtomicFile(path: folder.file()) { _ in open("/dev/full", O_RDWR) }
        let writer = try PackWriter(file: file, compression: .none, threads: 1)
        #expect(throws: PackError.diskFull(path: folder.file(), operation: "write", offset: 64)) { try writer.finish() }
        #expect(try folder.contents() == [])
    }

    @Test func placesThatCannotBeWritten() throws {
        let missing = folder.file("no/such/folder/x.aldm")
        #expect(
            throws: PackError.writeFailed(
                path: missing, operation: "create a file in its folder", reason: "No such file or directory")
        ) { try PackWriter(path: missing, compression: .none) }
        #expect(throws: PackError.self) { try PackWriter(path: "/proc/x.aldm", compression: .none) }
        #expect(throws: PackError.writeFailed(path: folder.path, operation: "be replaced", reason: "it is a folder")) {
            try PackWriter(path: folder.path, compression: .none)
        }
        #expect(throws: PackError.self) { try PackWriter(path: "/dev/null", compression: .none) }
    }

    @Test(.enabled(if: getuid() != 0, "root may write anywhere"))
    func folderWithoutPermission() throws {
        chmod(folder.path, 0o555)
        defer { chmod(folder.path, 0o755) }
        #expect(
            throws: PackError.writeFailed(
                path: folder.file(), operation: "create a file in its folder", reason: "Permission denied")
        ) { try PackWriter(path: folder.file(), compression: .none) }
    }

    @Test func theFileAppearsWhenFinished() throws {
        let writer = try PackWriter(path: folder.file(), compression: .none)
        try writer.addSamples(SampleWeight.small)
        #expect(!FileManager.default.fileExists(atPath: folder.file()))
        try writer.finish()
        #expect(try folder.contents() == ["test.aldm"])
        writer.discard()
        #expect(try folder.contents() == ["test.aldm"])
    }

    @Test func discardedAndAbandonedWritersLeaveNothing() throws {
        try writePack(folder.file(), SampleWeight.small, .none)
        let before = try readBytes(folder.file())
        let discarded = try PackWriter(path: folder.file(), compression: .none)
        try discarded.addSamples(SampleWeight.small)
        discarded.discard()
        #expect(throws: PackError.self) { try discarded.addBlob(name: "late", Data()) }
        do { try PackWriter(path: folder.file(), compression: .none).addSamples(SampleWeight.small) }
        #expect(try folder.contents() == ["test.aldm"])
        #expect(try readBytes(folder.file()) == before)
    }

    @Test func aFolderInThePlaceAtTheEnd() throws {
        let writer = try PackWriter(path: folder.file(), compression: .none)
        try FileManager.default.createDirectory(atPath: folder.file(), withIntermediateDirectories: false)
        #expect(throws: PackError.self) { try writer.finish() }
        #expect(try folder.contents() == ["test.aldm"])
    }

    @Test(arguments: [PackCompression.none, .zstd(level: 1)])
    func cancellation(compression: PackCompression) async throws {
        let folder = folder
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            let writer = try PackWriter(path: folder.file(), compression: compression)
            try writer.addSamples(SampleWeight.everyKind)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try folder.contents() == [])
    }

    @Test(arguments: [0, 20, -1])
    func levelsAreChecked(level: Int) {
        #expect(
            throws: PackError.unwritable(
                path: folder.file(), part: "zstd level \(level)", reason: "levels are 1 to 19")
        ) { try PackWriter(path: folder.file(), compression: .zstd(level: level)) }
    }

    @Test func whatCannotBeStored() throws {
        let steps: [(complaint: String, step: (PackWriter) throws -> Void)] = [
            ("its component has not been added", { try $0.add(vector, to: "other") }),
            (
                "c.v: it is there already",
                {
                    try $0.add(vector, to: "c")
                    try $0.add(vector, to: "c")
                }
            ),
            ("it is there already", { try $0.addComponent(name: "c", className: "C", config: Data()) }),
            (
                "it is there already",
                {
                    try $0.addBlob(name: "x", Data())
                    try $0.addBlob(name: "x", Data())
                }
            ),
            ("empty name", { try $0.addBlob(name: "", Data()) }),
            (
                "empty key",
                {
                    $0.setProvenance([("", "")])
                    try $0.finish()
                }
            ),
            (
                "3 bytes instead of 16",
                { writer in
                    try [1, 2, 3].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
                        _ = try writer.addTensor(
                            component: "c", name: "x", vector.description,
                            bytes: UnsafeRawBufferPointer(rebasing: bytes[..<3]))
                    }
                }
            ),
            (
                "extents [0, 4]",
                { writer in
                    let description = WeightDescription(role: .matrix(outputs: 0, inputs: 4), format: .float32)
                    _ = try writer.addTensor(
                        component: "c", name: "x", description, bytes: UnsafeRawBufferPointer(start: nil, count: 0))
                }
            ),
        ]
        for (complaint, step) in steps {
            let writer = try PackWriter(path: folder.file(), compression: .none)
            try writer.addComponent(name: "c", className: "C", config: Data())
            let error = #expect(throws: PackError.self) { try step(writer) }
            #expect("\(String(describing: error))".contains(complaint), "\(String(describing: error))")
            #expect(try folder.contents() == [])
        }
    }
}

import Foundation
import TestSupport
import Testing

/// Limits that systems set on processes: each ends in a message or is worked within, none in a hang or a crash.
@Suite struct LimitTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func generate(script: String) throws -> CommandRun {
        try CommandRun(
            "audioldm2",
            [
                "generate", "a", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.3", "--steps", "1",
                "--threads",
                "4", "--quiet",
            ], script: script)
    }

    @Test(arguments: [4, 8, 12]) func tooFewFilesAreNamed(_ count: Int) throws {
        let outcome = try generate(script: "ulimit -n \(count); exec timeout 60 \"$command\" \"$@\"")
        #expect(outcome.failed(naming: "too many open files", "ulimit -n"), "\(outcome.status) \(outcome.errors)")
    }

    @Test func twentyFilesDo() throws {
        #expect(try generate(script: "ulimit -n 24; exec timeout 60 \"$command\" \"$@\"").status == 0)
    }

    /// Root may start any number of threads: another user, who runs nothing else, may not.
    private static func byUser(_ user: Int) -> String {
        "exec timeout 60 setpriv --reuid=\(user) --regid=\(user) --clear-groups"
    }
    private static let canBeNobody: Bool = {
        let outcome = try? CommandRun("audioldm2", ["--version"], script: "\(Self.byUser(65533)) \"$command\" \"$@\"")
        return geteuid() == 0 && outcome?.status == 0
    }()

    @Test(
        .enabled(if: canBeNobody, "needs root, and a build that others may read"),
        arguments: [1, 2, 4, 6, 8, 9, 10, 11, 12, 16])
    func noThreadsLeftIsNoHang(_ count: Int) throws {
        chmod(folder.path, 0o777)
        // Of its own for each: runs at the same time share the limit of a user.
        let outcome = try generate(
            script: "\(Self.byUser(65100 + count)) prlimit --nproc=\(count) \"$command\" \"$@\"")
        // Its first thread, and those that are held in reserve.
        if count < 9 {
            #expect(outcome.failed(naming: "no thread can be started"), "\(outcome.status) \(outcome.errors)")
        } else {
            #expect(outcome.status == 0, "\(count): \(outcome.status) \(outcome.errors)")
        }
    }

    @Test(arguments: [8, 16, 28, 30, 32, 40]) func aConverterWithoutMemorySaysSo(_ mebibytes: Int) throws {
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        let outcome = try CommandRun(
            "audioldm2-convert", [checkpoint, "-o", folder.file("a.aldm")],
            script: "exec prlimit --data=\(mebibytes << 20) timeout 60 \"$command\" \"$@\"")
        #expect(outcome.failed(naming: "memory", "ulimit -d"), "\(outcome.status) \(outcome.errors)")
        #expect(try folder.contents().isEmpty)
    }

    /// Limits of addresses (`ulimit -v`), of which threads and allocators take many: a message or the sound, and no hang.
    @Test(arguments: [150, 200, 300, 350, 400, 450, 500, 600, 800]) func limitsOfAddressesAreNoHang(_ mebibytes: Int)
        throws
    {
        let limit = "exec timeout 60 prlimit --as=\(mebibytes << 20) \"$command\" \"$@\""
        let outcome = try generate(script: limit)
        // What the system itself needs to start a program may be refused by the system.
        let ended = outcome.status == 0 || outcome.failed(naming: "memory") || outcome.status == 127
        #expect(ended, "\(outcome.status) \(outcome.errors)")
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        let pack = try CommandRun(
            "audioldm2-convert", [checkpoint, "-o", folder.file("a.aldm"), "-q", "--no-calibrate"], script: limit)
        #expect(
            pack.status == 0 || pack.failed(naming: "memory") || pack.status == 127, "\(pack.status) \(pack.errors)")
    }

    /// The allocator refuses one request, nearly always one of Swift's runtime, which cannot go on: one line, and no trace of
    /// a stack.
    @Test(arguments: [5_000, 20_000, 60_000, 100_000]) func refusedMemoryIsALine(_ number: Int) throws {
        let shim = try SharedLibrary(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdatomic.h>
            #include <stddef.h>
            void *malloc(size_t size) {
                static void *(*_Atomic behind)(size_t);
                static atomic_long calls;
                if (!behind) behind = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
                return ++calls == \(number) ? NULL : behind(size);
            }
            """, in: folder)
        let outcome = try generate(script: "LD_PRELOAD=\(shim.path) exec timeout 60 \"$command\" \"$@\"")
        #expect(
            outcome.status == 0 || outcome.failed(naming: "memory"), "\(number): \(outcome.status) \(outcome.errors)")
        #expect(try folder.contents().filter { !$0.hasPrefix("shim") } == (outcome.status == 0 ? ["a.wav"] : []))
    }

    @Test func threadsAreThoseThatMayBeUsed() throws {
        let outcome = try CommandRun(
            "audioldm2", ["bench", model, "--seconds", "0.3", "--steps", "2", "--json"],
            script: #"exec taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$command" "$@""#)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.errors)")
        #expect(report["threads"] as? Int == 1)
    }
}

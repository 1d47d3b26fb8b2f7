import Audio
import Foundation
import TestSupport
import Testing

/// Outputs that cannot be written are found out before any work is done, and replaced ones stay what they were.
@Suite struct OutputTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private static let making = ["--seconds", "0.3", "--steps", "1", "--seed", "1"]

    /// A model that is not there is found out only after its output.
    private func failsBeforeWork(_ arguments: [String], naming parts: String...) throws {
        let outcome = try CommandRun("audioldm2", arguments)
        #expect(
            outcome.status == 1 && parts.allSatisfy { outcome.errors.contains($0) }
                && !outcome.errors.contains("absent.aldm"), "\(arguments): \(outcome.errors)")
    }

    @Test func namesThatAreTooLong() throws {
        let name = folder.file(String(repeating: "n", count: 256))
        let sound = folder.file("in.wav")
        try SoundFile.write(Sound(samples: Array(repeating: 0.1, count: 8000), sampleRate: 16000), to: sound)
        let absent = folder.file("absent.aldm")
        for arguments in [
            ["generate", "a", "-m", absent, "-o", name + ".wav"],
            ["generate", "a", "-m", absent, "-o", folder.file("a.wav"), "--spectrogram", name + ".png"],
            [
                "generate", "a", "-m", absent, "--candidates", "2", "--keep", "2", "-o",
                String(name.dropLast(6)) + ".wav",
            ],
            ["transform", sound, "a", "-m", absent, "-o", name + ".wav"],
            ["encode", "a", "-m", absent, "-o", name], ["loa", sound, "-m", absent, "-o", name],
            ["spectrogram", folder.file("absent.wav"), "-o", name + ".png"],
        ] { try failsBeforeWork(arguments, naming: "too long") }
        for arguments in [
            ["trace", model, "--inputs", absent, "--output", name],
            ["verify", model, "--golden", ModelFixture.golden("tiny-2.56s"), "--dump", name],
        ] { try failsBeforeWork(arguments, naming: "too long") }
        let outcome = try CommandRun("audioldm2-convert", [absent, "-o", name])
        #expect(outcome.failed(naming: "too long"), "\(outcome.errors)")
        #expect(try folder.contents() == ["in.wav"])
    }

    @Test func foldersInTheWay() throws {
        try FileManager.default.createDirectory(atPath: folder.file("a-2.wav"), withIntermediateDirectories: false)
        try failsBeforeWork(
            [
                "generate", "a", "-m", folder.file("absent.aldm"), "-o", folder.file("a.wav"), "--candidates", "3",
                "--keep",
                "2",
            ], naming: "a-2.wav", "it is a folder")
    }

    /// FLAC holds eight channels.
    @Test func formatsThatCannotHoldTheSound() throws {
        let sound = folder.file("ten.wav")
        try SoundFile.write(
            Sound(samples: Array(repeating: 0.1, count: 80000), channels: 10, sampleRate: 16000), to: sound)
        let arguments = [
            "inpaint", sound, "a", "-m", model, "--from", "0.1", "--to", "0.2", "--verbose", "--steps", "1",
        ]
        let outcome = try CommandRun("audioldm2", arguments + ["-o", folder.file("a.flac")])
        #expect(outcome.failedAtLast(naming: "flac files cannot hold 10 channels"), "\(outcome.errors)")
        // What memory the work would take is said when it begins.
        #expect(!outcome.errors.contains("\nmemory: "))
        #expect(try folder.contents() == ["ten.wav"])
    }

    @Test func linesOfABatch() throws {
        let name = String(repeating: "n", count: 252) + ".wav"
        let lines = try folder.write(
            "{\"prompt\": \"a\", \"output\": \"\(name)\"}\n{\"prompt\": \"a\", \"output\": \"a\\u0000b.wav\"}\n"
                + "{\"prompt\": \"a\", \"output\": \"c.wav\"}\n", to: "lines.jsonl")
        let outcome = try CommandRun(
            "audioldm2", ["batch", lines, "-m", model, "-o", folder.file("out"), "--seconds", "0.2", "--steps", "1"])
        #expect(outcome.status == 1 && outcome.output.contains("1 made, 0 there before, 2 failed"))
        #expect(outcome.errors.contains("line 1: ") && outcome.errors.contains("too long"))
        #expect(outcome.errors.contains("line 2: ") && outcome.errors.contains("zero byte"))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted()
        #expect(files == ["c.wav", "manifest.jsonl"])
    }

    /// A folder in the place of a model, with the output inside: it is the model that is wrong.
    @Test func aFolderIsNoModelWhateverIsWrittenIntoIt() throws {
        let checkpoint = try folder.write("{}", to: "checkpoint/model_index.json")
        let path = (checkpoint as NSString).deletingLastPathComponent
        for output in ["\(path)/a.wav", "\(path)/model_index.json.wav", folder.file("b.wav")] {
            let outcome = try CommandRun("audioldm2", ["generate", "a", "-m", path, "-o", output] + Self.making)
            #expect(outcome.failed(naming: path, "folder"), "\(outcome.status) \(outcome.errors)")
            #expect(!outcome.errors.contains("replace") && !FileManager.default.fileExists(atPath: output))
        }
    }

    /// A file of somebody else in a folder where only owners replace files, and a file that is a mount: found out before
    /// any work.
    @Test func whatCannotBeReplacedIsFoundOutBeforeWork() throws {
        let output = try folder.write("old", to: "sticky/a.wav")
        chmod(folder.path, 0o755)
        chmod(folder.file("sticky"), 0o1777)
        let making = ["generate", "a", "-m", model, "-o", output, "--seconds", "100", "--steps", "1000"]
        let user = "setpriv --reuid=65400 --regid=65400 --clear-groups"
        if geteuid() == 0,
            try CommandRun("audioldm2", ["--version"], script: "\(user) \"$command\" --version").status == 0
        {
            let outcome = try CommandRun("audioldm2", making, script: "exec timeout 30 \(user) \"$command\" \"$@\"")
            #expect(outcome.failed(naming: output, "another user's"), "\(outcome.status) \(outcome.errors)")
        }
        let mount =
            "unshare -m bash -c 'mount --bind \(output) \(output) && exec timeout 30 \"$command\" \"$@\"' bash \"$@\""
        if try CommandRun("audioldm2", [], script: "unshare -m mount --bind \(output) \(output)").status == 0 {
            let outcome = try CommandRun("audioldm2", making, script: mount)
            #expect(outcome.failed(naming: output, "mount"), "\(outcome.status) \(outcome.errors)")
        }
        #expect(try String(contentsOfFile: output, encoding: .utf8) == "old")
    }

    /// What a command reads is not what it writes.
    @Test func inputsAreNotReplaced() throws {
        let picture = try folder.write("no sound", to: "k.png")
        let tensors = try folder.write("no tensors", to: "a.safetensors")
        let license = try folder.write("terms", to: "LICENSE.txt")
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        for (command, arguments) in [
            ("audioldm2", ["spectrogram", picture, "-o", picture]),
            ("audioldm2", ["trace", model, "--inputs", tensors, "--output", tensors]),
            ("audioldm2", ["trace", tensors, "--inputs", picture, "--output", tensors]),
            ("audioldm2-convert", [checkpoint, "--license", license, "-o", license]),
        ] {
            let outcome = try CommandRun(command, arguments)
            #expect(outcome.status == 64 && outcome.errors.contains("would replace"), "\(arguments) \(outcome.errors)")
        }
        #expect(try String(contentsOfFile: license, encoding: .utf8) == "terms")
    }

    /// A relative output in a folder whose name is no text.
    @Test func theCurrentFolderNeedNotBeAText() throws {
        let making = ["generate", "a", "-m", model, "-o", "a.wav"] + Self.making
        let outcome = try CommandRun(
            "audioldm2", making,
            script:
                "d=\(folder.path)/$'cwd\\xff\\xfe'; mkdir \"$d\" && cd \"$d\" && \"$command\" \"$@\" && test -s a.wav")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// The disk fails once, and the system tells of it once.
    @Test func theFirstErrorOfSyncingCounts() throws {
        let shim = try SharedLibrary(
            """
            #include <errno.h>
            #include <unistd.h>
            static int calls;
            int fsync(int descriptor) { (void)descriptor; if (calls++) return 0; errno = EIO; return -1; }
            """, in: folder)
        let output = folder.file("a.wav")
        let outcome = try CommandRun(
            "audioldm2", ["generate", "a", "-m", model, "-o", output] + Self.making,
            script: "LD_PRELOAD=\(shim.path) exec \"$command\" \"$@\"")
        #expect(outcome.failed(naming: output, "input/output error"), "\(outcome.status) \(outcome.errors)")
        #expect(try folder.contents() == ["shim.c", "shim.so"])
    }

    /// libsndfile says nothing of a header that cannot be written when it closes a file. Each write of a file is refused once,
    /// until there is none left to refuse.
    @Test(arguments: ["wav", "flac", "ogg"]) func everyRefusedWriteCounts(_ kind: String) throws {
        let shim = try SharedLibrary(
            """
            #include <errno.h>
            #include <stdlib.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t place) {
                static int calls;
                if (++calls == atoi(getenv("REFUSED"))) { errno = ENOSPC; return -1; }
                return syscall(SYS_pwrite64, descriptor, bytes, count, place);
            }
            """, in: folder)
        let output = folder.file("a." + kind)
        var number = 0
        while true {
            number += 1
            try #require(number < 60)
            let outcome = try CommandRun(
                "audioldm2", ["generate", "a", "-m", model, "-o", output] + Self.making,
                script: "REFUSED=\(number) LD_PRELOAD=\(shim.path) exec \"$command\" \"$@\"")
            if outcome.status == 0 { break }
            #expect(outcome.failed(naming: output, "no space left"), "\(number): \(outcome.errors)")
            #expect(try folder.contents() == ["shim.c", "shim.so"])
        }
        #expect(number > 3)
    }

    /// The system may take half of what is written, and stop for a signal between: no error, nowhere.
    @Test func writesThatStopHalfwayGoOn() throws {
        let shim = try SharedLibrary(
            """
            #include <errno.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            static __thread unsigned calls;
            ssize_t write(int descriptor, const void *bytes, size_t count) {
                if (calls++ % 2) { errno = EINTR; return -1; }
                return syscall(SYS_write, descriptor, bytes, count > 1 ? count / 2 : count);
            }
            """, in: folder)
        let lines = try folder.write(
            #"{"prompt": "a", "seconds": 0.3, "steps": 1, "output": "a.wav"}"# + "\n", to: "lines.jsonl")
        let outcome = try CommandRun(
            "audioldm2", ["batch", lines, "-m", model, "-o", folder.file("out"), "-q"],
            script: "LD_PRELOAD=\(shim.path) exec \"$command\" \"$@\"")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let manifest = try String(contentsOfFile: folder.file("out/manifest.jsonl"), encoding: .utf8)
        let entry = try JSONSerialization.jsonObject(with: Data(manifest.utf8)) as? [String: Any]
        #expect(entry?["status"] as? String == "made" && manifest.hasSuffix("}\n"), "\(manifest)")
    }

    @Test func replacedFilesKeepTheirMode() throws {
        let output = folder.file("a.wav")
        for mode: mode_t in [0o600, 0o640, 0o666] {
            try folder.write("old", to: "a.wav")
            chmod(output, mode)
            #expect(
                try CommandRun("audioldm2", ["generate", "a", "-m", model, "-o", output] + Self.making).status == 0)
            var status = stat()
            #expect(stat(output, &status) == 0 && status.st_mode & 0o777 == mode && status.st_size > 9000)
        }
    }

    @Test func killedCommandsLeaveNothing() throws {
        let outcome = try CommandRun(
            "audioldm2",
            ["generate", "a", "-m", model, "-o", folder.file("a.wav"), "--seconds", "60", "--steps", "900"],
            script: "\"$command\" \"$@\" & sleep 1; kill -KILL $!; wait $!")
        #expect(outcome.status == 137)
        #expect(try folder.contents().isEmpty)
    }
}

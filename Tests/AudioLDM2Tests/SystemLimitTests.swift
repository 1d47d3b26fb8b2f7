import AudioLDM2
import Foundation
import Platform
import TestSupport
import Testing

/// Plans within what the system allows and has, in trees of /proc and /sys as machines have them.
@Suite struct SystemLimitTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func plan(_ options: SoundOptions = .init(seconds: 2.56)) throws -> MemoryPlan {
        let pipeline = try AudioLDM2Pipeline(opening: model, threads: 1, device: .cpu)
        return try SystemFiles.$root.withValue(folder.path) { try pipeline.memoryPlan(options: options) }
    }

    private func machine(available: Int, limit: Int? = nil) throws {
        try folder.write(
            "MemTotal: 8000000 kB\nMemAvailable: \(available >> 10) kB\n", to: "proc/meminfo")
        try folder.write("31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", to: "proc/self/mountinfo")
        try folder.write("0::/a/b\n", to: "proc/self/cgroup")
        try folder.write(limit.map { "\($0)\n" } ?? "max\n", to: "sys/fs/cgroup/a/memory.max")
    }

    /// What others have taken is no reason to refuse, but one to take less.
    @Test func plansTakeLessWhereLittleIsFree() throws {
        try machine(available: 4 << 30)
        let usual = try plan()
        #expect(usual.limitBytes == MemoryPlan.processLimit)
        try machine(available: usual.peakBytes - 1)
        let lean = try plan()
        #expect(lean.peakBytes < usual.peakBytes, "\(lean) \(usual)")
        try machine(available: 1 << 20)
        #expect(try plan().peakBytes <= lean.peakBytes)
    }

    @Test func limitsOfControlGroupsAreKept() throws {
        try machine(available: 4 << 30, limit: 1 << 30)
        #expect(try plan().limitBytes == 1 << 30)
        #expect(try plan(.init(seconds: 2.56, memoryLimit: 512 << 20)).limitBytes == 512 << 20)
        try machine(available: 4 << 30, limit: 8 << 20)
        let refusal = #expect(throws: AudioLDM2Error.self) { try plan() }
        #expect(
            refusal?.kind == .outOfMemory && refusal?.description.contains("8M are allowed") == true,
            "\(refusal as Any)")
    }

    @Test func whatTheSystemAllowsIsSaid() throws {
        try machine(available: 1 << 30, limit: 300 << 20)
        try folder.write("50000 100000\n", to: "sys/fs/cgroup/cpu.max")
        let limits = SystemFiles.$root.withValue(folder.path) { SystemLimits.current }
        #expect(limits.threads == 1 && limits.processorQuota == 0.5 && limits.memory == 300 << 20)
        #expect(limits.memorySource == "/sys/fs/cgroup/a/memory.max" && limits.availableMemory == 300 << 20)
        let text = limits.description
        #expect(
            text.contains("1 of \(limits.processors) processors") && text.contains("/sys/fs/cgroup/cpu.max allows 0.5"),
            "\(text)")
        #expect(text.contains("300M at the most (/sys/fs/cgroup/a/memory.max), 300M available"), "\(text)")
    }

    @Test func commandsSayIt() throws {
        let bound = #"exec taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$command" "$@""#
        let run = try CommandRun("audioldm2", ["inspect", model, "--plan"], script: bound)
        #expect(
            run.output.contains("threads: 1\nsystem: 1 of ") && run.output.contains("system: memory: "), "\(run.output)"
        )
        let json = try CommandRun("audioldm2", ["inspect", model, "--plan", "--json"], script: bound)
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(report["threads"] as? Int == 1 && (report["system"] as? [String: Any])?["threads"] as? Int == 1)
        let limited = try CommandRun(
            "audioldm2",
            [
                "generate", "a", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.3", "--steps", "1",
                "--verbose",
            ],
            script: "exec prlimit --data=200000000 \"$command\" \"$@\"")
        #expect(
            limited.status == 0 && limited.errors.contains("system: memory: 191M at the most (ulimit -d"),
            "\(limited.errors)")
        #expect(limited.errors.contains("computing: ") && limited.errors.contains("191M allowed"), "\(limited.errors)")
    }

    /// Ended as by Ctrl-C, with nothing half-written.
    @Test(arguments: [("TERM", 143), ("INT", 130), ("HUP", 129)]) func signalsEndTheWork(_ signal: String, status: Int)
        throws
    {
        let output = folder.file("out")
        try folder.write("", to: "out/.keep")
        let run = try CommandRun(
            "audioldm2", ["generate", "a", "-m", model, "-o", output + "/a.wav", "--seconds", "60", "--steps", "1000"],
            script: """
                set -m; "$command" "$@" --verbose 2> \(folder.file("said")) & work=$!
                for try in $(seq 600); do grep -q "^memory: " \(folder.file("said")) && break; sleep 0.1; done
                kill -\(signal) $work; wait $work; echo $?; cat \(folder.file("said")) >&2
                """)
        #expect(
            run.output == "\(status)\n" && run.errors.hasSuffix("stopped; nothing was written\n"),
            "\(run.output) \(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: output) == [".keep"])
    }
}

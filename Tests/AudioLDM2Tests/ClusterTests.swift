import Foundation
import TestSupport
import Testing

/// Batches that many machines work on.
@Suite struct ClusterTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func batch(
        _ input: String, into output: String, _ more: [String] = [], script: String = #"exec "$command" "$@""#
    ) throws -> CommandRun {
        try CommandRun(
            "audioldm2",
            ["batch", input, "-o", folder.file(output), "-m", model, "--seconds", "0.2", "--steps", "1"] + more,
            script: script)
    }

    private func prompts(_ count: Int) throws -> String {
        try folder.write((1...count).map { "{\"prompt\": \"sound \($0)\"}\n" }.joined(), to: "prompts.jsonl")
    }

    /// What is in a folder of sounds, but for manifests.
    private func sounds(_ name: String) throws -> [String: Data] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.file(name))
            .filter { !$0.hasSuffix(".jsonl") }
        return try Dictionary(
            uniqueKeysWithValues: files.map {
                ($0, try Data(contentsOf: URL(fileURLWithPath: folder.file("\(name)/\($0)"))))
            })
    }

    private func entries(_ name: String) throws -> [[String: Any]] {
        try String(contentsOfFile: folder.file(name), encoding: .utf8).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test func tasksOfAJobArrayMakeWhatOneMakes() throws {
        let lines = try prompts(7)
        #expect(try batch(lines, into: "whole").status == 0)
        for task in [5, 10, 15] {
            let run = try batch(
                lines, into: "parts", ["--shard", "auto"],
                script: """
                    export SLURM_ARRAY_TASK_ID=\(task) SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_STEP=5
                    exec "$command" "$@"
                    """)
            #expect(run.status == 0, "\(run.errors)")
        }
        #expect(try sounds("parts") == sounds("whole"))
        #expect(FileManager.default.fileExists(atPath: folder.file("parts/manifest-2-of-3.jsonl")))
        let merged = try batch(lines, into: "parts", ["--merge"])
        #expect(merged.status == 0 && merged.output.contains("7 of 7 made"), "\(merged.output) \(merged.errors)")
        #expect(try entries("parts/manifest.jsonl").map { $0["line"] as? Int } == [1, 2, 3, 4, 5, 6, 7])
        // Which one run knows as its own.
        #expect(try batch(lines, into: "parts").output.contains("0 made, 7 there before"))
    }

    @Test func manifestsOfOtherLinesAreNotJoined() throws {
        let lines = try prompts(3)
        #expect(try batch(lines, into: "out").status == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("out/manifest.jsonl")))
        let cases = [
            (
                #"{"prompt": "sound 1"}\n{"prompt": "another"}\n{"prompt": "sound 3"}"#,
                #"line 2's sound is of "sound 2""#
            ),
            (#"{"prompt": "sound 1"}"#, "line 2, which is none"), ("", "no lines"),
        ]
        for (text, message) in cases {
            let other = try folder.write(text.replacingOccurrences(of: "\\n", with: "\n"), to: "other.jsonl")
            let run = try batch(other, into: "out", ["--merge"])
            #expect(run.status == 1 && run.errors.contains(message), "\(run.errors)")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("out/manifest.jsonl"))) == before)
    }

    @Test func podsOfAnIndexedJobHavePlaces() throws {
        let lines = try prompts(4)
        let run = try batch(
            lines, into: "out", ["--shard", "auto"],
            script: "JOB_COMPLETION_INDEX=1 AUDIOLDM2_SHARDS=2 exec \"$command\" \"$@\"")
        #expect(run.status == 0, "\(run.errors)")
        #expect(try entries("out/manifest-2-of-2.jsonl").compactMap { $0["line"] as? Int }.sorted() == [2, 4])
    }

    @Test(arguments: [
        "", "SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3",
        "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3", "JOB_COMPLETION_INDEX=1",
        "JOB_COMPLETION_INDEX=4 AUDIOLDM2_SHARDS=4", "JOB_COMPLETION_INDEX=x AUDIOLDM2_SHARDS=4",
        "JOB_COMPLETION_INDEX=9223372036854775807 AUDIOLDM2_SHARDS=4",
    ])
    func placesThatNobodyKnowsAreRefused(_ variables: String) throws {
        let run = try batch(
            prompts(2), into: "out", ["--shard", "auto"], script: "export A=1 \(variables); exec \"$command\" \"$@\"")
        #expect(run.status == 64 && run.errors.contains("--shard"), "\(run.errors)")
    }

    /// What is missing is said, and then made.
    @Test func mergingSaysWhatIsMissing() throws {
        let lines = try folder.write(
            (1...6).map { $0 == 4 ? "{\"prompt\": 1}\n" : "{\"prompt\": \"sound \($0)\"}\n" }.joined(),
            to: "prompts.jsonl")
        #expect(try batch(lines, into: "out", ["--shard", "1/2"]).status == 0)
        #expect(try batch(lines, into: "out", ["--shard", "2/2"]).status == 1)
        try FileManager.default.removeItem(atPath: folder.file("out/00002-sound-2.wav"))
        try FileManager.default.removeItem(atPath: folder.file("out/00003-sound-3.wav"))
        let first = try batch(lines, into: "out", ["--merge"])
        #expect(first.status == 1 && first.output.contains("3 of 6 made"), "\(first.output)")
        #expect(first.errors.contains("line 4: ") && first.errors.contains("missing: 2-3\n"), "\(first.errors)")
        #expect(try batch(lines, into: "out", ["--quiet"]).status == 1)
        let second = try batch(lines, into: "out", ["--merge", "--json"])
        #expect(second.status == 1 && second.output.contains("\"made\" : 5"), "\(second.output)")
        #expect(try entries("out/manifest.jsonl").count == 6)
        let wrong = try batch(lines, into: "out", ["--merge", "--shard", "1/2"])
        #expect(wrong.status == 64)
    }

    @Test func whatWasKilledGoesOn() throws {
        let lines = try prompts(6)
        #expect(try batch(lines, into: "whole").status == 0)
        // Killed by its own reader after the first sounds, as by a node that goes.
        let killed = try batch(
            lines, into: "parts", ["--shard", "1/1", "--together", "1"],
            script: """
                "$command" "$@" & pid=$!
                while [ "$(ls \(folder.file("parts")) 2>/dev/null | grep -c wav)" -lt 2 ] && kill -0 $pid; do sleep 0.01; done
                kill -9 $pid; wait $pid; exit 0
                """)
        #expect(killed.status == 0)
        let again = try batch(lines, into: "parts", ["--json"])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try sounds("parts") == sounds("whole"))
    }

    /// A line is made when it has come: here the second comes when the first one's sound is there.
    @Test func linesOfAPipeAreMadeAsTheyCome() throws {
        let output = folder.file("out")
        let run = try batch(
            "-", into: "out",
            script: """
                (printf '\\xEF\\xBB\\xBF{"prompt": "first"}\\n{"prompt":'
                 for try in $(seq 1000); do [ -e \(output)/00001-first.wav ] && break; sleep 0.02; done
                 [ -e \(output)/00001-first.wav ] && printf ' "second"}\\r\\n\\n{"prompt": "third", "output": "c.wav"}') \
                | "$command" "$@"
                """)
        #expect(run.status == 0 && run.output.contains("3 made"), "\(run.output) \(run.errors)")
        #expect(try entries("out/manifest.jsonl").map { $0["line"] as? Int } == [1, 2, 4])
        #expect(try Set(sounds("out").keys) == ["00001-first.wav", "00002-second.wav", "c.wav"])
        // A pipe that stays open does not keep a batch that was stopped.
        let stopped = try batch(
            "-", into: "none",
            script: "sleep 60 | \"$command\" \"$@\" & pid=$!; sleep 0.5; kill -TERM $pid; wait $pid; echo $?")
        #expect(stopped.output.hasSuffix("143\n"), "\(stopped.output) \(stopped.errors)")
    }
}

import Foundation
import ListeningTest
import TestSupport
import Testing

/// The command, as a user runs it: from folders to a picture of the results.
@Suite struct ListeningTestCommandTests {
    private let material: TestMaterial

    init() throws { material = try TestMaterial() }

    private func run(_ arguments: String...) throws -> CommandRun {
        try CommandRun("audioldm2", ["listening-test"] + arguments)
    }

    @Test func testsAreMadeAndRead() throws {
        let (folder, page) = (material.folder, material.folder.file("page"))
        let made = try run(
            folder.file("small"), folder.file("large"), "--reference", folder.file("real"), "--output", page,
            "--training", "2")
        #expect(made.status == 0 && made.output.contains("10 items in 5 conditions"), "\(made.errors)")
        let key = try ListeningReport.key(contentsOf: page + ".key.json")
        #expect(key.questions == [.ovl, .rel])
        var files: [String] = []
        for rater in 1...3 {
            var lines = ["test,rater,order,question,clip,rating,plays,seconds,training,at"]
            for (name, clip) in key.clips.sorted(by: { $0.key < $1.key }) where clip.role != .training {
                let rating = clip.expected?.lowerBound ?? Double([2, 4, 5, 1, 3][clip.condition ?? 0])
                let noisy =
                    clip.role == .test && name.utf8.first.map { Int($0) % 3 == rater % 3 } == true
                    ? max(rating - 1, 1) : rating
                for question in clip.role == .headphones ? ["HEADPHONES"] : ["OVL", "REL"] {
                    lines.append("\(key.test),r\(rater),1,\(question),\(name),\(Int(noisy)),1,1.5,0,now")
                }
            }
            files.append(try folder.write(lines.joined(separator: "\n"), to: "r\(rater).csv"))
        }
        let read = try CommandRun(
            "audioldm2",
            ["listening-test", "--results"] + files + ["--key", page + ".key.json", "--plot", folder.file("p.png")])
        #expect(read.status == 0, "\(read.errors)")
        #expect(read.output.contains("3 raters counted, 0 left out") && read.output.contains("large − reference"))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder.file("p.png"))).starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func badInputHasOneClearMessage() throws {
        let (folder, page) = (material.folder, material.folder.file("page"))
        let small = folder.file("small")
        #expect(try run(small, "--output", page, "--questions", "mushra").failed(naming: "--reference"))
        #expect(try run(small, folder.file("nosuch"), "--output", page).failed(naming: "nosuch"))
        #expect(try run(small, small, "--output", page).failed(naming: "two systems"))
        #expect(try run(small, "--output", folder.file("real")).failed(naming: "is there already"))
        try FileManager.default.removeItem(atPath: small + "/manifest.jsonl")
        #expect(try run(small, "--output", page, "--questions", "rel").failed(naming: "item0", "--prompts"))
        try folder.write("item0 no tab\n", to: "prompts.tsv")
        #expect(try run(small, "--output", page, "--prompts", folder.file("prompts.tsv")).failed(naming: "line 1"))
        #expect(
            try run("--results", folder.file("real/manifest.jsonl"), "--key", folder.file("nosuch.json")).failed(
                naming: "nosuch.json"))
        #expect(try run(small).status == 64)
        #expect(try run("--results", "x.csv").status == 64)
        #expect(try run(small, "--output", page, "--questions", "best").status == 64)
        #expect(try !folder.contents().contains { $0.hasPrefix("page") })
    }
}

import AudioLDM2
import AudioLDM2Converter
import Checkpoints
import Evaluation
import Foundation
import TestSupport
import Testing

/// Networks that judge, converted from files in the published layout, against the Python packages: see
/// `Tests/Fixtures/Scripts/make_judges.py`, which also makes files of full size; `AUDIOLDM2_JUDGES` names their folder.
@Suite struct JudgeNetworkTests {
    private let folder: TemporaryFolder
    private let rules = EvaluationProtocol(.audioldmEval)

    init() throws { folder = try TemporaryFolder() }

    @Test func networksAreThere() { #expect(JudgeFixture.small.count == SoundJudges.all.count + 3) }

    @Test(arguments: JudgeFixture.all, [WeightPreset.float32, .int8])
    func computesWhatThePackageDoes(fixture: JudgeFixture, weights: WeightPreset) throws {
        let judge = try ModelJudges.open(modelAt: fixture.converted(weights, into: folder), device: .cpu)
        let golden = try GoldenTensors(fixture.path + "/golden.safetensors")
        let limit = weights == .float32 ? 1e-4 : 2e-2
        for (name, path) in try fixture.sounds() {
            let sound = try rules.read(
                path, sampleRate: judge.sampleRate, intermediateRate: judge.intermediateRate(rules))
            let rule = judge.windows(rules)
            let heard = try judge.hear(
                rule.starts(samples: sound.samples.count).map { rule.window(of: sound.samples, at: $0) })
            let embeddings = relativeError(
                heard.flatMap(\.embeddings.values), try golden.values("embeddings.\(name)").values)
            #expect(embeddings <= limit, "\(fixture) \(weights.rawValue) \(name): embeddings are off by \(embeddings)")
            var logits = 0.0
            #expect((judge.classCount != nil) == heard.allSatisfy { $0.logits != nil })
            if judge.classCount != nil {
                logits = relativeError(
                    heard.flatMap { $0.logits?.values ?? [] }, try golden.values("logits.\(name)").values)
                #expect(logits <= limit, "\(fixture) \(weights.rawValue) \(name): logits are off by \(logits)")
            }
            if JudgeFixture.isAtFullSize { print(fixture, weights.rawValue, name, embeddings, logits) }
        }
    }

    /// A limit of memory changes how weights are read, not what is computed.
    @Test(arguments: JudgeFixture.small) func aLimitOfMemoryIsKept(fixture: JudgeFixture) throws {
        let model = try fixture.converted(.int8, into: folder)
        let judges = try [nil, 512 << 20].map { try ModelJudges.open(modelAt: model, device: .cpu, memoryLimit: $0) }
        #expect(judges[0].identity == judges[1].identity)
        let samples = (0..<judges[0].sampleRate).map { Float(sin(Double($0) * 0.05)) }
        let window = judges[0].windows(rules).window(of: samples, at: 0)
        #expect(try judges[0].hear([window, window]) == judges[1].hear([window, window]))
        let error = #expect(throws: AudioLDM2Error.self) {
            try ModelJudges.open(modelAt: model, device: .cpu, memoryLimit: 1 << 20)
        }
        #expect(error?.kind == .outOfMemory)
    }

    /// LAION's files hold texts too; RoBERTa's tokenizer comes from a folder.
    @Test(arguments: JudgeFixture.small.filter(\.isCLAP)) func textsAreRead(fixture: JudgeFixture) throws {
        let judge = try CLAPJudge(modelAt: fixture.converted(.float32, into: folder), device: .cpu)
        let golden = try GoldenTensors(fixture.path + "/golden.safetensors").values("texts").values
        let texts = try judge.embeddings(ofTexts: ["a dog barking", "heavy rain on a tin roof", ""])
        #expect(texts.rowCount == 3 && relativeError(texts.values, golden) < 1e-4)
    }

    /// Without a tokenizer there are no texts, but sounds are heard all the same.
    @Test(arguments: JudgeFixture.small.filter(\.isCLAP)) func soundsAreHeardWithoutATokenizer(
        fixture: JudgeFixture
    ) throws {
        let bare = try fixture.converted(.float32, into: folder, tokenizer: nil)
        let error = #expect(throws: AudioLDM2Error.self) { try CLAPJudge(modelAt: bare, device: .cpu) }
        #expect(error?.description.contains("--tokenizer FOLDER") == true)
        let judge = try ModelJudges.open(modelAt: bare, device: .cpu)
        #expect(!(judge is any TextJudge) && judge.textRefusal?.contains("--tokenizer FOLDER") == true)
        let whole = try ModelJudges.open(modelAt: fixture.converted(.float32, into: folder), device: .cpu)
        #expect(whole is CLAPJudge && whole.textRefusal == nil)
        let samples = Self.noise(judge.sampleRate, seed: 1)
        #expect(try judge.hear([samples]) == whole.hear([samples]))
        let set = try SetListener(judge, rules).hear(SoundSet(fixture.path + "/../sounds"))
        let report = try Evaluator(judge, rules).report(generated: set, reference: set)
        #expect(report.figures.contains { $0.metric == .frechetDistance && $0.value == 0 })
        #expect(report.warnings.contains { $0.contains("no CLAP score") && $0.contains("--tokenizer FOLDER") })
    }

    /// What memory does not suffice for is said before it is computed.
    @Test func windowsAreTooLongForALimitOfMemory() throws {
        let fixture = try #require(JudgeFixture.small.first { "\($0)" == "cnn14-16k" })
        let judge = try ModelJudges.open(
            modelAt: fixture.converted(.float32, into: folder), device: .cpu, memoryLimit: 512 << 20)
        let error = #expect(throws: AudioLDM2Error.self) {
            try judge.hear([[Float](repeating: 0, count: 900 * judge.sampleRate)])
        }
        #expect(error?.kind == .outOfMemory)
        #expect(try judge.hear([Self.noise(judge.sampleRate, seed: 1)]).count == 1)
    }

    /// Of another loudness for each seed.
    private static func noise(_ count: Int, seed: UInt32) -> [Float] {
        var state = seed &* 747_796_405 &+ 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) / Float(Int32.max) * (0.1 + 0.05 * Float(seed % 7))
        }
    }

    @Test(arguments: JudgeFixture.small.filter { !$0.isCLAP }) func aFileSaysWhatItIs(fixture: JudgeFixture) throws {
        let inspection = try ModelInspection(modelAt: fixture.converted(.int8, into: folder))
        #expect(inspection.components.count == 1 && inspection.family == inspection.components[0].name)
        #expect(inspection.abilities == [.judge])
        let refusal = #expect(throws: AudioLDM2Error.self) { try AudioLDM2Pipeline(opening: inspection.path) }
        #expect(refusal?.kind == .modelFile && refusal?.description.contains("makes no sounds") == true)
        let scorer = #expect(throws: AudioLDM2Error.self) { try SoundScorer(opening: inspection.path) }
        #expect(scorer?.kind == .modelFile && scorer?.description.contains("clap_audio") == true)
    }
}

/// A network that judges, as `make_judges.py` wrote it.
struct JudgeFixture: Sendable, CustomStringConvertible {
    let path: String
    var description: String { URL(fileURLWithPath: path).lastPathComponent }

    private static let committed = Fixtures.folder("Judges").path
    /// Where networks of published size are, if they were made.
    private static let full = ProcessInfo.processInfo.environment["AUDIOLDM2_JUDGES"]
    static var isAtFullSize: Bool { full != nil }

    static let small = fixtures(in: committed)
    static let all = small + (full.map(fixtures) ?? [])

    private static func fixtures(in folder: String) -> [JudgeFixture] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0 != "sounds" }.sorted().map { JudgeFixture(path: "\(folder)/\($0)") }
    }

    /// The sounds that were heard, by name.
    func sounds() throws -> [(name: String, path: String)] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("sounds")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            (String($0.dropLast(".wav".count)), folder.appendingPathComponent($0).path)
        }
    }

    /// Path of the checkpoint.
    func checkpoint() throws -> String {
        let file = try FileManager.default.contentsOfDirectory(atPath: path).first { $0 != "golden.safetensors" }
        return "\(path)/\(try #require(file))"
    }

    var isCLAP: Bool { description.hasPrefix("clap") }

    /// RoBERTa's, of the tiny model.
    static let tokenizer = Fixtures.folder("Checkpoints").appendingPathComponent("tiny/tokenizer").path

    /// Path of the model file that is made of it.
    /// - Parameter tokenizer: of CLAP.
    func converted(
        _ weights: WeightPreset, into folder: TemporaryFolder, tokenizer: String? = tokenizer
    ) throws -> String {
        let model = folder.file("\(self)-\(weights.rawValue)\(tokenizer == nil ? "-bare" : "").aldm")
        var input = CheckpointInput(path: try checkpoint())
        if isCLAP, let tokenizer { input.additions = [(PartName.tokenizer, tokenizer)] }
        _ = try CheckpointConverter(input.open(), ConversionOptions(weights: weights)).convert(to: model)
        return model
    }
}

import AudioLDM2
import AudioLDM2Diagnostics
import Compute
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// What is spared where sounds need not be exact.
@Suite struct QualityTests {
    private let model: String
    private let folder: TemporaryFolder

    init() throws {
        model = try ModelFixture.path("tiny", .int8)
        folder = try TemporaryFolder()
    }

    private func clip(
        _ quality: SoundOptions.Quality, threads: Int = 2, _ change: (inout SoundOptions) -> Void = { _ in }
    ) async throws -> AudioClip {
        var options = SoundOptions(seconds: 0.6, numInferenceSteps: 8, seed: 3, quality: quality)
        change(&options)
        return try await AudioLDM2Pipeline(opening: model, threads: threads).generate("rain", options: options).clip
    }

    @Test func qualitiesDifferAndAreTheSameOnAnyNumberOfThreads() async throws {
        var clips: [AudioClip] = []
        for quality in SoundOptions.Quality.allCases {
            let clip = try await clip(quality)
            #expect(try await self.clip(quality, threads: 1) == clip)
            #expect(try await self.clip(quality, threads: 5) == clip)
            clips.append(clip)
        }
        #expect(clips[0] != clips[1] && clips[1] != clips[2] && clips[0] != clips[2])
    }

    /// Schedulers that visit given levels alone are exact, and say so.
    @Test func otherSchedulersAreExact() async throws {
        let quality = { (options: SoundOptions) async throws -> (AudioClip, String?) in
            let result = try await AudioLDM2Pipeline(opening: model).generate("rain", options: options)
            return (result.clip, result.record.quality)
        }
        let fast = try await quality(SoundOptions(seconds: 0.3, numInferenceSteps: 3, scheduler: .ddim, seed: 1))
        let exact = try await quality(
            SoundOptions(seconds: 0.3, numInferenceSteps: 3, scheduler: .ddim, seed: 1, quality: .exact))
        #expect(fast == exact && fast.1 == "exact")
    }

    @Test func numbersOfStepsGoWithQuality() async throws {
        func steps(_ settings: String) async throws -> Int {
            var options = try SoundSettings(json: Data(settings.utf8)).options()
            (options.seconds, options.seed) = (0.1, 1)
            return try await AudioLDM2Pipeline(opening: model).generate("rain", options: options).record.steps
        }
        #expect(try await steps("{}") == 11)
        #expect(try await steps(#"{"quality": "exact"}"#) == 25)
        #expect(try await steps(#"{"quality": "faster"}"#) == 8)
        #expect(try await steps(#"{"scheduler": "euler"}"#) == 25)
        #expect(try await steps(#"{"quality": "faster", "steps": 3}"#) == 3)
        #expect(try await steps(#"{"profile": "diffusers", "scheduler": "dpm++"}"#) == 25)
    }

    /// UniPC where levels are chosen, unless another is named or guidance has an interval.
    @Test func schedulersGoWithQuality() async throws {
        func scheduler(_ settings: String) async throws -> String {
            var options = try SoundSettings(json: Data(settings.utf8)).options()
            (options.seconds, options.seed, options.numInferenceSteps) = (0.1, 1, 2)
            return try await AudioLDM2Pipeline(opening: model).generate("rain", options: options).record.scheduler
        }
        #expect(try await scheduler("{}") == "unipc")
        #expect(try await scheduler(#"{"quality": "faster"}"#) == "unipc")
        #expect(try await scheduler(#"{"quality": "exact"}"#) == "dpm++")
        #expect(try await scheduler(#"{"guidance_interval": [0.5, 5]}"#) == "dpm++")
        #expect(try await scheduler(#"{"scheduler": "dpm++"}"#) == "dpm++")
        #expect(try await scheduler(#"{"profile": "diffusers"}"#) == "ddim")
    }

    /// A number of steps that was said is a number of whole ones.
    @Test func stepsThatAreSaidAreWhole() async throws {
        let said = try await clip(.fast) { $0.numInferenceSteps = StepPolicy.fast.steps.count }
        let own = try await clip(.fast) { $0.numInferenceSteps = nil }
        #expect(said != own)
    }

    /// Long sounds, loops and groups go with all qualities; a group's sounds are what each is alone.
    @Test(arguments: SoundOptions.Quality.allCases) func everyKindOfSound(_ quality: SoundOptions.Quality) async throws
    {
        let long = try await clip(quality) { ($0.seconds, $0.windowSeconds) = (2.4, 1) }
        #expect(long.samples.count == 38400 && long.samples.allSatisfy { $0.isFinite })
        let loop = try await clip(quality) { $0.loops = true }
        #expect(loop.samples.allSatisfy { $0.isFinite })
        let pipeline = try AudioLDM2Pipeline(opening: model, threads: 2)
        let options = SoundOptions(seconds: 0.6, numInferenceSteps: 8, seed: 3, quality: quality)
        let requests = ["rain", "wind", "a bell"].map { SoundRequest(prompt: $0, options: options) }
        var together: [Int: AudioClip] = [:]
        for try await event in pipeline.events(of: requests) {
            if case .finished(let result) = event { together[result.sound] = result.clip }
        }
        for (number, request) in requests.enumerated() {
            #expect(try await pipeline.generate(request.prompt, options: options).clip == together[number])
        }
    }

    /// What is kept from step to step is planned for.
    @Test func memoryIsPlanned() throws {
        let pipeline = try AudioLDM2Pipeline(opening: model, threads: 2)
        func plan(_ quality: SoundOptions.Quality) throws -> Int {
            try pipeline.memoryPlan(options: SoundOptions(seconds: 10, seed: 1, quality: quality)).peakBytes
        }
        #expect(try plan(.faster) >= plan(.fast))
    }

    @Test func aPolicyIsStretched() throws {
        let policy = try #require(StepPolicy("ww-w--w"))
        #expect(policy.letters == "ww-w--w" && policy.stretched(to: 7) == policy)
        for count in [1, 2, 5, 14, 60] {
            let stretched = policy.stretched(to: count)
            #expect(stretched.steps.count == count && stretched.steps[0])
        }
        #expect(policy.stretched(to: 13).letters.filter { $0 == "w" }.count < 10)
        for letters in ["", "-w", "wx"] { #expect(StepPolicy(letters) == nil) }
    }

    /// With every step whole, what is kept changes nothing.
    @Test func aWholeWayIsTheExactOne() throws {
        let context = try GenerationContext(
            Model(opening: model), threads: 2, device: .cpu)
        let encoder = PromptEncoder(context: context)
        let conditions = try encoder.encode(encoder.tokenize("rain", negative: "", speech: nil))
        let clips = try context.withUNet { unet in
            try ["wwww", nil, "ww--"].map { letters in
                let scheduler = try makeScheduler(
                    .dpmpp, config: context.model.schedulerConfig, steps: 4, levels: .settled)
                let conditioned = try ConditionedUNet(unet, conditions: [conditions], context: context)
                let guidance = Guidance(scale: 3.5)
                let predictor: any NoisePredictor =
                    if let policy = letters.flatMap({ StepPolicy($0) }) {
                        try conditioned.predictor(at: scheduler.timesteps, guidance, policy)
                    } else {
                        try conditioned.predictor(at: scheduler.timesteps, guidance)
                    }
                var source = NoiseSource(seeds: [1], on: context.backend)
                let noise = try source.normal([1, 16, 16, context.model.unetConfig.inChannels])
                return try DiffusionLoop(context: context)(noise, scheduler, predictor) { try source.normal($0) }
                    .values()
            }
        }
        #expect(clips[0] == clips[1] && clips[2] != clips[1])
    }

    /// The command finds a policy, and writes a model that differs in nothing else; or says that there is none.
    @Test func calibrating() throws {
        let output = folder.file("faster.aldm")
        let run = try CommandRun(
            "audioldm2",
            [
                "calibrate", model, "--prompts", folder.write("rain\nwind\n", to: "p.txt"), "--seeds", "1",
                "--seconds", "0.3", "--steps", "6", "-o", output, "--json",
            ])
        let report = try JSONDecoder().decode(StepCalibration.Report.self, from: Data(run.output.utf8))
        #expect(report.rows.count >= 10 && report.policies.map { $0.row.whole } == [5, 4, 3])
        guard let chosen = report.chosen else {
            #expect(run.status == 1 && run.errors.contains("nothing was written"))
            #expect(!FileManager.default.fileExists(atPath: output))
            return
        }
        #expect(run.status == 0)
        #expect(try ModelInspection(modelAt: output).defaults.fasterSteps == chosen.steps)
    }

    @Test func policiesAreMeasured() async throws {
        let calibration = try await StepCalibration(
            modelAt: model, prompts: ["rain"], seeds: 1, seconds: 0.3, policies: ["wwwww", "w--ww"], device: .cpu)
        let report = try await calibration.run()
        #expect(report.rows.map(\.name).dropFirst() == ["wwwww", "w--ww"])
        #expect(report.policies.map { $0.row.whole } == [5, 3])
        for letters in ["", "-www", "wxw", "www"] {
            await #expect(throws: AudioLDM2Error.self) {
                try await StepCalibration(modelAt: model, prompts: ["rain"], policies: [letters], device: .cpu)
            }
        }
    }

    @Test func aPolicyIsWrittenIntoTheModel() async throws {
        let calibration = try await StepCalibration(modelAt: model, prompts: ["rain"], seeds: 1, device: .cpu)
        let output = folder.file("faster.aldm")
        try await calibration.save("ww--w", to: output)
        #expect(try ModelInspection(modelAt: output).defaults.fasterSteps == "ww--w")
        let (old, new) = (try Pack(opening: model), try Pack(opening: output))
        #expect(old.components.map(\.descriptions) == new.components.map(\.descriptions))
        try new.check()
        var options = SoundOptions(seconds: 0.2, seed: 1, quality: .faster)
        #expect(try await AudioLDM2Pipeline(opening: output).generate("rain", options: options).record.steps == 5)
        options.numInferenceSteps = 3
        #expect(try await AudioLDM2Pipeline(opening: output).generate("rain", options: options).record.steps == 3)
    }

    @Test func whatCannotBeCalibratedIsSaidAtOnce() throws {
        func fails(_ arguments: [String], _ part: String) throws {
            #expect(try CommandRun("audioldm2", ["calibrate", model] + arguments).failed(naming: part))
        }
        try fails(["--seconds", "3600"], "trained on")
        try fails(["-o", "/nowhere/x.aldm"], "/nowhere/x.aldm")
        try fails(["--prompts", folder.write("", to: "p.txt")], "0 prompts")
    }

    @Test func badPoliciesAreRefused() throws {
        for json in [#"{"faster_steps": "-w"}"#, #"{"faster_steps": ""}"#, #"{"faster_steps": "wq"}"#] {
            #expect { try ModelDefaults(reading: Data(json.utf8)) } throws: { "\($0)".contains("faster_steps") }
        }
    }
}

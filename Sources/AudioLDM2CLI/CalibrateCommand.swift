import ArgumentParser
import AudioLDM2
import AudioLDM2Diagnostics
import CommandOptions
import Glibc
import Terminal
import Text

struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Find out how few evaluations of the denoiser a model needs.",
        discussion: """
            Makes sounds of prompts in many ways and says how far each is from what endless steps make of the same noise, as a \
            share of what that deviates from its mean: in latents and in log-mel spectrograms. Then searches which steps may \
            spare the denoiser's deep levels. With --output, the model is written again with the policy that spares most and \
            is no farther from the solution than 25 steps of the reference; --quality faster follows it.

            Some hundred sounds are made of each prompt and seed: with the default prompts half an hour and more for the model that \
            comes with this program, and days for large ones on a CPU; give them few prompts and short sounds.

            EXAMPLES
              audioldm2 calibrate
              audioldm2 calibrate --seconds 2.56 --policy=w-wwwwwwww- --policy=wwwwwww-
              audioldm2 calibrate base.aldm --prompts prompts.txt --seeds 1 --seconds 5 --output base-fast.aldm
            """)

    @OptionGroup var model: ModelArgument

    @Option(
        help: ArgumentHelp("Prompts, one a line. Default: a few that come with the program.", valueName: "FILE"),
        completion: .file(), transform: plainText)
    var prompts: String?

    @Option(parsing: .unconditional, help: "Sounds of each prompt.")
    var seeds = 2

    @Option(
        parsing: .unconditional,
        help: "Length of the sounds in seconds, at most what the model was trained on, which is the default.")
    var seconds: Double?

    @Option(parsing: .unconditional, help: "Steps of the ways in which some are spared.")
    var steps = 10

    @Option(
        name: .customLong("policy"),
        help: ArgumentHelp(
            "Measure this policy instead of searching for one: a letter for each step, w for a whole one, - for one that spares "
                + "work. Several may be given.", valueName: "LETTERS"),
        transform: plainText)
    var policies: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the model with the policy that was found.", valueName: "MODEL.aldm"),
        completion: .models, transform: plainText)
    var output: String?

    @OptionGroup var computing: ComputeOptions

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    @Flag(help: "Print JSON for programs.")
    var json = false

    func validate() throws {
        guard output != "" else { throw ValidationError("--output needs the name of a file.") }
        guard (1...64).contains(seeds) else { throw ValidationError("--seeds \(seeds): choose 1 to 64.") }
        guard (4...100).contains(steps) else { throw ValidationError("--steps \(steps): choose 4 to 100.") }
        if let seconds, !SoundOptions.secondsRange.contains(seconds) {
            throw ValidationError("--seconds \(seconds): choose 0.1 to 3600.")
        }
        if let output { try requireDistinct(output: output, from: [try? model.path, prompts]) }
    }

    func run() async throws {
        let command = self
        try await untilInterrupted(note: quiet || output == nil ? nil : "nothing was written") {
            try await command.calibrate()
        }
    }

    private func calibrate() async throws {
        if let output { try StepCalibration.checkWritable(output) }
        let calibration = try await StepCalibration(
            modelAt: model.path, prompts: prompts.map { try PromptFile.prompts(at: $0, most: 1000) } ?? Self.ownPrompts,
            seeds: seeds,
            seconds: seconds, steps: steps, policies: policies, threads: computing.threads, device: computing.device)
        if !quiet, let warning = calibration.deviceWarning { printWarning(warning) }
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        let isTable = !json && !quiet
        if isTable { print("latents   mel  whole  way") }
        let report = try await calibration.run(
            onProgress: { line.show("sounds", share: Double($0) / Double(max($1, 1))) },
            onRow: { row in
                line.clear()
                guard isTable else { return }
                print(String(printf: "%7.3f %5.3f  %5d  ", row.latentsError, row.melError, row.whole) + row.name)
                fflush(nil)
            })
        line.clear()
        if json { print(try Terminal.json(report)) }
        guard let chosen = report.chosen else {
            let reason = "no step can be spared without going farther from the solution than the reference"
            guard output == nil else { throw AudioLDM2Error(.invalidOption, "\(reason); nothing was written") }
            if isTable { print(reason) }
            return
        }
        if isTable { print("--quality faster: \(chosen.steps)") }
        if let output { try await calibration.save(chosen.steps, to: output) }
    }

    /// Effects, music, a place and a voice.
    private static let ownPrompts = [
        "heavy rain on a tin roof", "a church bell rings", "slow piano music", "fast techno with a deep bass",
        "a rooster crows", "wind in the trees", "footsteps on gravel", "a violin plays a sad melody", "glass breaks",
        "a motorbike passes", "water drips in a cave", "a crowd claps", "an acoustic guitar is strummed",
        "birds sing in a forest", "a door creaks", "thunder in the distance", "drums and a saxophone",
        "a train horn", "a clock ticks", "a fire crackles", "a flute plays", "ocean waves", "a person coughs",
        "a dog barks twice while rain falls",
    ]
}

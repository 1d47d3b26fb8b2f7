import ArgumentParser
import AudioLDM2

/// How a sound is made from a prompt, the same for every command that makes one.
struct GenerationFlags: ParsableArguments {
    @Option(help: "What the sound should not be.")
    var negativePrompt = ""

    @Option(help: "Steps of the denoiser: more are better, up to a point, and take longer.")
    var steps = GenerationOptions().numInferenceSteps

    @Option(help: "How strongly the prompt is followed; 1 or less switches guidance off and halves the work.")
    var guidanceScale = GenerationOptions().guidanceScale

    @Option(help: "ddim, dpm++, unipc, euler or pndm.")
    var scheduler = GenerationOptions().scheduler

    @Option(help: "Share of fresh noise at every step, 0 to 1; only with ddim.")
    var eta = GenerationOptions().eta

    @Option(
        help:
            "Denoise longer sounds in overlapping windows of this many seconds. Default: what the model was trained on."
    )
    var window: Double?

    func validate() throws {
        if let window, !GenerationOptions.windowRange.contains(window) {
            throw ValidationError("--window \(window): choose 1 to 600.")
        }
        guard (1...1000).contains(steps) else { throw ValidationError("--steps \(steps): choose 1 to 1000.") }
        guard guidanceScale.isFinite, guidanceScale >= 0 else {
            throw ValidationError("--guidance-scale \(guidanceScale): choose a number from 0.")
        }
        guard (0...1).contains(eta) else { throw ValidationError("--eta \(eta): choose 0 to 1.") }
        guard eta == 0 || scheduler == .ddim else { throw ValidationError("--eta needs --scheduler ddim.") }
    }

    var options: GenerationOptions {
        GenerationOptions(
            negativePrompt: negativePrompt, numInferenceSteps: steps, guidanceScale: guidanceScale,
            scheduler: scheduler, eta: eta, windowSeconds: window)
    }
}

extension GenerationOptions.Scheduler: ExpressibleByArgument {}

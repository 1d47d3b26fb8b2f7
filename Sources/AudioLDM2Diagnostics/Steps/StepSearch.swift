import AudioLDM2
import Checkpoints
import Diffusion
import Tensors

/// Sounds, and what endless steps make of them.
struct StepSearch {
    let sounds: [DenoisedSound]
    let unet: UNet
    let context: GenerationContext
    /// Steps that are taken for endless.
    let endless: Int
    let onProgress: @Sendable (_ done: Int, _ total: Int) -> Void
    /// By the number of the sound.
    private var solutions: [Int: (latents: [Float], mel: [Float])] = [:]

    init(
        sounds: [DenoisedSound], unet: UNet, context: GenerationContext, endless: Int,
        onProgress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) {
        self.sounds = sounds
        self.unet = unet
        self.context = context
        self.endless = endless
        self.onProgress = onProgress
    }

    /// What a way costs, heard in all sounds.
    mutating func row(_ name: String, _ way: DenoisedSound.Way) throws -> StepCalibration.Report.Row {
        let whole = way.policy.map { $0.steps.count(where: \.self) } ?? way.steps
        var errors: [(latents: Double, mel: Double)] = []
        for index in sounds.indices {
            onProgress(index, sounds.count)
            let solution = try solution(index)
            let latents = try sounds[index].latents(way, with: unet, in: context)
            errors.append(
                (
                    relativeDeviation(try latents.values(), from: solution.latents),
                    relativeDeviation(try mel(latents), from: solution.mel)
                ))
        }
        return .init(name: name, steps: way.steps, whole: whole, latents: errors.map(\.latents), mel: errors.map(\.mel))
    }

    /// How far sounds of the same prompt and other noise are from each other: what nobody would call a fault.
    mutating func otherSeeds() throws -> StepCalibration.Report.Row {
        var errors: [(latents: Double, mel: Double)] = []
        for index in sounds.indices {
            let others = sounds.indices.filter {
                sounds[$0].prompt == sounds[index].prompt && sounds[$0].seed != sounds[index].seed
            }
            guard let other = others.first else { continue }
            let (own, theirs) = (try solution(index), try solution(other))
            errors.append(
                (relativeDeviation(theirs.latents, from: own.latents), relativeDeviation(theirs.mel, from: own.mel)))
        }
        return .init(
            name: "another seed", steps: endless, whole: endless, latents: errors.map(\.latents), mel: errors.map(\.mel)
        )
    }

    /// Policies with ever fewer whole steps, each the one before without the step that is missed least.
    mutating func search(_ way: DenoisedSound.Way, sounds count: Int) throws -> [StepPolicy] {
        let heard = sounds.indices.filter { $0 * count / sounds.count != ($0 - 1) * count / sounds.count || $0 == 0 }
        var steps = Array(repeating: true, count: way.steps)
        var found: [StepPolicy] = []
        // The first step has nothing to carry on.
        while steps.count(where: \.self) > max(3, way.steps / 4) {
            var best: (error: Double, step: Int)?
            for step in steps.indices.dropFirst() where steps[step] {
                onProgress(step, steps.count)
                var spared = steps
                spared[step] = false
                var way = way
                way.policy = StepPolicy(steps: spared)
                var error = 0.0
                for index in heard {
                    let latents = try sounds[index].latents(way, with: unet, in: context)
                    error += relativeDeviation(try latents.values(), from: try solution(index).latents)
                }
                if error < best?.error ?? .infinity { best = (error, step) }
            }
            guard let best else { break }
            steps[best.step] = false
            found.append(StepPolicy(steps: steps))
        }
        return found
    }

    private mutating func solution(_ index: Int) throws -> (latents: [Float], mel: [Float]) {
        if let known = solutions[index] { return known }
        // To the lowest level of the training: what is below 0.1 is to be counted as well.
        let way = DenoisedSound.Way(steps: endless, levels: .even(end: 0.04))
        let latents = try sounds[index].latents(way, with: unet, in: context)
        let solution = (try latents.values(), try mel(latents))
        guard solution.0.allSatisfy(\.isFinite), solution.1.allSatisfy(\.isFinite) else {
            throw AudioLDM2Error(
                .modelFile,
                "\(context.model.pack.path): what it makes of \(sounds[index].prompt.quoted) is not finite; its weights are "
                    + "damaged or their training diverged")
        }
        solutions[index] = solution
        return solution
    }

    private func mel(_ latents: Tensor) throws -> [Float] {
        try LatentDecoder(context: context).mel(latents).values()
    }
}

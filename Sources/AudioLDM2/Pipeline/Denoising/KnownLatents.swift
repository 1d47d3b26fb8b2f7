import Diffusion
import Tensors

/// What is known of the latents before they are made: the diffusion loop fills in the rest.
///
/// Where latents are known, the model's output is replaced by what leads to them, at every step. So a known part is on
/// its exact way from noise to its values, the unknown part always sees it at its own level of noise, and any scheduler
/// will do.
package struct KnownLatents {
    /// `[1, frames, bands, channels]`.
    package let latents: Tensor
    /// 1 where the latents are kept, 0 where they are made anew, `[frames, bands]`.
    package let kept: [Float]
    /// Whether unknown parts start from noise alone.
    package let startsFromNoise: Bool

    /// The first sample of the loop.
    package func start(_ noise: Tensor, _ scheduler: any Scheduler) throws -> Tensor {
        let noised = try scheduler.noised(latents(for: noise), with: noise)
        return startsFromNoise ? try blend(scheduler.initialNoiseScale * noise, known: noised) : noised
    }

    /// The model's output, corrected where it is known better.
    package func corrected(
        _ output: Tensor, sample: Tensor, step: Int, _ scheduler: any Scheduler
    ) throws -> Tensor {
        guard kept.contains(where: { $0 > 0 }) else { return output }
        return try blend(output, known: scheduler.output(leadingTo: latents(for: sample), from: sample, step: step))
    }

    /// The same for each sound of a batch.
    private func latents(for sample: Tensor) throws -> Tensor {
        let sounds = sample.shape[0]
        return sounds == 1 ? latents : try .concatenate(Array(repeating: latents, count: sounds), axis: 0)
    }

    private func blend(_ free: Tensor, known: Tensor) throws -> Tensor {
        try free.backend.blend(free, known, kept: free.backend.upload(kept, [kept.count]))
    }
}

import Tensors

/// How strongly a prompt is followed.
package struct Guidance: Sendable, Hashable {
    /// 1 is the conditional prediction itself.
    package var scale: Float
    /// Share, 0…1, of the conditional prediction's deviation in the result's.
    package var rescale: Float

    package init(scale: Float, rescale: Float = 0) {
        self.scale = scale
        self.rescale = rescale
    }

    /// Classifier-free guidance (arXiv 2207.12598): `unconditional + scale · (conditional − unconditional)`, all of one
    /// shape, `[samples, ...]`. Large scales make predictions too large; rescaled, a sample deviates from its mean rather as
    /// its conditional prediction does (arXiv 2305.08891, section 3.4; diffusers `rescale_noise_cfg`).
    package func callAsFunction(unconditional: Tensor, conditional: Tensor) throws -> Tensor {
        let backend = conditional.backend
        let guided = try backend.combine([(1 - scale, unconditional), (scale, conditional)])
        return rescale == 0 ? guided : try backend.rescale(guided, like: conditional, share: rescale)
    }
}

import Tensors

/// Classifier-free guidance (arXiv 2207.12598): `unconditional + scale · (conditional − unconditional)`, all of one
/// shape. A scale of 1 is the conditional prediction itself.
package func guided(unconditional: Tensor, conditional: Tensor, scale: Float) throws -> Tensor {
    try conditional.backend.combine([(1 - scale, unconditional), (scale, conditional)])
}

/// Sees what a backend's operations read and make, in the order in which they are done.
///
/// Calibration learns from it which numbers meet the weights. Nothing is called where there is no observer.
package protocol OperationObserver: AnyObject, Sendable {
    /// - Throws: whatever is to end the work.
    func product(_ product: ObservedProduct) throws
    /// An attention to what the products before it made.
    /// - Parameter isPlain: whether it could be computed from 8-bit numbers.
    func attention(heads: Int, scale: Float, isPlain: Bool) throws
}

/// A product that has been computed.
package struct ObservedProduct: Sendable {
    /// Name of the weight in its file: `unet.conv_in.weight`.
    package let weight: String
    /// `[..., inputs]`, before the geometry's activation.
    package let input: Tensor
    /// Nil for what is not a convolution.
    package var geometry: ConvolutionGeometry?
    /// What was added to the product; part of the result.
    package let residual: Tensor?
    package let result: Tensor

    package init(
        weight: String, input: Tensor, geometry: ConvolutionGeometry? = nil, residual: Tensor?, result: Tensor
    ) {
        (self.weight, self.input, self.geometry) = (weight, input, geometry)
        (self.residual, self.result) = (residual, result)
    }
}

/// Turns the 16 uniform numbers from `start` on into normal ones as PyTorch's `normal_fill` does: the first eight are
/// radii, the last eight angles.
func boxMuller(_ values: inout [Float], at start: Int) {
    for index in start..<start + 8 {
        let radius = (-2 * logarithm(1 - values[index])).squareRoot()
        let (sine, cosine) = sineAndCosine(twoPi * values[index + 8])
        values[index] = radius * cosine
        values[index + 8] = radius * sine
    }
}

// PyTorch's vector code computes with the single-precision polynomials of the Cephes library, fused multiply-adds
// included, which differ from the C library's results in the last bits. The same polynomials give the same bits.

/// To the nearest, where `Float.pi` is rounded towards zero.
private let twoPi = Float(2 * Double.pi)
private let logarithmCoefficients: [Float] = [
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]
private let cosineCoefficients: [Float] = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]
private let sineCoefficients: [Float] = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]

/// Natural logarithm for 0 < x ≤ 1, normal numbers only.
private func logarithm(_ x: Float) -> Float {
    var exponent = Float(x.exponent) + 1
    var f = x.significand / 2
    if f < 0.707106781186547524 {
        exponent -= 1
        f += f
    }
    f -= 1
    let square = f * f
    let series = horner(f, logarithmCoefficients)
    // ln 2 in two parts: the larger one has few bits, so that its product with the exponent is exact.
    var y = (exponent * -2.12194440e-4).addingProduct(series * f, square)
    y.addProduct(-0.5, square)
    return (f + y) + exponent * 0.693359375
}

/// For 0 ≤ x ≤ 2π.
private func sineAndCosine(_ x: Float) -> (sine: Float, cosine: Float) {
    // 4/π counts octants; the nearest even multiple of π/4 is taken off in three parts.
    let octant = (Int32(x * 1.27323954473516) + 1) & ~1
    let multiple = Float(octant)
    var r = x
    r.addProduct(multiple, -0.78515625)
    r.addProduct(multiple, -2.4187564849853515625e-4)
    r.addProduct(multiple, -3.77489497744594108e-8)

    let square = r * r
    let evenSeries = horner(square, cosineCoefficients)
    let even = (square * -0.5).addingProduct(evenSeries * square, square) + 1
    let oddSeries = horner(square, sineCoefficients)
    let odd = r.addingProduct(oddSeries * square, r)

    let swapped = octant & 2 != 0
    let sine = swapped ? even : odd
    let cosine = swapped ? odd : even
    return (octant & 4 != 0 ? -sine : sine, (octant + 2) & 4 != 0 ? -cosine : cosine)
}

/// The polynomial with these coefficients, the highest power's first, with fused multiply-adds.
private func horner(_ x: Float, _ coefficients: [Float]) -> Float {
    coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, x) }
}

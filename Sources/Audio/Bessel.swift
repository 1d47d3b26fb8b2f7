/// The modified Bessel function of order 0, by its power series: what Kaiser's window is made of.
package func bessel(_ x: Double) -> Double {
    var (sum, term, index) = (1.0, 1.0, 1.0)
    while term > 1e-17 * sum {
        term *= (x / 2 / index) * (x / 2 / index)
        sum += term
        index += 1
    }
    return sum
}

import Tensors

/// A weight on its way into the pack: float32 rows in the order of its role's stored shape.
///
/// A row is one output of a product (`taps × inputs` numbers), one vector of a table, or one number of a `vector`.
package protocol RowReader: Sendable {
    var rowCount: Int { get }
    /// Numbers in a row.
    var width: Int { get }
    /// Reads rows `range`, one after the other; `buffer` holds exactly as many numbers. Called from several threads.
    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws
}

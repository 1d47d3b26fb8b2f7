import Tensors

/// Puts quantized rows where `Int8Layout` says they go. Rows may be written from several threads.
struct Int8Writer {
    private let bytes: UnsafeMutableRawBufferPointer
    private let layout: Int8Layout
    private let isTable: Bool
    // Kept, because a role computes them anew from its shape.
    private let taps: Int
    private let inputs: Int

    /// - Parameter bytes: `Int8Layout.byteCount` zeros.
    init(role: WeightRole, bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
        layout = Int8Layout(role: role)
        isTable = if case .table = role { true } else { false }
        (taps, inputs) = (role.taps, role.inputs)
    }

    /// - Parameter integers: the row's `taps × inputs` numbers.
    func write(_ integers: UnsafeBufferPointer<Int8>, scale: Float, row: Int) {
        bytes.storeBytes(of: scale, toByteOffset: layout.scalesOffset + 4 * row, as: Float.self)
        if isTable {
            bytes[(row * inputs)...].copyBytes(from: UnsafeRawBufferPointer(integers))
        } else {
            let sum = integers.reduce(Int32(0)) { $0 + Int32($1) }
            bytes.storeBytes(of: sum, toByteOffset: layout.sumsOffset + 4 * row, as: Int32.self)
            writeTiles(integers, row: row)
        }
    }

    /// `[outputs / 16][taps][inputs / 4][16 outputs][4 inputs]`.
    private func writeTiles(_ integers: UnsafeBufferPointer<Int8>, row: Int) {
        let (tileOutputs, tileInputs) = (Int8Layout.tileOutputs, Int8Layout.tileInputs)
        let (tileRow, lane) = row.quotientAndRemainder(dividingBy: tileOutputs)
        let tiles = bytes.assumingMemoryBound(to: Int8.self)
        var source = 0
        for tap in 0..<taps {
            let place = (tileRow * taps + tap) * layout.paddedInputs * tileOutputs + lane * tileInputs
            for input in 0..<inputs {
                tiles[place + input / tileInputs * tileInputs * tileOutputs + input % tileInputs] = integers[source]
                source += 1
            }
        }
    }
}

import Tensors

/// Puts quantized rows where `Int8Layout` says they go. Rows may be written from several threads.
struct Int8Writer {
    private let role: WeightRole
    private let layout: Int8Layout
    private let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter bytes: `layout.byteCount` zeros.
    init(role: WeightRole, bytes: UnsafeMutableRawBufferPointer) {
        self.role = role
        layout = Int8Layout(role: role)
        self.bytes = bytes
    }

    /// - Parameter integers: the row's `taps × inputs` numbers.
    func write(_ integers: UnsafeBufferPointer<Int8>, scale: Float, row: Int) {
        bytes.storeBytes(of: scale, toByteOffset: layout.scalesOffset + 4 * row, as: Float.self)
        if case .table(_, let width) = role {
            UnsafeMutableRawBufferPointer(rebasing: bytes[row * width..<(row + 1) * width])
                .copyMemory(from: UnsafeRawBufferPointer(integers))
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
        for tap in 0..<role.taps {
            var place = (tileRow * role.taps + tap) * layout.paddedInputs * tileOutputs + lane * tileInputs
            for first in stride(from: 0, to: role.inputs, by: tileInputs) {
                for input in first..<min(first + tileInputs, role.inputs) {
                    bytes.storeBytes(
                        of: integers[tap * role.inputs + input], toByteOffset: place + input - first, as: Int8.self)
                }
                place += tileOutputs * tileInputs
            }
        }
    }
}

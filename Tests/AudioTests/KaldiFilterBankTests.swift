import Audio
import Checkpoints
import TestSupport
import Testing

@Suite struct KaldiFilterBankTests {
    /// Real sounds; the fixture's features are normalized, and computed in float64.
    @Test func agreesWithTorchaudio() throws {
        let path = Fixtures.folder("AudioMAE").appendingPathComponent("golden.safetensors").path
        let golden = try SafetensorsFile(path: path, name: path)
        let filterBank = KaldiFilterBank(sampleRate: 16000, bands: 128)
        for index in 0..<5 {
            let wave = try golden.values("wave.\(index)").values
            let features = filterBank(wave, maximumFrames: 1024)
            #expect(features.count == ((wave.count - 400) / 160 + 1) * 128)
            let expected = try golden.values("fbank.\(index)").values.map { $0 * 2 * 4.5689974 - 4.2677393 }
            #expect(zip(features, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func shortSoundsHaveNoFramesAndLongOnesAreCut() {
        let filterBank = KaldiFilterBank(sampleRate: 16000, bands: 128)
        #expect(filterBank([Float](repeating: 0.1, count: 399), maximumFrames: 10).isEmpty)
        #expect(filterBank([Float](repeating: 0.1, count: 400), maximumFrames: 10).count == 128)
        #expect(filterBank([Float](repeating: 0, count: 16000), maximumFrames: 10).count == 1280)
        #expect(
            filterBank([Float](repeating: 0, count: 400), maximumFrames: 1).allSatisfy { abs($0 + 15.942385) < 1e-5 })
    }
}

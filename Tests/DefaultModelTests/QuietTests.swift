import AudioLDM2
import AudioLDM2DefaultModel
import AudioLDM2Diagnostics
import Foundation
import TestSupport
import Testing

/// What int8 does to the silence beside a loud sound.
@Suite struct QuietTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Log-mel `[1, 64, frames]`: silence, a stroke that decays, silence, a short one, silence, a tone with hard ends.
    private func strokes() -> NamedTensor {
        let (bands, frames) = (64, 600)
        let silence: Float = -11.5129
        var random = UInt32(1)
        var values = [Float](repeating: silence, count: bands * frames)
        for (start, decay) in [(100, Float(0.02)), (300, 0.2)] {
            for band in 0..<bands {
                for frame in start..<start + 60 {
                    random = random &* 1_664_525 &+ 1_013_904_223
                    let noise = Float(random >> 8) * 0x1p-24 - 0.5
                    let level = 0.5 - decay * Float(frame - start) * 8 + noise
                    if level > silence + 1 { values[band * frames + frame] = level }
                }
            }
        }
        for band in 20..<24 { for frame in 420..<480 { values[band * frames + frame] = 1 } }
        return NamedTensor(name: "vocoder.mel", shape: [1, bands, frames], values: values)
    }

    /// dBFS of every 50 ms.
    private func levels(_ model: String) throws -> [Double] {
        let samples = try ComponentTrace(opening: model, device: .cpu).blockingRun([strokes()])[0].values
        return stride(from: 0, to: samples.count - 799, by: 800).map { start in
            let power = samples[start..<start + 800].reduce(0.0) { $0 + Double($1) * Double($1) } / 800
            return 10 * log10(power + 1e-18)
        }
    }

    /// In every frame as loud as in float32, or too quiet to be heard: with a range over 2.56 s there was a hiss of −60 dB.
    @Test func silenceBesideAStrokeIsSilent() throws {
        let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Weights/checkpoint").standardized.path
        let exact = folder.file("float32.aldm")
        let run = try CommandRun(
            "audioldm2-convert",
            [checkpoint, "--output", exact, "--weights", "float32", "--compression", "none", "--quiet"])
        #expect(run.status == 0, "\(run.errors)")
        let (wanted, found) = (try levels(exact), try levels(DefaultModel.path()))
        #expect(wanted.count == 120 && wanted.contains { $0 < -110 } && wanted.contains { $0 > -30 })
        for (frame, (a, b)) in zip(wanted, found).enumerated() {
            #expect(abs(a - b) < 1 || max(a, b) < -90, "frame \(frame): \(a) dB in float32, \(b) in int8")
        }
    }
}

import Audio
import Foundation
import Testing

@Suite struct GriffinLimTests {
    private let geometry = LogMelSpectrogram.Geometry(
        sampleRate: 16000, fftLength: 1024, hop: 160, bands: 64, frequencies: 0...8000)

    private func sound(
        _ mel: [Float], loops: Bool = false, seed: UInt64 = 0, parts: Int = 1
    ) -> (samples: [Float], pieces: Int) {
        let frames = mel.count / geometry.bands
        var stream = GriffinLimStream(GriffinLim(geometry), frames: frames, loops: loops, seed: seed)
        var samples: [Float] = []
        var pieces = 0
        for part in 0..<parts {
            let range = frames * part / parts..<frames * (part + 1) / parts
            stream.append(Array(mel[range.lowerBound * geometry.bands..<range.upperBound * geometry.bands]))
            while let piece = stream.next() {
                samples += piece
                pieces += 1
            }
        }
        return (samples, pieces)
    }

    /// Magnitudes by the definition of the Fourier transform, of frames centred on multiples of the hop.
    private func spectra(_ samples: [Float]) -> [[Double]] {
        let (length, hop) = (geometry.fftLength, geometry.hop)
        let angles = (0..<length).map { 2 * Double.pi * Double($0) / Double(length) }
        let (cosines, sines) = (angles.map { cos($0) }, angles.map { sin($0) })
        return (0...samples.count / hop).map { frame in
            let values = (0..<length).map { offset -> Double in
                // Mirrored at the ends, as librosa does.
                var place = frame * hop - length / 2 + offset
                if place < 0 { place = -place }
                if place >= samples.count { place = 2 * (samples.count - 1) - place }
                return (0.5 - 0.5 * cosines[offset]) * Double(samples[place])
            }
            return (0...length / 2).map { bin in
                var (real, imaginary) = (0.0, 0.0)
                for index in 0..<length {
                    real += values[index] * cosines[bin * index % length]
                    imaginary -= values[index] * sines[bin * index % length]
                }
                return (real * real + imaginary * imaginary).squareRoot()
            }
        }
    }

    private func convergence(_ samples: [Float], to expected: [[Double]]) -> Double {
        let found = spectra(samples)
        var (distance, norm) = (0.0, 0.0)
        for (a, b) in zip(found, expected) {
            for (x, y) in zip(a, b) { (distance, norm) = (distance + (x - y) * (x - y), norm + y * y) }
        }
        return (distance / norm).squareRoot()
    }

    /// As near to the sound's spectrogram as librosa comes from the same magnitudes, and nearer than from its own.
    @Test func convergesAsLibrosaDoes() throws {
        let reference = try AudioReference("griffinlim")
        let (wave, mel) = (try reference.values("wave"), try reference.values("logmel"))
        let figures = try reference.values("convergence").map(Double.init)
        let expected = spectra(wave)
        let reached = (0..<4).map { seed in
            convergence(Array(sound(mel, seed: seed).samples.prefix(wave.count)), to: expected)
        }
        let mean = reached.reduce(0, +) / Double(reached.count)
        #expect(abs(mean - figures[1]) < 0.01, "\(reached), librosa \(figures)")
        #expect(mean < figures[0])
    }

    /// What comes in parts, and is made in pieces, is what comes at once.
    @Test(arguments: [2, 5, 37])
    func streamingEqualsWhole(_ parts: Int) throws {
        let mel = try AudioReference("griffinlim").values("logmel")
        let long = Array(repeating: mel, count: 5).flatMap(\.self)
        let whole = sound(long)
        #expect(whole.pieces == (long.count / 64 + 255) / 256)
        #expect(sound(long, parts: parts).samples == whole.samples)
    }

    /// Pieces lead on from each other: where they meet, the spectrogram is no further from what is wanted than elsewhere.
    @Test func piecesMeetWithoutASeam() throws {
        let mel = try AudioReference("griffinlim").values("logmel")
        // The steady tone alone, for 12 seconds.
        let frame = Array(mel[25 * 64..<26 * 64])
        let samples = sound(Array(repeating: frame, count: 1200).flatMap(\.self)).samples
        let levels = stride(from: 1600, to: samples.count - 1600, by: 160).map { start in
            samples[start..<start + 640].reduce(0) { $0 + $1 * $1 }
        }
        let usual = levels.sorted()[levels.count / 2]
        let borders = (1...4).flatMap { piece in (-3...3).map { (piece * 256 - 10) + $0 } }
        for place in borders where levels.indices.contains(place) {
            #expect(abs(10 * log10(levels[place] / usual)) < 3, "frame \(place)")
        }
    }

    /// How much the logarithm of the spectrum changes around each block of 512 samples, by frames of `length`: a phase that
    /// breaks off shows between the partials.
    private func changes(_ samples: [Float], length: Int) -> [Double] {
        let bins = length / 2
        let angles = (0..<length).map { 2 * Double.pi * Double($0) / Double(length) }
        let (cosines, sines) = (angles.map { cos($0) }, angles.map { sin($0) })
        let hop = 128
        let spectra = stride(from: 0, through: samples.count - length, by: hop).map { start in
            (0..<bins).map { bin -> Double in
                var (real, imaginary) = (0.0, 0.0)
                for index in 0..<length {
                    let value = (0.5 - 0.5 * cosines[index]) * Double(samples[start + index])
                    real += value * cosines[bin * index % length]
                    imaginary -= value * sines[bin * index % length]
                }
                return log((real * real + imaginary * imaginary).squareRoot() + 1e-3)
            }
        }
        let apart = length / 2 / hop
        let steps = zip(spectra, spectra.dropFirst(apart)).map { before, after in
            zip(before, after).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(bins)
        }
        // The place of a step is the middle of both frames.
        let first = (length / 2 + length / 4) / hop
        return (0..<samples.count / 512).map { block in
            let range = (block * 4 - 4 - first)..<(block * 4 + 5 - first)
            return steps[range.clamped(to: 0..<steps.count)].max() ?? 0
        }
    }

    /// Where pieces meet, and where a loop begins again, the spectrum changes no more than elsewhere. Partials that are no
    /// multiples of the frames' rate, as of a drone: nothing hides a break there.
    @Test(arguments: [false, true], [256, 512]) func phasesGoOnAcrossBorders(_ loops: Bool, _ length: Int) throws {
        let partials: [Double] = [151.3, 227.9, 309.7, 418.1]
        let tone = (0..<16000).map { place -> Float in
            let time = 2 * Double.pi * Double(place) / 16000
            return partials.reduce(Float(0)) { $0 + Float(0.1 * sin(time * $1)) }
        }
        let frame = LogMelSpectrogram(geometry, scale: .logMagnitude(floor: 1e-5))(tone)[50 * 64..<51 * 64]
        // More frames than a loop that is made at once.
        let samples = sound((0..<1200).flatMap { _ in frame }, loops: loops, seed: 4).samples
        // Twice, so that the seam is inside.
        let found = changes(loops ? samples + samples : samples, length: length)
        let usual = found[4..<found.count - 4].sorted()
        let limit = 1.15 * usual[usual.count * 95 / 100]
        let borders = (1...4).map { $0 * 256 * 160 / 512 } + (loops ? [samples.count / 512] : [])
        for border in borders { #expect(found[border] <= limit, "block \(border)") }
    }

    @Test func theSeedSettlesTheSound() throws {
        let mel = try AudioReference("griffinlim").values("logmel")
        #expect(sound(mel, seed: 1).samples == sound(mel, seed: 1).samples)
        #expect(sound(mel, seed: 1).samples != sound(mel, seed: 2).samples)
    }

    /// A loop played twice has the same spectrogram across its seam as within: short ones go around, long ones are made in
    /// pieces whose last leads to the first.
    @Test(arguments: [9, 120, 700])
    func loopsHaveNoSeam(_ frames: Int) throws {
        let mel = try AudioReference("griffinlim").values("logmel")
        let steady = (0..<frames).flatMap { _ in mel[25 * 64..<26 * 64] }
        let samples = sound(steady, loops: true).samples
        #expect(samples.count == frames * 160)
        let twice = samples + samples
        let steps = zip(twice, twice.dropFirst()).map { abs($0 - $1) }
        let usual = steps.sorted()[steps.count * 99 / 100]
        #expect(steps[samples.count - 1] <= usual)
        let level = { (start: Int) in twice[start..<start + 640].reduce(Float(0)) { $0 + $1 * $1 } }
        let levels = stride(from: 0, to: twice.count - 640, by: 160).map(level)
        let seam = level(samples.count - 320)
        #expect(abs(10 * log10(seam / levels.sorted()[levels.count / 2])) < 3)
    }

    /// Silence stays silent: no bin is made louder than its bands say.
    @Test func silenceStaysSilent() {
        let samples = sound(Array(repeating: log(1e-5), count: 64 * 300)).samples
        #expect(samples.allSatisfy { abs($0) < 1e-4 })
    }

    @Test(arguments: [1, 2, 15, 16, 17, 256, 257, 288, 289])
    func anyNumberOfFramesIsMade(_ frames: Int) {
        let samples = sound((0..<frames * 64).map { -3 - Float($0 % 7) }).samples
        #expect(samples.count == frames * 160 && samples.allSatisfy(\.isFinite))
    }
}

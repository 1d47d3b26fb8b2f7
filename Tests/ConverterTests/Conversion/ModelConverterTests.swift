import AudioLDM2
import AudioLDM2Converter
import Foundation
import Synchronization
import TestSupport
import Testing

/// Converting from a program, as the library offers it.
@Suite struct ModelConverterTests {
    private let folder: TemporaryFolder
    private let checkpoint = URL(fileURLWithPath: CheckpointFixture(CheckpointFixture.names[0]).path)

    init() throws { folder = try TemporaryFolder() }

    @Test func itMakesWhatTheCommandMakes() async throws {
        let model = folder.url.appendingPathComponent("model.aldm")
        let shares = Mutex<[Double]>([])
        let summary = try await ModelConverter(checkpointAt: checkpoint).convert(to: model) { progress in
            shares.withLock { $0.append(progress.share) }
        }
        let other = folder.file("other.aldm")
        _ = try CheckpointConverter(DiffusersFolder(path: checkpoint.path), ConversionOptions()).convert(to: other)
        let bytes = try Data(contentsOf: model)
        #expect(try bytes == Data(contentsOf: URL(fileURLWithPath: other)))
        #expect(summary.fileBytes == bytes.count && summary.parameters > 0)
        let seen = shares.withLock(\.self)
        #expect(seen == seen.sorted() && seen.last == 1)
    }

    @Test func cancellationLeavesNothing() async throws {
        let model = folder.url.appendingPathComponent("model.aldm")
        let converter = try await ModelConverter(checkpointAt: checkpoint, options: .init(compressionLevel: nil))
        let work = Task { try await converter.convert(to: model) }
        work.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test func whatCannotBeConvertedIsSaid() async throws {
        func refusal(_ url: URL, _ options: ModelConverter.Options = .init()) async -> AudioLDM2Error? {
            await #expect(throws: AudioLDM2Error.self) {
                _ = try await ModelConverter(checkpointAt: url, options: options)
            }
        }
        #expect(await refusal(folder.url)?.description.contains("model_index.json") == true)
        #expect(await refusal(checkpoint, .init(compressionLevel: 20))?.kind == .invalidOption)
        #expect(await refusal(checkpoint, .init(without: ["unet"]))?.kind == .invalidOption)
        #expect(await refusal(checkpoint, .init(weightsByComponent: ["no": .int8]))?.description.contains("no") == true)
    }
}

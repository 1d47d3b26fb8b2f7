import AudioLDM2
import AudioLDM2DefaultModel
import CAudioLDM2
import FoundationEssentials
import Glibc

// The functions of audioldm2.h that open and describe models; the header says what they do.

@_cdecl("audioldm2_interface_version")
public func interfaceVersion() -> Int32 { AUDIOLDM2_INTERFACE_VERSION }

@_cdecl("audioldm2_version")
public func version() -> UnsafePointer<CChar>? { UnsafePointer(versionText.start) }

private let versionText = CText(AudioLDM2Pipeline.version)

@_cdecl("audioldm2_open")
public func openPipeline(
    _ path: UnsafePointer<CChar>?, _ settings: UnsafePointer<CChar>?,
    _ pipeline: UnsafeMutablePointer<OpaquePointer?>?
) -> audioldm2_status {
    pipeline?.pointee = nil
    return status {
        let pipeline = try required(pipeline, "the place for a pipeline")
        let path = try fileName(path) ?? DefaultModel.path()
        let settings = try OpeningSettings(json: text(settings, "the settings"))
        let opened = try Waiting.wait {
            try await AudioLDM2Pipeline(
                modelAt: path, threads: settings.threads, device: settings.computeDevice(),
                weightBudget: settings.weightBudget ?? 0)
        }
        pipeline.pointee = PipelineHandle(opened).handle
    }
}

@_cdecl("audioldm2_pipeline_free")
public func freePipeline(_ pipeline: OpaquePointer?) { PipelineHandle.release(pipeline) }

@_cdecl("audioldm2_pipeline_sample_rate")
public func sampleRate(_ pipeline: OpaquePointer?) -> Int32 {
    PipelineHandle.object(pipeline).map { Int32(clamping: $0.pipeline.sampleRate) } ?? 0
}

@_cdecl("audioldm2_pipeline_default_seconds")
public func defaultSeconds(_ pipeline: OpaquePointer?) -> Double {
    PipelineHandle.object(pipeline)?.pipeline.defaultSeconds ?? 0
}

@_cdecl("audioldm2_pipeline_device")
public func device(_ pipeline: OpaquePointer?) -> UnsafePointer<CChar>? {
    PipelineHandle.object(pipeline).flatMap { UnsafePointer($0.device.start) }
}

@_cdecl("audioldm2_pipeline_threads")
public func threads(_ pipeline: OpaquePointer?) -> Int32 {
    PipelineHandle.object(pipeline).map { Int32(clamping: $0.pipeline.threads) } ?? 0
}

@_cdecl("audioldm2_inspect")
public func inspect(
    _ path: UnsafePointer<CChar>?, _ information: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> audioldm2_status {
    information?.pointee = nil
    return status {
        let information = try required(information, "the place for the information")
        let inspection = try ModelInspection(modelAt: fileName(path) ?? DefaultModel.path())
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        information.pointee = strdup(String(decoding: try encoder.encode(inspection), as: UTF8.self))
    }
}

@_cdecl("audioldm2_text_free")
public func freeText(_ text: UnsafeMutablePointer<CChar>?) { free(text) }

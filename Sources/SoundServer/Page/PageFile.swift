/// A file of the page, as it is part of the program.
package struct PageFile: Sendable {
    /// Where a browser finds it.
    package let path: String
    package let mediaType: String
    package let contents: String

    private static let script = "text/javascript; charset=utf-8"

    package static let all = [
        PageFile("/", "text/html; charset=utf-8", PackageResources.index_html),
        PageFile("/page.css", "text/css; charset=utf-8", PackageResources.page_css),
        PageFile("/page.js", script, PackageResources.page_js),
        PageFile("/api.js", script, PackageResources.api_js),
        PageFile("/cards.js", script, PackageResources.cards_js),
        PageFile("/form.js", script, PackageResources.form_js),
        PageFile("/history.js", script, PackageResources.history_js),
        PageFile("/jobs.js", script, PackageResources.jobs_js),
        PageFile("/notices.js", script, PackageResources.notices_js),
        PageFile("/picture.js", script, PackageResources.picture_js),
        PageFile("/source.js", script, PackageResources.source_js),
        PageFile("/spectrum.js", script, PackageResources.spectrum_js),
        PageFile("/openapi.yaml", "application/yaml; charset=utf-8", PackageResources.openapi_yaml),
    ]

    private init(_ path: String, _ mediaType: String, _ bytes: [UInt8]) {
        self.path = path
        self.mediaType = mediaType
        contents = String(decoding: bytes, as: UTF8.self)
    }
}

/// A file of the page, as it is part of the program.
package struct PageFile: Sendable {
    /// Where a browser finds it.
    package let path: String
    package let mediaType: String
    package let contents: String

    package static let all = [
        PageFile("/", "text/html; charset=utf-8", PackageResources.index_html),
        PageFile("/page.css", "text/css; charset=utf-8", PackageResources.page_css),
        PageFile("/page.js", "text/javascript; charset=utf-8", PackageResources.page_js),
        PageFile("/openapi.yaml", "application/yaml; charset=utf-8", PackageResources.openapi_yaml),
    ]

    private init(_ path: String, _ mediaType: String, _ bytes: [UInt8]) {
        self.path = path
        self.mediaType = mediaType
        contents = String(decoding: bytes, as: UTF8.self)
    }
}

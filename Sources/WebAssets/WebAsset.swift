/// The files that the servers deliver unchanged to browsers and clients. They are embedded in the binary.
package enum WebAsset: String, Sendable, CaseIterable {
    case index = "index.html"
    case pageStyle = "page.css"
    case pageScript = "page.js"
    case badge = "badge.js"
    case operatorPage = "operator.html"
    case operatorStyle = "operator.css"
    case operatorScript = "operator.js"
    case openAPI = "openapi.yaml"

    package var bytes: [UInt8] {
        switch self {
        case .index: PackageResources.index_html
        case .pageStyle: PackageResources.page_css
        case .pageScript: PackageResources.page_js
        case .badge: PackageResources.badge_js
        case .operatorPage: PackageResources.operator_html
        case .operatorStyle: PackageResources.operator_css
        case .operatorScript: PackageResources.operator_js
        case .openAPI: PackageResources.openapi_yaml
        }
    }

    package var mediaType: String {
        switch self {
        case .index, .operatorPage: "text/html; charset=utf-8"
        case .pageStyle, .operatorStyle: "text/css; charset=utf-8"
        case .pageScript, .badge, .operatorScript: "text/javascript; charset=utf-8"
        case .openAPI: "application/yaml"
        }
    }
}

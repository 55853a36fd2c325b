import Foundation

/// Returns the path of a program of this package, which is next to the program that runs the tests.
package func builtBinary(_ name: String) throws -> String {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let ofTests = link ?? CommandLine.arguments[0]
    let path = (ofTests as NSString).deletingLastPathComponent + "/" + name
    guard FileManager.default.isExecutableFile(atPath: path) else {
        throw TestSupportError("\(path) does not exist. Build it: swift build --build-tests.")
    }
    return path
}

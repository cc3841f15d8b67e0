// The files of a store as bytes, to be damaged and written elsewhere.
internal import Foundation

/// A copy of a store's files in memory.
struct StoreFiles {
    var files: [String: [UInt8]] = [:]

    init(of path: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let data = try Data(contentsOf: URL(filePath: path).appending(path: name))
            files[name] = [UInt8](data)
        }
    }

    /// Inverts a byte.
    mutating func invert(_ name: String, _ offset: Int) {
        guard let byte = files[name]?[offset] else { return }
        files[name]?[offset] = ~byte
    }

    /// Writes them into a new folder; its path.
    func write(into folder: TemporaryFolder, as name: String) throws -> String {
        let url = folder.url.appending(path: name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, bytes) in files { try Data(bytes).write(to: url.appending(path: name)) }
        return url.path(percentEncoded: false)
    }
}

// Where the stores of one repeat live.
internal import Foundation

/// A folder of its own, removed with all that is in it.
struct BenchFolder {
    let path: String

    init(parent: String?) throws {
        // Not the system's temporary folder: where that is in memory a flush costs nothing.
        let parent = parent ?? ResultsFile.packageFolder.appending(path: ".build/stores").path
        path = parent + "/offline-bench-\(UUID().uuidString)"
        _ = try make("")
    }

    func make(_ name: String) throws -> String {
        let folder = name.isEmpty ? path : path + "/" + name
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// One line on the terminal that says what runs; nothing where the errors go elsewhere.
enum Progress {
    private static let isTerminal = isatty(STDERR_FILENO) == 1

    static func show(_ text: String) {
        guard isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }
}

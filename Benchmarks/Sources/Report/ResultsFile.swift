// Results as a file, with what is needed to judge and repeat them.
internal import Foundation
internal import GRDBSQLite

enum ResultsFile {
    /// Writes to `Benchmarks/results/`; returns the path.
    static func save(_ results: Results) throws -> String {
        var results = results
        results.machine = machine()
        let folder = packageFolder.appending(path: "results", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let moment = Date.now.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: false)
        )
        .filter { $0.isNumber || $0 == "-" || $0 == "T" }
        let file = folder.appending(path: "\(moment)-\(results.count).json")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(results).write(to: file)
        return file.path
    }

    /// `Benchmarks/`.
    static var packageFolder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    private static func machine() -> [String: String] {
        let information = ProcessInfo.processInfo
        return [
            "command": information.arguments.dropFirst().joined(separator: " "),
            "commit": output(["git", "-C", packageFolder.path, "describe", "--always", "--dirty"]),
            "compiler": output(["swiftc", "--version"]),
            "cores": String(information.activeProcessorCount),
            "grdb": "7.10.0",
            "kernel": output(["uname", "-srm"]),
            "memory": String(information.physicalMemory),
            "processor": processor(),
            "sqlite": unsafe String(cString: sqlite3_libversion()),
            "system": information.operatingSystemVersionString,
        ]
    }

    private static func processor() -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? ""
    }

    /// The first line that a command prints; empty where there is no such command.
    private static func output(_ command: [String]) -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return "" }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").first.map(String.init)
            ?? ""
    }
}

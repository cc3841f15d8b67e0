// Last chapter: what is on disk, and the tool that reads it.
internal import Foundation

struct FilesChapter {
    let folder: URL
    let source: SourceData

    func run() throws {
        Console.section("On disk")
        let store = folder.appending(path: "\(WorldSchema.databaseName).offline")
        let names = try FileManager.default.contentsOfDirectory(atPath: store.path()).sorted()
        var total = 0
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: store.appending(path: name).path())
            let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
            total += size
            let padded = name.padding(toLength: 16, withPad: " ", startingAt: 0)
            Console.line("\(padded)\(size.grouped)")
        }
        Console.line(
            "\(source.bytesRead.grouped) bytes of source text became \(total.grouped) bytes, indexes included"
        )
        try tool(["verify"], store, lines: 2)
        try tool(["dump"], store, lines: 24)
        try tool(["dump", "--collection", "countries"], store, lines: 8)
    }

    /// Runs the tool and shows the first lines of what it prints, as `| head` would: then nobody reads the rest, which the
    /// tool must bear.
    private func tool(_ arguments: [String], _ store: URL, lines count: Int) throws {
        let command = "offline \(arguments[0]) \(store.lastPathComponent)"
        print("\n  $ \(([command] + arguments.dropFirst()).joined(separator: " "))")
        let process = Process()
        process.executableURL = try Self.toolPath
        process.arguments =
            [arguments[0], store.path(percentEncoded: false)] + arguments.dropFirst()
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var text = Data()
        while text.count(where: { $0 == UInt8(ascii: "\n") }) <= count {
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { break }
            text.append(more)
        }
        try pipe.fileHandleForReading.close()
        process.waitUntilExit()
        try Check.equal("the exit code of \(command)", process.terminationStatus, 0)
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        for line in lines.prefix(count) { Console.line(String(line)) }
        if lines.count > count { Console.line("…") }
    }

    /// `offline` is built into the folder where the demo is.
    private static var toolPath: URL {
        get throws {
            let own = URL(filePath: CrashChapter.ownPath).resolvingSymlinksInPath()
            let tool = own.deletingLastPathComponent().appending(path: "offline")
            guard FileManager.default.isExecutableFile(atPath: tool.path()) else {
                throw MissingData(
                    description:
                        "\(tool.path()) isn't there; `swift build --product offline` builds it")
            }
            return tool
        }
    }
}

// Runs a command the way the process would, in this process.
internal import ArgumentParser
internal import OfflineBytes

@testable internal import OfflineCLI

/// What a run of the tool did.
struct ToolRun {
    let exitCode: Int32
    /// Standard output.
    let output: String
    /// Standard error, the message of an error that ended the run included.
    let diagnostics: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Runs `offline` with these arguments.
func offline(_ arguments: String...) async -> ToolRun { await offline(arguments) }

/// The same. With `readBytes` nobody reads further than that: the pipe is closed then.
func offline(
    _ arguments: [String], hasColors: Bool = false, readBytes: Int = .max
) async -> ToolRun {
    let output = Protected<[UInt8]>([])
    let diagnostics = Protected<[UInt8]>([])
    let standard = Output(hasColors: hasColors) { bytes in
        try output.withLock { output in
            output += bytes
            if output.count > readBytes { throw OutputClosed() }
        }
    }
    let complaints = Output { bytes in diagnostics.withLock { $0 += bytes } }
    var exitCode: Int32 = 0
    var message = ""
    do {
        var command = try OfflineCommand.parseAsRoot(arguments)
        try await Output.$standard.withValue(standard) {
            try await Output.$diagnostics.withValue(complaints) {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
        }
    } catch {
        exitCode = OfflineCommand.exitCode(for: error).rawValue
        message = OfflineCommand.fullMessage(for: error)
    }
    try? complaints.flush()
    return ToolRun(
        exitCode: exitCode, output: output.withLock { String(decoding: $0, as: UTF8.self) },
        diagnostics: diagnostics.withLock { String(decoding: $0, as: UTF8.self) } + message)
}

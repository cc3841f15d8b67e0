// JSON on the command line: as it is, from a file, or from standard input.
internal import ArgumentParser
internal import Foundation
internal import OfflineDocuments

/// An option whose value is JSON.
enum JSONArgument {
    static let help = "JSON, @FILE, or - for standard input"

    /// The value that an option's text means. What is wrong with it is a mistake of the command line.
    static func value(_ text: String, of option: String) throws -> Value {
        let data: Data
        do {
            data = try bytes(text)
        } catch {
            throw ValidationError(
                "--\(option): \(text) can't be read")
        }
        do {
            return try Value(json: data)
        } catch let error as OfflineError {
            throw ValidationError("--\(option): \(error.message)")
        }
    }

    private static func bytes(_ text: String) throws -> Data {
        if text == "-" { return try FileHandle.standardInput.readToEnd() ?? Data() }
        if text.hasPrefix("@") {
            return try Data(contentsOf: URL(filePath: String(text.dropFirst())))
        }
        return Data(text.utf8)
    }
}

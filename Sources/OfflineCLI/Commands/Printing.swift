// What all commands share around their work.
internal import ArgumentParser

/// Runs a command's work with its output: what it wrote is flushed whatever happens, and it ends quietly when nobody reads it.
func printing(_ body: (Output) async throws -> Void) async throws {
    let output = Output.standard
    do {
        do {
            try await body(output)
        } catch {
            try output.flush()
            throw error
        }
        try output.flush()
    } catch is OutputClosed {
        throw ExitCode.success
    }
}

/// Damage or errors were found, and have been reported.
let foundProblems = ExitCode(1)

// The tool's entry: which commands there are, and what a process must settle before any of them runs.
//
// Exit codes: 0 all is well; 1 damage or errors were found, or the command failed; 64 the command line makes no sense.
internal import ArgumentParser

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// `offline`: looks into, asks, checks and fills stores.
@main
struct OfflineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offline",
        abstract: "Look into, ask, check and fill OfflineStore databases.",
        discussion: """
            STORE is a store's folder, NAME.offline. All but `import` only read; they may run beside the application that \
            writes the store. `import` writes, and needs the store for itself.

            Exit codes: 0 all is well, 1 damage or errors were found, 64 the command line makes no sense.
            """,
        subcommands: [
            StatCommand.self, QueryCommand.self, ExplainCommand.self, DumpCommand.self,
            VerifyCommand.self, ImportCommand.self, ExportCommand.self,
        ])

    static func main() async {
        // A reader that goes away (`offline dump … | head`) is a failed write then, which `Output` knows, and not the end
        // of a process that may be writing a store.
        _ = signal(SIGPIPE, SIG_IGN)
        await main(nil)
    }
}

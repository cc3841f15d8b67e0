// `offline dump`: what is in a store's files, as it is there. Nothing is opened, recovered or changed.
internal import ArgumentParser
internal import OfflineEngine

/// Shows the bytes of a store for what they are.
struct DumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Show superblock, catalog, frames, nodes and records as they are in the files.",
        discussion: """
            Reads only, beside a running writer too, and decodes what it can of damaged files. Without a selection: \
            everything. Positions are file:offset; a line's first number is its offset in the file.

              offline dump app.offline | head
              offline dump app.offline --collection users
              offline dump app.offline --collection users --index email
              offline dump app.offline --collection users --index 'changes in order'
              offline dump app.offline --collection 'changes of collection 1'
              offline dump app.offline --file 3 --offset 64
            """)

    @Argument(help: ArgumentHelp("The store's folder.", valueName: "store"))
    var path: String

    @Option(help: ArgumentHelp("Only this numbered file.", valueName: "number"))
    var file: UInt32?

    @Option(help: ArgumentHelp("Only what begins at this byte of the file.", valueName: "bytes"))
    var offset: UInt64?

    @Option(help: ArgumentHelp("Only this collection's tree of records.", valueName: "name"))
    var collection: String?

    @Option(help: ArgumentHelp("Only this index of the collection.", valueName: "name"))
    var index: String?

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Show records whole, not cut to a line.")
    var full = false

    func validate() throws {
        if offset != nil && file == nil { throw ValidationError("--offset needs --file") }
        if index != nil && collection == nil { throw ValidationError("--index needs --collection") }
        if file != nil && collection != nil {
            throw ValidationError("--file and --collection can't be combined")
        }
    }

    func run() async throws {
        try await printing { output in
            let writer: any DumpWriter =
                json ? JSONDump(output) : TextDump(output, isFull: full)
            let context = try DumpContext(StoreFolder(path), writer)
            let dump = StoreDump(context)
            if let file {
                try dump.file(FileNumber(file), at: offset)
            } else if let collection {
                try dump.tree(collection, index: index)
            } else {
                try dump.all()
            }
            if context.problemCount > 0 { throw foundProblems }
        }
    }
}

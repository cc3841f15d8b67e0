// The first bytes of a numbered file, for all kinds of files.
internal import OfflineDocuments
internal import OfflineEngine

/// Opens a file for a walk and shows its header.
struct FileOpening {
    private let context: DumpContext
    private let file: NumberedFile

    init(_ context: DumpContext, _ file: NumberedFile) {
        self.context = context
        self.file = file
    }

    /// What a walk does after the header.
    enum Outcome {
        case header(FileHeader)
        /// The header is lost; what follows may be there.
        case damaged
        /// There is nothing of this store to read; why was said.
        case leave
    }

    /// Shows the header. `isUsed`: something says that the file was written.
    func readHeader(isUsed: Bool) throws -> Outcome {
        let open = try context.open(file)
        let size = try open.size()
        switch try FileHeader.read(open) {
        case .header(let header):
            try context.emit(.file(FileView(name: file.name, size: size, header: header)))
            return try check(header) ? .header(header) : .leave
        case .unused where !isUsed:
            try context.emit(.file(FileView(name: file.name, size: size, header: nil)))
            return .leave
        case .unused:
            try context.problem("the file has no header", file, at: 0)
            return .damaged
        case .bad(let reason):
            try context.problem(reason, file, at: 0)
            return .damaged
        case .unsupported(let version):
            try context.problem("this build doesn't know format version \(version)", file, at: 8)
            return .leave
        }
    }

    private func check(_ header: FileHeader) throws -> Bool {
        guard header.store == context.store else {
            try context.problem("the file belongs to another store", file, at: 16)
            return false
        }
        guard header.number == file.number, header.kind == file.kind else {
            let name = FileNames.name(header.number, header.kind)
            try context.problem("the header says that this is \(name)", file, at: 0)
            return false
        }
        return true
    }
}

extension DumpContext {
    /// Runs a walk of a file; what the file system refuses becomes a problem of that file.
    func reportingFileErrors(_ file: NumberedFile, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as FileSystemError {
            try problem("the file can't be read: \(error)", file)
        }
    }
}

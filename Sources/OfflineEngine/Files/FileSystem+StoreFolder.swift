// A store's own folder: made once, never through a symbolic link, and its name as durable as what is in it.

extension FileSystem {
    /// Makes a store's folder where it is missing, durably.
    package func makeStoreFolder(_ folder: String) throws(EngineError) {
        let found = try io { () throws(FileSystemError) in try information(folder) }
        switch found?.kind {
        case .directory: return
        case nil:
            try io { () throws(FileSystemError) in
                do throws(FileSystemError) { try createDirectory(folder) } catch {
                    // Another process was quicker.
                    if error.number != SystemErrorNumber.exists { throw error }
                }
                try syncDirectory(Self.parent(of: folder))
            }
        case .symbolicLink:
            throw EngineError(.permissionDenied, "the store's folder is a symbolic link")
        default:
            throw EngineError(.unavailable, "something that is no folder has the store's name")
        }
    }

    /// Makes the names of a store's files, and its own, durable: whoever made them may have been killed before they were.
    package func syncNames(ofStore folder: String) throws(FileSystemError) {
        try syncDirectory(folder)
        do throws(FileSystemError) { try syncDirectory(Self.parent(of: folder)) } catch {
            // A folder that was there already may stand in one that can't be read.
            if error.number != SystemErrorNumber.access { throw error }
        }
    }

    private static func parent(of folder: String) -> String {
        "/" + folder.split(separator: "/").dropLast().joined(separator: "/")
    }
}

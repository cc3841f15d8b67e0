// A store's own folder: made once, never through a symbolic link, and its name as durable as what is in it.

extension FileSystem {
    /// Makes a store's folder where it is missing, durably, and its owner's alone. `.permissionDenied` where it is another user's.
    package func makeStoreFolder(_ folder: String) throws(EngineError) {
        let found = try io { () throws(FileSystemError) in try information(folder) }
        switch found?.kind {
        case .directory: try claimStoreFolder(folder, forWriting: true)
        case nil:
            try io { () throws(FileSystemError) in
                do throws(FileSystemError) { try createDirectory(folder) } catch {
                    // Another process was quicker.
                    if error.number != SystemErrorNumber.exists { throw error }
                }
                try syncDirectory(Self.parent(of: folder))
            }
            try claimStoreFolder(folder, forWriting: true)
        case .symbolicLink:
            throw Self.linkedFolder
        default:
            throw EngineError(.unavailable, "something that is no folder has the store's name")
        }
    }

    /// Throws where there is no folder to read a store from, or another user's.
    package func checkStoreFolder(_ folder: String) throws(EngineError) {
        let found = try io { () throws(FileSystemError) in try information(folder) }
        if found?.kind == .symbolicLink { throw Self.linkedFolder }
        guard found?.kind == .directory else {
            throw EngineError(.unavailable, "there is no store at this path")
        }
        try claimStoreFolder(folder, forWriting: false)
    }

    private func claimStoreFolder(_ folder: String, forWriting: Bool) throws(EngineError) {
        let isOurs = try io { () throws(FileSystemError) in
            try claimFolder(folder, forWriting: forWriting)
        }
        if !isOurs {
            throw EngineError(
                .permissionDenied, "the store's folder \(folder) belongs to another user")
        }
        // None is ever followed. Whoever put one there learns so at once, whatever it stands for.
        for name in try io({ () throws(FileSystemError) in try list(folder) }) {
            let found = try io { () throws(FileSystemError) in
                try information(path(folder, name))
            }
            if found?.kind == .symbolicLink {
                throw EngineError(.permissionDenied, "symbolic links are refused", file: name)
            }
        }
    }

    private static var linkedFolder: EngineError {
        EngineError(.permissionDenied, "the store's folder is a symbolic link")
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

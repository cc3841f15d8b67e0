// The last step of an opening for writing: the folder is left as it should be. What was replayed is made durable, the place
// where the log goes on is chosen, and files of ours that nothing refers to are removed.

extension Recovery {
    /// Makes durable what was replayed: a killed process may have left frames that no sync covers, and the next commit is
    /// worth nothing without them.
    func sync(_ recovered: Recovered) throws(EngineError) {
        let first = recovered.superblock.replayPosition.file
        for (number, usage) in recovered.state.files where number >= first {
            try io { () throws(FileSystemError) in
                let path = recovered.files.path(number, usage.kind)
                let file = try system.open(path, .readWrite)
                defer { file.close() }
                try file.sync()
            }
        }
        try io { () throws(FileSystemError) in try system.syncDirectory(folder) }
    }

    /// Decides where the log goes on, and removes what nothing refers to.
    func settle(_ recovered: inout Recovered, _ names: [String]) throws(EngineError) {
        let end = recovered.state.position
        if recovered.report.wasClean, let file = recovered.files.file(end.file),
            try isUntouched(file, from: end.offset)
        {
            recovered.active = file
        }
        for name in names.sorted() {
            guard let (number, kind) = FileNames.parse(name),
                recovered.state.files[number] == nil, number != end.file
            else { continue }
            if kind == .log, recovered.prepared == nil, number > end.file,
                let prepared = try unusedFile(number, recovered.files)
            {
                recovered.prepared = prepared
                continue
            }
            guard try isOurs(number, kind, recovered.files) else { continue }
            recovered.files.drop(number)
            // EACCES and the like: tried again at the next open.
            do throws(FileSystemError) {
                try system.remove(system.path(folder, name))
                recovered.report.removedFiles.append(name)
            } catch { continue }
        }
    }

    /// Whether the rest of a log file is still as it was prepared.
    private func isUntouched(_ file: StoredFile, from offset: UInt64) throws(EngineError) -> Bool {
        let rest = UInt64(file.length) - min(offset, UInt64(file.length))
        guard rest > 0, rest <= Self.reusableTailBytesMax else { return false }
        return try io { () throws(FileSystemError) in
            try file.file.readArray(count: Int(rest), at: offset).allSatisfy { $0 == 0 }
        }
    }

    /// A prepared log file, all zeros; nil for any other.
    private func unusedFile(
        _ number: FileNumber, _ files: OpenFiles
    ) throws(EngineError) -> StoredFile? {
        let path = system.path(folder, FileNames.log(number))
        return try io { () throws(FileSystemError) in
            guard let information = try system.information(path), information.kind == .file,
                information.size >= 4096, information.size <= UInt64(Limits.logFileBytesMax)
            else { return nil }
            let file = try system.open(path, .readWrite)
            var offset: UInt64 = 0
            while offset < information.size {
                let chunk = try file.readArray(count: 1 << 20, at: offset)
                guard !chunk.isEmpty, chunk.allSatisfy({ $0 == 0 }) else {
                    file.close()
                    return nil
                }
                offset += UInt64(chunk.count)
            }
            return try files.add(file, number, .log, length: Int(information.size))
        }
    }

    /// Whether a file may be removed: by its name and by its header, or because it never got one.
    private func isOurs(
        _ number: FileNumber, _ kind: FileNames.Kind, _ files: OpenFiles
    ) throws(EngineError) -> Bool {
        let path = system.path(folder, FileNames.name(number, kind))
        return try io { () throws(FileSystemError) in
            guard let information = try system.information(path), information.kind == .file else {
                return false
            }
            let file = try system.open(path, .read)
            defer { file.close() }
            let head = try file.readArray(count: FileHeader.size, at: 0)
            switch unsafe head.withUnsafeBytes({ unsafe FileHeader.read($0) }) {
            case .header(let header): return header.store == files.store
            case .unused: return true
            case .bad, .unsupported: return false
            }
        }
    }
}

// The last step of an opening for writing: the folder is left as it should be. What was replayed is made durable, the place
// where the log goes on is chosen, and files of ours that nothing refers to are removed.

extension Recovery {
    private static let rewrittenBytes = 1 << 20

    /// Makes the superblock durable that counts: a killed process may have written and not synced it, or a sync of it may have
    /// failed. The same bytes go to the same place, so nothing can be lost by it. In a store that was only just made, neither
    /// need any name be durable.
    func confirm(_ superblock: Superblock) throws(EngineError) {
        try io { () throws(FileSystemError) in
            let file = try SuperblockFile.open(system, folder)
            defer { file.close() }
            try file.write(superblock)
            if superblock.generation <= Superblock.firstGenerations {
                try system.syncNames(ofStore: folder)
            }
        }
    }

    /// Makes durable what was replayed: a killed process may have left frames that no sync covers, and the next commit is
    /// worth nothing without them. The log's bytes are written again first: where a sync of theirs failed, the system
    /// takes them for written, and another sync of the same bytes would say nothing. (Staged files were synced before the log
    /// named them.)
    func sync(_ recovered: Recovered) throws(EngineError) {
        let from = recovered.superblock.replayPosition
        for (number, usage) in recovered.state.files where number >= from.file {
            try io { () throws(FileSystemError) in
                let path = recovered.files.path(number, usage.kind)
                let file = try system.open(path, .readWrite)
                defer { file.close() }
                if usage.kind == .log, !usage.isStaged {
                    var offset = number == from.file ? from.offset : 0
                    while offset < usage.length {
                        let count = min(Self.rewrittenBytes, Int(clamping: usage.length - offset))
                        let bytes = try file.readArray(count: count, at: offset)
                        if bytes.isEmpty { break }
                        try file.write(bytes, at: offset)
                        offset += UInt64(bytes.count)
                    }
                }
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
        } else {
            recovered.files.file(end.file)?.closeDescriptor()
        }
        for name in names.sorted() {
            guard let (number, kind) = FileNames.parse(name),
                recovered.state.files[number] == nil, number != end.file
            else { continue }
            if kind == .log, recovered.prepared == nil, number > end.file,
                let prepared = try unusedFile(number, recovered.files)
            {
                // Whoever made it may have been killed before its name was durable.
                try io { () throws(FileSystemError) in try system.syncDirectory(folder) }
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

    /// Whether a file that nothing refers to may be removed: its header says that it is ours, or it never got one, or what a power
    /// cut left of it holds nothing. A log file whose header is damaged and that holds a commit stays: it can be recovered.
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
            case .bad:
                guard kind == .log else { return true }
                let reader = try FrameReader(file: file, number: number, storeTag: files.store.tag)
                let commit = try reader.findHeader(from: UInt64(FileHeader.size)) {
                    $0.kind == .commit || $0.kind == .adoption
                }
                return commit == nil
            case .unsupported: return false
            }
        }
    }
}

// The disks that a power cut or a killed process may leave behind. Each is a new, independent file system; the one that it
// was made from goes on untouched.

extension SimulatedFileSystem {
    /// One of the disks that a power cut may leave now. Equal seeds give equal disks.
    package func crashed(
        keeping seed: UInt64, model: CrashModel = .posix
    ) -> SimulatedFileSystem {
        crashed(CrashChoices(.random(seed), model))
    }

    /// The disk where everything un-synced happened to be written.
    package func crashedKeepingEverything() -> SimulatedFileSystem {
        crashed(CrashChoices(.everything, .posix))
    }

    /// The disk where nothing un-synced was written.
    package func crashedKeepingNothing() -> SimulatedFileSystem {
        crashed(CrashChoices(.nothing, .posix))
    }

    /// Both extremes and then `count` random disks, each with the words for a failure message.
    package func crashImages(
        _ count: Int, seed: UInt64, model: CrashModel = .posix
    ) -> [(label: String, files: SimulatedFileSystem)] {
        var random = SeededRandom(seed: seed)
        var images = [
            ("crash keeping everything", crashedKeepingEverything()),
            ("crash keeping nothing", crashedKeepingNothing()),
        ]
        for _ in 0..<count {
            let seed = random.next()
            images.append(("crash keeping \(seed), \(model)", crashed(keeping: seed, model: model)))
        }
        return images
    }

    /// The disk after the process was killed: all it wrote is there, what it didn't sync is still pending.
    package func killed() -> SimulatedFileSystem {
        SimulatedFileSystem(
            withDisk { disk in
                var copier = DiskCopier { $0.content }
                let root = copier.copy(disk.root)
                let changes = disk.pendingNames.map { copier.copy($0) }
                return SimulatedDisk(root: root, pendingNames: changes, like: disk)
            })
    }

    private func crashed(_ choices: CrashChoices) -> SimulatedFileSystem {
        SimulatedFileSystem(
            withDisk { disk in
                var choices = choices
                // Names first, then the files that still have one.
                let kept = zip(disk.pendingNames, choices.names(disk.pendingNames.count))
                    .compactMap { $1 ? $0 : nil }
                let staleSources = disk.files().map(\.node)
                var copier = DiskCopier { node in
                    let others = staleSources.filter { $0 !== node }
                    let index = choices.index(below: others.count)
                    let stale = others.isEmpty ? [] : others[index].content.durable
                    let bytes = node.content.afterCrash(&choices, stale: stale)
                    return SimulatedContent(durable: bytes)
                }
                let root = copier.copyCrashed(disk.root, kept)
                return SimulatedDisk(root: root, pendingNames: [], like: disk)
            })
    }
}

/// Copies a tree of folders and files, each file once however many names it has.
private struct DiskCopier {
    /// The content of a file's copy.
    let content: (SimulatedNode) -> SimulatedContent
    private var nodes: [ObjectIdentifier: SimulatedNode] = [:]
    private var folders: [ObjectIdentifier: SimulatedFolder] = [:]

    init(_ content: @escaping (SimulatedNode) -> SimulatedContent) { self.content = content }

    /// Both images of a folder.
    mutating func copy(_ folder: SimulatedFolder) -> SimulatedFolder {
        if let known = folders[ObjectIdentifier(folder)] { return known }
        let new = SimulatedFolder()
        folders[ObjectIdentifier(folder)] = new
        new.names = copyNames(folder.names, isNamed: true) { $0.copy($1) }
        new.durableNames = copyNames(folder.durableNames, isNamed: false) { $0.copy($1) }
        return new
    }

    mutating func copy(_ change: SimulatedNameChange) -> SimulatedNameChange {
        var names: [(name: String, entry: SimulatedEntry?)] = []
        for (name, entry) in change.names {
            names.append((name, entry.map { copy($0, isNamed: false) { $0.copy($1) } }))
        }
        return SimulatedNameChange(folder: copy(change.folder), names: names)
    }

    /// What is left of a folder when of all changes since its last sync only `kept` are.
    mutating func copyCrashed(
        _ folder: SimulatedFolder, _ kept: [SimulatedNameChange]
    ) -> SimulatedFolder {
        if let known = folders[ObjectIdentifier(folder)] { return known }
        let new = SimulatedFolder()
        folders[ObjectIdentifier(folder)] = new
        var names = folder.durableNames
        for change in kept where change.folder === folder { change.apply(to: &names) }
        new.names = copyNames(names, isNamed: true) { $0.copyCrashed($1, kept) }
        new.durableNames = new.names
        return new
    }

    private mutating func copyNames(
        _ names: [String: SimulatedEntry], isNamed: Bool,
        _ inner: (inout DiskCopier, SimulatedFolder) -> SimulatedFolder
    ) -> [String: SimulatedEntry] {
        var result: [String: SimulatedEntry] = [:]
        // Sorted, so that a seed's draws don't depend on the order of a dictionary.
        for (name, entry) in names.sorted(by: { $0.key < $1.key }) {
            result[name] = copy(entry, isNamed: isNamed, inner)
        }
        return result
    }

    private mutating func copy(
        _ entry: SimulatedEntry, isNamed: Bool,
        _ inner: (inout DiskCopier, SimulatedFolder) -> SimulatedFolder
    ) -> SimulatedEntry {
        switch entry {
        case .symbolicLink: return .symbolicLink
        case .folder(let folder): return .folder(inner(&self, folder))
        case .file(let node):
            let new = nodes[ObjectIdentifier(node)] ?? newNode(node)
            nodes[ObjectIdentifier(node)] = new
            if isNamed { new.nameCount += 1 }
            return .file(new)
        }
    }

    private func newNode(_ node: SimulatedNode) -> SimulatedNode {
        let new = SimulatedNode(identity: node.identity, content: content(node))
        new.badRanges = node.badRanges
        return new
    }
}

// The tree of names and files of a simulated file system, without locks, faults or traces: those are
// SimulatedFileSystem's, whose lock guards all of this.
//
// Invariants:
// - A folder's `names` are what calls see; its `durableNames`, with all of `pendingNames` applied in order, are `names`.
// - `usedBytes` is the size of all files that have a name, an open handle or a map.
internal import OfflineEngine

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A file and its handles. Guarded by its file system's lock.
final class SimulatedNode {
    let identity: Int
    var content: SimulatedContent
    /// Copies that maps handed out; each is updated by every write.
    var maps: [SimulatedMemory] = []
    var nameCount = 0
    /// Open files and maps.
    var handleCount = 0
    var isLocked = false
    /// Reads that touch these fail: sectors gone bad.
    var badRanges: [(range: Range<UInt64>, number: Int32)] = []

    init(identity: Int, content: SimulatedContent) {
        self.identity = identity
        self.content = content
    }

    /// Whether its room on the disk is taken.
    var isInUse: Bool { nameCount > 0 || handleCount > 0 }
}

/// A folder. Guarded by its file system's lock.
final class SimulatedFolder {
    var names: [String: SimulatedEntry] = [:]
    var durableNames: [String: SimulatedEntry] = [:]
}

/// What a name stands for.
enum SimulatedEntry {
    case file(SimulatedNode)
    case folder(SimulatedFolder)
    case symbolicLink

    func isSame(as other: SimulatedEntry?) -> Bool {
        switch (self, other) {
        case (.file(let left), .file(let right)): left === right
        case (.folder(let left), .folder(let right)): left === right
        case (.symbolicLink, .symbolicLink): true
        default: false
        }
    }
}

/// A change of names that isn't durable yet.
struct SimulatedNameChange {
    let folder: SimulatedFolder
    /// Set to an entry, or removed. A rename within a folder is one change of two names, as file systems keep it.
    var names: [(name: String, entry: SimulatedEntry?)]

    func apply(to names: inout [String: SimulatedEntry]) {
        for change in self.names { names[change.name] = change.entry }
    }
}

struct SimulatedDisk {
    enum Handle {
        case file
        case map
        case lock
    }

    private(set) var root = SimulatedFolder()
    private(set) var pendingNames: [SimulatedNameChange] = []
    private var lastIdentity = 0
    private(set) var handles: [Handle: Int] = [:]
    /// Decides what a failed sync leaves on the disk.
    private var random = SeededRandom(seed: 0)
    private(set) var usedBytes = 0
    /// Nil: without bound.
    var capacity: Int?
    /// ENOSPC or EDQUOT.
    var fullNumber = SystemErrorNumber.noSpace

    init() {}

    /// A disk with these names, all durable, and more changes pending.
    init(root: SimulatedFolder, pendingNames: [SimulatedNameChange], like other: SimulatedDisk) {
        self.root = root
        self.pendingNames = pendingNames
        lastIdentity = other.lastIdentity
        capacity = other.capacity
        fullNumber = other.fullNumber
        usedBytes = files().reduce(0) { $0 + $1.node.content.written.count }
    }
}

// Names.
extension SimulatedDisk {
    /// The entry at the call's path, links not followed; nil where there is none.
    func entry(_ call: FileCall) throws(FileSystemError) -> SimulatedEntry? {
        try entry(call.path, call)
    }

    private func entry(
        _ path: String, _ call: FileCall
    ) throws(FileSystemError) -> SimulatedEntry? {
        if Self.components(path).isEmpty, path.hasPrefix("/") { return .folder(root) }
        let (folder, name) = try place(path, call)
        return folder.names[name]
    }

    /// The folder that holds the last component of a path, and that component.
    private func place(
        _ path: String, _ call: FileCall
    ) throws(FileSystemError) -> (folder: SimulatedFolder, name: String) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw call.error(SystemErrorNumber.invalid)
        }
        let components = Self.components(path)
        guard let name = components.last else { throw call.error(SystemErrorNumber.exists) }
        var folder = root
        for component in components {
            if component.utf8.count > 255 { throw call.error(ENAMETOOLONG) }
        }
        for component in components.dropLast() {
            switch folder.names[component] {
            case nil: throw call.error(SystemErrorNumber.noEntry)
            case .file: throw call.error(SystemErrorNumber.notDirectory)
            case .symbolicLink: throw call.error(SystemErrorNumber.loop)
            case .folder(let next): folder = next
            }
        }
        return (folder, name)
    }

    static func components(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init)
    }

    /// The file at the call's path.
    func file(_ call: FileCall) throws(FileSystemError) -> SimulatedNode {
        switch try entry(call) {
        case .file(let node): return node
        case .folder: throw call.error(SystemErrorNumber.isDirectory)
        case .symbolicLink: throw call.error(SystemErrorNumber.loop)
        case nil: throw call.error(SystemErrorNumber.noEntry)
        }
    }

    /// The folder at the call's path.
    func folder(_ call: FileCall) throws(FileSystemError) -> SimulatedFolder {
        switch try entry(call) {
        case .folder(let folder): return folder
        case .file: throw call.error(SystemErrorNumber.notDirectory)
        case .symbolicLink: throw call.error(SystemErrorNumber.loop)
        case nil: throw call.error(SystemErrorNumber.noEntry)
        }
    }

    mutating func createFile(_ call: FileCall) throws(FileSystemError) -> SimulatedNode {
        let (folder, name) = try place(call.path, call)
        guard folder.names[name] == nil else { throw call.error(SystemErrorNumber.exists) }
        lastIdentity += 1
        let node = SimulatedNode(identity: lastIdentity, content: SimulatedContent())
        node.nameCount = 1
        change(folder, [(name, .file(node))])
        return node
    }

    mutating func create(_ entry: SimulatedEntry, _ call: FileCall) throws(FileSystemError) {
        let (folder, name) = try place(call.path, call)
        guard folder.names[name] == nil else { throw call.error(SystemErrorNumber.exists) }
        change(folder, [(name, entry)])
    }

    mutating func remove(_ call: FileCall) throws(FileSystemError) {
        let (folder, name) = try place(call.path, call)
        switch folder.names[name] {
        case nil: throw call.error(SystemErrorNumber.noEntry)
        case .folder: throw call.error(SystemErrorNumber.isDirectory)
        case .symbolicLink: change(folder, [(name, nil)])
        case .file(let node):
            change(folder, [(name, nil)])
            dropName(of: node)
        }
    }

    mutating func rename(_ call: FileCall) throws(FileSystemError) {
        let target = call.target ?? ""
        let from = try place(call.path, call)
        guard let moved = from.folder.names[from.name] else {
            throw call.error(SystemErrorNumber.noEntry)
        }
        let to = try place(target, call)
        let replaced = to.folder.names[to.name]
        if moved.isSame(as: replaced) { return }
        switch (moved, replaced) {
        case (.folder, .folder(let old)):
            if !old.names.isEmpty { throw call.error(ENOTEMPTY) }
        case (.folder, .some): throw call.error(SystemErrorNumber.notDirectory)
        case (_, .folder): throw call.error(SystemErrorNumber.isDirectory)
        default: break
        }
        if target.hasPrefix(call.path + "/") { throw call.error(SystemErrorNumber.invalid) }
        if from.folder === to.folder {
            change(from.folder, [(to.name, moved), (from.name, nil)])
        } else {
            change(to.folder, [(to.name, moved)])
            change(from.folder, [(from.name, nil)])
        }
        if case .file(let node) = replaced { dropName(of: node) }
    }

    mutating func syncFolder(_ call: FileCall) throws(FileSystemError) {
        let folder = try folder(call)
        for change in pendingNames where change.folder === folder {
            change.apply(to: &folder.durableNames)
        }
        pendingNames.removeAll { $0.folder === folder }
    }

    /// As if every folder had been synced.
    mutating func makeNamesDurable() {
        for change in pendingNames { change.apply(to: &change.folder.durableNames) }
        pendingNames = []
    }

    private mutating func change(
        _ folder: SimulatedFolder, _ names: [(name: String, entry: SimulatedEntry?)]
    ) {
        let change = SimulatedNameChange(folder: folder, names: names)
        change.apply(to: &folder.names)
        pendingNames.append(change)
    }

    private mutating func dropName(of node: SimulatedNode) {
        node.nameCount -= 1
        if !node.isInUse { usedBytes -= node.content.written.count }
    }

    /// All files that have a name, sorted by path.
    func files() -> [(path: String, node: SimulatedNode)] {
        var found: [(path: String, node: SimulatedNode)] = []
        var folders = [("", root)]
        while let (path, folder) = folders.popLast() {
            for (name, entry) in folder.names {
                switch entry {
                case .file(let node): found.append((path + "/" + name, node))
                case .folder(let inner): folders.append((path + "/" + name, inner))
                case .symbolicLink: break
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }
}

// Bytes.
extension SimulatedDisk {
    mutating func addHandle(to node: SimulatedNode, _ kind: Handle) {
        node.handleCount += 1
        handles[kind, default: 0] += 1
    }

    mutating func dropHandle(of node: SimulatedNode, _ kind: Handle) {
        node.handleCount -= 1
        handles[kind, default: 0] -= 1
        if !node.isInUse { usedBytes -= node.content.written.count }
    }

    /// Room for a file to grow; unbounded: very much.
    var availableBytes: Int { capacity.map { max(0, $0 - usedBytes) } ?? 1 << 40 }

    /// Writes what fits; throws where that isn't all.
    mutating func write(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, of node: SimulatedNode, _ call: FileCall
    ) throws(FileSystemError) {
        guard unsafe !bytes.isEmpty else { return }
        guard let start = Int(exactly: offset), start <= SimulatedContent.sizeMax - bytes.count
        else { throw call.error(SystemErrorNumber.tooBig) }
        // A gap takes room like data, which is more than a file system with holes would ask.
        let room = node.content.written.count + availableBytes
        let count = max(0, min(bytes.count, room - start))
        let fitting = unsafe UnsafeRawBufferPointer(rebasing: bytes[0..<count])
        let before = node.content.written.count
        unsafe node.content.write(fitting, at: start)
        usedBytes += node.content.written.count - before
        for map in node.maps { unsafe map.update(fitting, at: start) }
        if count < bytes.count { throw call.error(fullNumber) }
    }

    mutating func truncate(_ node: SimulatedNode, to size: UInt64, _ call: FileCall)
        throws(FileSystemError)
    {
        guard size <= UInt64(SimulatedContent.sizeMax) else {
            throw call.error(SystemErrorNumber.tooBig)
        }
        let before = node.content.written.count
        guard Int(size) - before <= availableBytes else { throw call.error(fullNumber) }
        node.content.resize(to: Int(size))
        usedBytes += Int(size) - before
        for map in node.maps { map.poison(from: Int(size)) }
    }

    /// What a failed sync does that will not be repeated.
    mutating func dropPending(of node: SimulatedNode) {
        var choices = CrashChoices(.random(random.next()), .posix)
        node.content.dropPending(&choices)
    }

    /// Replaces a file's bytes, as if they had always been on the disk.
    mutating func setBytes(of node: SimulatedNode, _ bytes: [UInt8]) {
        usedBytes += bytes.count - node.content.written.count
        node.content = SimulatedContent(durable: bytes)
        for map in node.maps {
            unsafe bytes.withUnsafeBytes { unsafe map.update($0, at: 0) }
            map.poison(from: bytes.count)
        }
    }
}

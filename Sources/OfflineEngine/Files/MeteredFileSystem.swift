// A file system that counts, for one store: see SpaceMeter.

/// Passes everything on, and has growing files counted first.
final class MeteredFileSystem: FileSystem {
    private let base: any FileSystem
    let meter: SpaceMeter

    /// Counts what is in `folder` already.
    init(
        _ base: any FileSystem, folder: String, limit: Int64?
    ) throws(FileSystemError) {
        self.base = base
        meter = SpaceMeter(limit: limit)
        for name in try base.list(folder) {
            let path = base.path(folder, name)
            if let found = try base.information(path), found.kind == .file {
                meter.add(path, size: found.size)
            }
        }
    }

    func createDirectory(_ path: String) throws(FileSystemError) { try base.createDirectory(path) }

    func claimFolder(_ path: String, forWriting: Bool) throws(FileSystemError) -> Bool {
        try base.claimFolder(path, forWriting: forWriting)
    }

    func information(_ path: String) throws(FileSystemError) -> FileInformation? {
        try base.information(path)
    }

    func list(_ path: String) throws(FileSystemError) -> [String] { try base.list(path) }

    func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File {
        let file = try base.open(path, mode)
        if mode == .create { meter.set(path, size: 0) }
        return mode == .read ? file : MeteredFile(file, path, meter)
    }

    func remove(_ path: String) throws(FileSystemError) {
        try base.remove(path)
        meter.remove(path)
    }

    func rename(_ source: String, to target: String) throws(FileSystemError) {
        try base.rename(source, to: target)
        meter.rename(source, to: target)
    }

    func syncDirectory(_ path: String) throws(FileSystemError) { try base.syncDirectory(path) }

    func lock(_ path: String) throws(FileSystemError) -> any FileLock { try base.lock(path) }

    func availableBytes(_ path: String) throws(FileSystemError) -> UInt64 {
        try base.availableBytes(path)
    }
}

/// A file whose growth is counted. A write that failed may have grown it or not: it counts as grown until it is removed.
private final class MeteredFile: File {
    private let base: any File
    private let path: String
    private let meter: SpaceMeter

    init(_ base: any File, _ path: String, _ meter: SpaceMeter) {
        self.base = base
        self.path = path
        self.meter = meter
    }

    func size() throws(FileSystemError) -> UInt64 { try base.size() }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        unsafe try base.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileSystemError) {
        try meter.grow(path, to: offset + UInt64(bytes.count))
        unsafe try base.write(bytes, at: offset)
    }

    func sync() throws(FileSystemError) { try base.sync() }

    func truncate(to size: UInt64) throws(FileSystemError) {
        try meter.grow(path, to: size)
        try base.truncate(to: size)
        meter.set(path, size: size)
    }

    func map(length: Int) throws(FileSystemError) -> any FileMap { try base.map(length: length) }

    func close() { base.close() }
}

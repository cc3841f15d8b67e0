// What the simulated file system hands out: files, maps and locks.
internal import OfflineEngine

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Memory behind a map: exactly as long as was asked for, so that a sanitizer sees a read beyond it; its address never
/// changes. Written only with the file system's lock held; a reader of bytes that are being written races with the
/// writer here as it would in a real map.
@safe
final class SimulatedMemory: @unchecked Sendable {
    // @unchecked: the address and length never change; see above for the bytes.
    let bytes: UnsafeMutableRawBufferPointer

    init(copying source: UnsafeRawBufferPointer) {
        unsafe bytes = .allocate(byteCount: source.count, alignment: 4096)
        unsafe bytes.copyMemory(from: source)
    }

    deinit { unsafe bytes.deallocate() }

    /// Shows a later write, as far as it lies within.
    func update(_ source: UnsafeRawBufferPointer, at offset: Int) {
        let range = unsafe (offset..<offset + source.count).clamped(to: 0..<bytes.count)
        guard !range.isEmpty else { return }
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[range])
        unsafe target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source[0..<range.count]))
    }

    /// Where the file was cut off a real map would raise SIGBUS; here the bytes become garbage that no checksum fits.
    func poison(from offset: Int) {
        guard let base = unsafe bytes.baseAddress, unsafe offset < bytes.count else { return }
        unsafe memset(base + offset, 0xA5, bytes.count - offset)
    }
}

/// A file of a simulated file system.
final class SimulatedFile: File, @unchecked Sendable {
    // @unchecked: `node` and `isOpen` are only touched with the file system's lock held.
    private let files: SimulatedFileSystem
    private let node: SimulatedNode
    private let path: String
    private let isWritable: Bool
    private var isOpen = true

    /// The handle is counted already.
    init(_ files: SimulatedFileSystem, _ node: SimulatedNode, path: String, isWritable: Bool) {
        self.files = files
        self.node = node
        self.path = path
        self.isWritable = isWritable
    }

    deinit { close() }

    private func check(_ call: FileCall, writes: Bool = false) throws(FileSystemError) {
        if !isOpen || (writes && !isWritable) { throw call.error(SystemErrorNumber.badDescriptor) }
    }

    func size() throws(FileSystemError) -> UInt64 {
        try files.perform(FileCall(.information, path)) { _, call, _ throws(FileSystemError) in
            try check(call)
            return UInt64(node.content.written.count)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
        throws(FileSystemError) -> Int
    {
        let call = FileCall(.read, path, offset: offset, length: buffer.count)
        return try files.perform(call) { _, call, _ throws(FileSystemError) in
            try check(call)
            let size = node.content.written.count
            guard let start = Int(exactly: offset), start < size else { return 0 }
            let range = start..<start + min(buffer.count, size - start)
            for bad in node.badRanges
            where bad.range.overlaps(UInt64(range.lowerBound)..<UInt64(range.upperBound)) {
                throw call.error(bad.number)
            }
            unsafe node.content.written.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[0..<range.count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
            return range.count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileSystemError) {
        let call = FileCall(.write, path, offset: offset, length: bytes.count)
        try files.perform(call) { disk, call, fault throws(FileSystemError) in
            try check(call, writes: true)
            var bytes = unsafe bytes
            if case .prefix(let count) = fault?.effect {
                unsafe bytes = UnsafeRawBufferPointer(
                    rebasing: bytes[0..<min(max(0, count), bytes.count)])
            }
            try unsafe disk.write(bytes, at: offset, of: node, call)
        }
    }

    func sync() throws(FileSystemError) {
        try files.perform(FileCall(.sync, path)) { disk, call, fault throws(FileSystemError) in
            try check(call)
            if fault?.effect == .dropsPending {
                disk.dropPending(of: node)
            } else {
                node.content.sync()
            }
        }
    }

    func truncate(to size: UInt64) throws(FileSystemError) {
        let call = FileCall(.truncate, path, offset: size)
        try files.perform(call) { disk, call, _ throws(FileSystemError) in
            try check(call, writes: true)
            try disk.truncate(node, to: size, call)
        }
    }

    func map(length: Int) throws(FileSystemError) -> any FileMap {
        let call = FileCall(.map, path, length: length)
        return try files.perform(call) { disk, call, _ throws(FileSystemError) in
            try check(call)
            guard length >= 0, length <= node.content.written.count else {
                throw call.error(SystemErrorNumber.invalid)
            }
            let memory = unsafe node.content.written.withUnsafeBytes { bytes in
                unsafe SimulatedMemory(
                    copying: UnsafeRawBufferPointer(rebasing: bytes[0..<length]))
            }
            node.maps.append(memory)
            disk.addHandle(to: node, .map)
            return SimulatedMap(files, node, memory)
        }
    }

    func close() {
        files.withDisk { disk in
            guard isOpen else { return }
            isOpen = false
            disk.dropHandle(of: node, .file)
        }
    }
}

/// A map of a simulated file.
@safe
final class SimulatedMap: FileMap, @unchecked Sendable {
    // @unchecked: `node` is only touched with the file system's lock held.
    private let files: SimulatedFileSystem
    private let node: SimulatedNode
    private let memory: SimulatedMemory

    init(_ files: SimulatedFileSystem, _ node: SimulatedNode, _ memory: SimulatedMemory) {
        self.files = files
        self.node = node
        self.memory = memory
    }

    deinit {
        files.withDisk { disk in
            node.maps.removeAll { $0 === memory }
            disk.dropHandle(of: node, .map)
        }
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(memory.bytes) }
}

/// A lock on a simulated file.
final class SimulatedLock: FileLock, @unchecked Sendable {
    // @unchecked: `node` and `isHeld` are only touched with the file system's lock held.
    private let files: SimulatedFileSystem
    private let node: SimulatedNode
    private var isHeld = true

    init(_ files: SimulatedFileSystem, _ node: SimulatedNode) {
        self.files = files
        self.node = node
    }

    deinit { release() }

    func release() {
        files.withDisk { disk in
            guard isHeld else { return }
            isHeld = false
            node.isLocked = false
            disk.dropHandle(of: node, .lock)
        }
    }
}

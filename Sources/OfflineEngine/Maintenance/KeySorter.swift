// Sorting the entries of new index trees in bounded memory: an external merge sort.
//
// Entries are collected in one buffer. When it is full they are put in order and written to a scratch file as a run; in
// the end all runs are merged, each read through a small buffer. Where everything fits the buffer there is no file.
//
// - An entry is its tree's number, big-endian, and its key: so bytes in order are entries in order, tree by tree.
// - In the file each entry has its length before it (2 bytes). A run's checksum is compared when the run has been read.
// - By name and header the file is a staged node segment that no frame names: whatever happens, an open removes it. It is
//   never synced, and gone when the sorter is.
internal import OfflineBytes

/// Collects entries and gives them out in order, once.
struct KeySorter {
    /// Where an entry lies in `bytes`.
    private struct Place {
        var start: UInt32
        var length: UInt32
    }

    private let files: OpenFiles
    private let takeNumber: () -> FileNumber
    /// So many bytes of entries are held before they are written out.
    private let bytesMax: Int
    private var bytes: [UInt8] = []
    private var places: [Place] = []
    private var scratch: ScratchFile?

    init(files: OpenFiles, bytesMax: Int, takeNumber: @escaping () -> FileNumber) {
        self.files = files
        self.bytesMax = min(bytesMax, 1 << 30)
        self.takeNumber = takeNumber
    }

    /// Takes an entry in.
    mutating func add(index: UInt32, key: UnsafeRawBufferPointer) throws(EngineError) {
        let length = 4 + key.count
        guard key.count <= Limits.keyBytesMax else {
            throw EngineError(.limit, "an index key is over the engine's limits")
        }
        if bytes.count + length + places.count * MemoryLayout<Place>.size > bytesMax {
            try writeRun()
        }
        places.append(
            Place(
                start: UInt32(truncatingIfNeeded: bytes.count),
                length: UInt32(truncatingIfNeeded: length)))
        bytes.appendBig(index)
        unsafe bytes.append(contentsOf: key)
    }

    /// Calls `body` with every entry in order. Nothing can be added afterwards.
    mutating func drain(
        _ body: (_ index: UInt32, _ key: UnsafeRawBufferPointer) throws(EngineError) -> Void
    ) throws(EngineError) {
        guard scratch != nil else {
            sort()
            return try unsafe bytes.withBytes { buffer throws(EngineError) in
                for place in places {
                    try unsafe Self.give(buffer, Int(place.start), Int(place.length), body)
                }
            }
        }
        try writeRun()
        bytes = []
        places = []
        try unsafe scratch?.merge(bufferBytes: bytesMax, body)
    }

    /// Removes the scratch file.
    mutating func discard() {
        scratch?.remove()
        scratch = nil
    }

    fileprivate static func give(
        _ buffer: UnsafeRawBufferPointer, _ start: Int, _ length: Int,
        _ body: (UInt32, UnsafeRawBufferPointer) throws(EngineError) -> Void
    ) throws(EngineError) {
        guard length >= 4, let base = buffer.baseAddress else { return }
        let index: UInt32 = unsafe (base + start).big(0)
        try unsafe body(
            index, UnsafeRawBufferPointer(rebasing: buffer[start + 4..<start + length]))
    }

    private mutating func sort() {
        unsafe bytes.withUnsafeBytes { buffer in
            places.sort { a, b in
                unsafe ByteOrder.compare(
                    UnsafeRawBufferPointer(
                        rebasing: buffer[Int(a.start)..<Int(a.start + a.length)]),
                    UnsafeRawBufferPointer(
                        rebasing: buffer[Int(b.start)..<Int(b.start + b.length)])) < 0
            }
        }
    }

    private mutating func writeRun() throws(EngineError) {
        if places.isEmpty { return }
        sort()
        if scratch == nil { scratch = try ScratchFile(files: files, number: takeNumber()) }
        guard var target = scratch else { return }
        target.beginRun()
        for place in places {
            let range = Int(place.start)..<Int(place.start + place.length)
            try target.append(bytes[range])
        }
        try target.endRun()
        scratch = target
        bytes.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }
}

/// The file of the runs.
private struct ScratchFile {
    private struct Run {
        var start: UInt64
        var end: UInt64
        var checksum: UInt32
    }

    private let file: any File
    private let system: any FileSystem
    private let path: String
    private let name: String
    private var runs: [Run] = []
    private var end = UInt64(FileHeader.size)
    /// Bytes of the run in the making that aren't written yet.
    private var buffer: [UInt8] = []

    private static let writeBytes = 1 << 20
    /// A run is read in pieces no smaller than this, however many there are.
    private static let readBytesMin = 16 << 10

    init(files: OpenFiles, number: FileNumber) throws(EngineError) {
        let (system, path) = (files.system, files.path(number, .tree))
        let header = FileHeader(kind: .tree, store: files.store, number: number, isStaged: true)
        self.system = system
        self.path = path
        name = FileNames.tree(number)
        file = try io { () throws(FileSystemError) in
            let file = try system.open(path, .create)
            try file.write(header.encoded(), at: 0)
            return file
        }
    }

    mutating func beginRun() {
        runs.append(Run(start: end, end: end, checksum: 0))
    }

    mutating func append(_ entry: ArraySlice<UInt8>) throws(EngineError) {
        buffer.appendLittle(UInt16(truncatingIfNeeded: entry.count))
        buffer.append(contentsOf: entry)
        if buffer.count >= Self.writeBytes { try flush() }
    }

    mutating func endRun() throws(EngineError) { try flush() }

    private mutating func flush() throws(EngineError) {
        let (file, buffer, end) = (file, buffer, end)
        try io { () throws(FileSystemError) in try file.write(buffer, at: end) }
        let last = runs.count - 1
        runs[last].checksum = CRC32C.checksum(buffer, seed: runs[last].checksum)
        self.end += UInt64(buffer.count)
        runs[last].end = self.end
        self.buffer.removeAll(keepingCapacity: true)
    }

    func remove() {
        file.close()
        // Found and removed by the next open otherwise.
        try? system.remove(path)
    }

    /// Calls `body` with the entries of all runs in order.
    func merge(
        bufferBytes: Int,
        _ body: (UInt32, UnsafeRawBufferPointer) throws(EngineError) -> Void
    ) throws(EngineError) {
        let pieceBytes = max(Self.readBytesMin, bufferBytes / max(runs.count, 1))
        var readers: [RunReader] = []
        for run in runs {
            var reader = RunReader(
                file: file, name: name, pieceBytes: pieceBytes, position: run.start, end: run.end,
                wanted: run.checksum)
            if try reader.next() { readers.append(reader) }
        }
        // A heap: no reader's entry is after those of its children.
        for parent in stride(from: readers.count / 2 - 1, through: 0, by: -1) {
            Self.siftDown(&readers, parent)
        }
        while !readers.isEmpty {
            let entry = readers[0].entry
            try unsafe readers[0].bytes.withBytes { bytes throws(EngineError) in
                try unsafe KeySorter.give(bytes, entry.lowerBound, entry.count, body)
            }
            if try !readers[0].next() {
                readers.swapAt(0, readers.count - 1)
                readers.removeLast()
            }
            Self.siftDown(&readers, 0)
        }
    }

    private static func siftDown(_ readers: inout [RunReader], _ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < readers.count {
                if readers[child].isBefore(readers[least]) { least = child }
            }
            if least == parent { return }
            readers.swapAt(parent, least)
            parent = least
        }
    }
}

/// Reads one run from its first entry to its last.
private struct RunReader {
    let file: any File
    let name: String
    let pieceBytes: Int
    /// What of the run isn't read yet.
    var position: UInt64
    let end: UInt64
    /// The run's checksum when it was written.
    let wanted: UInt32
    private(set) var bytes: [UInt8] = []
    /// The current entry, in `bytes`.
    private(set) var entry = 0..<0
    private var checksum: UInt32 = 0

    init(
        file: any File, name: String, pieceBytes: Int, position: UInt64, end: UInt64,
        wanted: UInt32
    ) {
        self.file = file
        self.name = name
        self.pieceBytes = pieceBytes
        self.position = position
        self.end = end
        self.wanted = wanted
    }

    /// Goes to the next entry; false at the end.
    mutating func next() throws(EngineError) -> Bool {
        var start = entry.upperBound
        if bytes.count - start < 2 {
            try readMore(from: start)
            start = 0
            if bytes.isEmpty {
                guard checksum == wanted else { throw damage }
                return false
            }
        }
        guard bytes.count - start >= 2 else { throw damage }
        let length = Int(bytes[start]) | Int(bytes[start + 1]) << 8
        if bytes.count - start - 2 < length {
            try readMore(from: start)
            start = 0
        }
        guard length >= 4, bytes.count - start - 2 >= length else { throw damage }
        entry = start + 2..<start + 2 + length
        return true
    }

    private mutating func readMore(from start: Int) throws(EngineError) {
        bytes.removeSubrange(..<start)
        let (file, count) = (file, Int(min(UInt64(pieceBytes), end - position)))
        if count == 0 { return }
        let at = position
        let more = try io { () throws(FileSystemError) in
            try file.readArray(count: count, at: at)
        }
        guard more.count == count else { throw damage }
        checksum = CRC32C.checksum(more, seed: checksum)
        position += UInt64(count)
        bytes.append(contentsOf: more)
    }

    func isBefore(_ other: RunReader) -> Bool {
        unsafe bytes.withUnsafeBytes { mine in
            unsafe other.bytes.withUnsafeBytes { theirs in
                unsafe ByteOrder.compare(
                    UnsafeRawBufferPointer(rebasing: mine[entry]),
                    UnsafeRawBufferPointer(rebasing: theirs[other.entry])) < 0
            }
        }
    }

    private var damage: EngineError {
        .corrupted(
            "the disk gave back other bytes than an index build had written", file: name,
            offset: position)
    }
}

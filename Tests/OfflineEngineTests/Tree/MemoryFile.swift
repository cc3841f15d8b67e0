// A node segment in memory: a sink to pack into, and a slot of the file table over the same bytes.
import OfflineBytes

@testable import OfflineEngine

/// Bytes that grow at the end up to a fixed capacity, mapped into a file table.
@safe
final class MemoryFile: NodeSink {
    let number: FileNumber
    let files: FileTable
    private(set) var base: UnsafeMutableRawPointer
    private(set) var length: Int
    private let capacity: Int
    private let verified: UnsafeMutablePointer<UInt64>
    /// How many nodes were appended, and after how many the file refuses more.
    private(set) var nodeCount = 0
    var nodesMax = Int.max
    /// Where each node begins.
    private(set) var places: [Int] = []

    /// Where a file's first node goes.
    static let start = 64

    init(_ number: UInt32, _ files: FileTable, capacity: Int = 32 << 20) {
        self.number = FileNumber(number)
        self.files = files
        self.capacity = capacity
        length = Self.start
        unsafe base = .allocate(byteCount: capacity, alignment: 4096)
        unsafe verified = .allocate(capacity: capacity / 512 + 1)
        unsafe verified.initialize(repeating: 0, count: capacity / 512 + 1)
        map()
    }

    deinit {
        unsafe files.set(number, FileSlot(base: nil, length: 0, verified: nil))
        unsafe base.deallocate()
        unsafe verified.deallocate()
    }

    /// Enters what there is in the table.
    private func map() {
        unsafe files.set(
            number,
            FileSlot(base: UnsafeRawPointer(base), length: length, verified: verified))
    }

    /// Forgets which nodes were found sound.
    func forgetVerified() {
        unsafe verified.update(repeating: 0, count: capacity / 512 + 1)
    }

    /// Moves the bytes to memory that ends where they end, so that a sanitizer sees what is read
    /// beyond them.
    func trim() {
        let exact = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 4096)
        unsafe exact.copyMemory(from: base, byteCount: length)
        unsafe base.deallocate()
        unsafe base = exact
        map()
    }

    /// Lets the table see only the first bytes.
    func cut(to length: Int) {
        unsafe files.set(
            number,
            FileSlot(base: UnsafeRawPointer(base), length: length, verified: verified))
    }

    func place(_ length: Int) throws(EngineError) -> Location {
        guard length % 8 == 0, length <= NodeLayout.pageSize else {
            throw EngineError(.limit, "a node of \(length) bytes")
        }
        guard nodeCount < nodesMax, self.length + length <= capacity else {
            throw EngineError(.storageFull, "the file is full")
        }
        return Location(file: number, offset: UInt64(self.length), tag: false)
    }

    func append(_ node: UnsafeRawBufferPointer) throws(EngineError) {
        guard let source = node.baseAddress else { return }
        unsafe (base + length).copyMemory(from: source, byteCount: node.count)
        places.append(length)
        length += node.count
        nodeCount += 1
        map()
    }

    /// The node at a place.
    func node(_ place: Int) -> Node { unsafe Node(UnsafeRawPointer(base + place)) }

    func location(_ place: Int) -> Location {
        Location(file: number, offset: UInt64(place), tag: true)
    }

    /// Makes a changed node's checksum right again.
    func seal(_ place: Int) {
        let length = min(max(node(place).length, 8), self.length - place)
        let bytes = unsafe UnsafeRawBufferPointer(start: base + place + 4, count: length - 4)
        unsafe (base + place).storeLittle(CRC32C.checksum(bytes), at: 0)
    }

    func byte(_ offset: Int) -> UInt8 { unsafe base.load(fromByteOffset: offset, as: UInt8.self) }

    func setByte(_ offset: Int, _ value: UInt8) {
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }
}

extension MemoryFile {
    /// How many nodes were looked at since `forgetVerified`.
    var verifiedCount: Int {
        unsafe UnsafeBufferPointer(start: verified, count: capacity / 512 + 1)
            .reduce(0) { $0 + $1.nonzeroBitCount }
    }
}

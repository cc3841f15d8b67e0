// Memory for changed nodes: pages of 4 KiB out of chunks of 2 MiB, which the system may back with
// one huge page each (look-ups in a large tree are mostly misses of the address translation).
//
// Invariants:
// - A chunk's first page holds its `ChunkHeader`; the chunk of a page is found by masking the
//   page's address.
// - A page is either in use (its bit is set) or in its chunk's stack of free pages, never both.
//   Freeing a page that isn't in use is a bug of ours and traps.
// - `available` lists exactly the chunks with a free page; each chunk knows its place in both
//   lists.
// - There are as many free pages as are reserved, or more: whoever has reserved a page gets it. So
//   the system's refusal meets the one who reserves, before anything has changed.
// - At most `spareChunksMax` chunks without any page in use are kept, unless they are reserved;
//   others go back to the system.
internal import OfflineBytes

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A pool of pages. Any thread may allocate and free: versions die on their readers' threads.
@safe
package final class PageArena: @unchecked Sendable {
    // @unchecked: chunks are reached only with the lock of `state` held.
    private let state: Protected<ArenaState>

    /// An empty pool that holds at most so many bytes of the system's memory.
    package init(bytesMax: Int = .max) {
        state = Protected(ArenaState(chunksMax: bytesMax / ArenaState.chunkSize))
    }

    deinit {
        // Nobody can hold a page: every version retains the arena.
        state.withLock { state in
            for index in unsafe state.chunks.indices {
                unsafe munmap(state.chunks[index], ArenaState.chunkSize)
            }
        }
    }

    /// Makes sure of so many pages for the caller, besides those that others have reserved.
    /// `.outOfMemory`, with nothing reserved, where the system has no memory for them.
    package func reserve(_ count: Int) throws(EngineError) {
        let isReserved = state.withLock { $0.reserve(count) }
        if isReserved { return }
        throw EngineError(
            .outOfMemory, "the system has no memory for \(count) more pages of changed tree nodes")
    }

    /// Gives back what was reserved and isn't needed.
    package func unreserve(_ count: Int) {
        state.withLock { $0.reserved -= count }
    }

    /// A page with undefined contents, aligned to its size, of those that the caller has reserved.
    /// The caller owns it until it frees it.
    package func allocate() -> UnsafeMutableRawPointer {
        unsafe state.withLock { unsafe $0.allocate() }
    }

    /// Takes a page back. Nobody may read it any more.
    package func free(_ page: UnsafeMutableRawPointer) {
        state.withLock { unsafe $0.free(page) }
    }

    /// Takes several pages back at once.
    package func free(contentsOf pages: [UnsafeMutableRawPointer]) {
        guard unsafe !pages.isEmpty else { return }
        state.withLock { state in
            for index in unsafe pages.indices { unsafe state.free(pages[index]) }
        }
    }

    package var pagesInUse: Int { state.withLock { $0.pagesInUse } }
    package var bytesInUse: Int { pagesInUse * NodeLayout.pageSize }
    /// What the arena holds of the system's memory, free pages included.
    package var bytesReserved: Int {
        state.withLock { unsafe $0.chunks.count * ArenaState.chunkSize }
    }
}

/// What a chunk's first page says of the others.
private struct ChunkHeader {
    /// How many of `free` are free pages' numbers, in order of their freeing.
    var freeCount: Int
    /// Places in the arena's lists; `availablePlace` is -1 for a chunk without a free page.
    var place: Int
    var availablePlace: Int
    var used: InlineArray<8, UInt64>
    var free: InlineArray<512, UInt16>

    init(place: Int) {
        freeCount = ArenaState.pagesPerChunk
        self.place = place
        availablePlace = -1
        used = InlineArray(repeating: 0)
        // The lowest page is given out first. Page 0 is this header.
        free = InlineArray { UInt16(truncatingIfNeeded: ArenaState.pagesPerChunk - $0) }
    }
}

@safe
private struct ArenaState {
    static let chunkSize = 2 << 20
    static let pagesPerChunk = chunkSize / NodeLayout.pageSize - 1
    private static let spareChunksMax = 4

    var chunks: [UnsafeMutableRawPointer] = unsafe []
    private var available: [UnsafeMutableRawPointer] = unsafe []
    private var spareChunks = 0
    private let chunksMax: Int
    var pagesInUse = 0
    /// So many of the free pages are promised.
    var reserved = 0

    init(chunksMax: Int) {
        self.chunksMax = chunksMax
    }

    private var pagesFree: Int { unsafe chunks.count * Self.pagesPerChunk - pagesInUse }

    mutating func reserve(_ count: Int) -> Bool {
        while pagesFree - reserved < count {
            guard addChunk() else { return false }
        }
        reserved += count
        return true
    }

    mutating func allocate() -> UnsafeMutableRawPointer {
        guard let chunk = unsafe available.last, reserved > 0 else {
            preconditionFailure("a page is reserved before it is allocated")
        }
        reserved -= 1
        let header = unsafe Self.header(of: chunk)
        if unsafe header.pointee.freeCount == Self.pagesPerChunk { spareChunks -= 1 }
        unsafe header.pointee.freeCount -= 1
        let number = unsafe Int(header.pointee.free[header.pointee.freeCount])
        unsafe header.pointee.used[number >> 6] |= 1 << UInt64(number & 63)
        if unsafe header.pointee.freeCount == 0 { unsafe removeFromAvailable(chunk) }
        pagesInUse += 1
        return unsafe chunk + number * NodeLayout.pageSize
    }

    mutating func free(_ page: UnsafeMutableRawPointer) {
        let offset = Int(bitPattern: page) & (Self.chunkSize - 1)
        let number = offset / NodeLayout.pageSize
        let chunk = unsafe page - offset
        let header = unsafe Self.header(of: chunk)
        let bit: UInt64 = 1 << UInt64(number & 63)
        precondition(
            unsafe header.pointee.used[number >> 6] & bit != 0, "a page is freed once, by its owner"
        )
        unsafe header.pointee.used[number >> 6] ^= bit
        unsafe header.pointee.free[header.pointee.freeCount] = UInt16(truncatingIfNeeded: number)
        unsafe header.pointee.freeCount += 1
        pagesInUse -= 1
        // So that whoever still reads it fails its checks and doesn't see plausible bytes.
        assert(unsafe Self.wipe(page))
        if unsafe header.pointee.freeCount == 1 { unsafe addToAvailable(chunk) }
        guard unsafe header.pointee.freeCount == Self.pagesPerChunk else { return }
        if spareChunks < Self.spareChunksMax || pagesFree - reserved < Self.pagesPerChunk {
            spareChunks += 1
        } else {
            unsafe release(chunk)
        }
    }

    private static func header(
        of chunk: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<ChunkHeader> {
        unsafe chunk.assumingMemoryBound(to: ChunkHeader.self)
    }

    private static func wipe(_ page: UnsafeMutableRawPointer) -> Bool {
        unsafe memset(page, 0xDD, NodeLayout.pageSize)
        return true
    }

    // MARK: - Chunks

    /// False where there is no memory for one.
    private mutating func addChunk() -> Bool {
        guard unsafe chunks.count < chunksMax, let chunk = unsafe Self.map() else { return false }
        unsafe chunk.initializeMemory(
            as: ChunkHeader.self, to: ChunkHeader(place: chunks.count))
        unsafe chunks.append(chunk)
        spareChunks += 1
        unsafe addToAvailable(chunk)
        return true
    }

    private mutating func release(_ chunk: UnsafeMutableRawPointer) {
        unsafe removeFromAvailable(chunk)
        let place = unsafe Self.header(of: chunk).pointee.place
        let last = unsafe chunks.removeLast()
        if unsafe last != chunk {
            unsafe chunks[place] = last
            unsafe Self.header(of: last).pointee.place = place
        }
        unsafe munmap(chunk, Self.chunkSize)
    }

    private mutating func addToAvailable(_ chunk: UnsafeMutableRawPointer) {
        unsafe Self.header(of: chunk).pointee.availablePlace = available.count
        unsafe available.append(chunk)
    }

    private mutating func removeFromAvailable(_ chunk: UnsafeMutableRawPointer) {
        let place = unsafe Self.header(of: chunk).pointee.availablePlace
        let last = unsafe available.removeLast()
        if unsafe last != chunk {
            unsafe available[place] = last
            unsafe Self.header(of: last).pointee.availablePlace = place
        }
        unsafe Self.header(of: chunk).pointee.availablePlace = -1
    }

    /// Fresh memory of a chunk's size and alignment: twice as much is mapped and the ends given
    /// back. Nil where the system refuses.
    private static func map() -> UnsafeMutableRawPointer? {
        let mapped = unsafe mmap(
            nil, 2 * chunkSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let start = unsafe mapped, unsafe start != MAP_FAILED else { return nil }
        let head = (chunkSize - Int(bitPattern: start) & (chunkSize - 1)) & (chunkSize - 1)
        let chunk = unsafe start + head
        if head > 0 { unsafe munmap(start, head) }
        if head < chunkSize { unsafe munmap(chunk + chunkSize, chunkSize - head) }
        #if os(Linux)
            // A hint; where the system has no huge pages it changes nothing.
            let useHugePages: Int32 = 14  // MADV_HUGEPAGE
            unsafe madvise(chunk, chunkSize, useHugePages)
        #endif
        return unsafe chunk
    }
}

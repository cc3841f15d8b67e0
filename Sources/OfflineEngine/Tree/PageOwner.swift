// What one writer made and replaced in the trees of one collection.
//
// Ownership goes by an id in each page: the writer changes pages with its own id in place and
// copies all others, so a node is never changed once another version can reach it, and no node has
// a reference count.
//
// Invariants:
// - `created` lists exactly the pages that the owner made and still holds; each knows its place in
//   the list.
// - `retired` lists pages of earlier owners that the owner's trees no longer lead to, each once.
// - A page that the owner made and drops was never seen by anyone else, so it is free at once.
// - Whoever changes a tree reserves first all pages that it may take, so that no change stops
//   halfway for want of memory.
internal import COfflinePlatform
internal import OfflineBytes

/// The pages of a writing transaction. Used by one thread at a time.
@safe
package final class PageOwner {
    package let arena: PageArena
    package let files: FileTable
    package let id: UInt64
    /// Pages made by this owner and not freed again.
    package private(set) var created: [UnsafeMutableRawPointer] = unsafe []
    /// Pages that it replaced: free once nobody reads older versions.
    package private(set) var retired: [UnsafeMutableRawPointer] = unsafe []
    /// Bytes of nodes in files that it replaced, by file, below 0.
    private(set) var replaced = FileTally()
    private(set) lazy var scratch = NodeScratch()
    /// Pages that the arena keeps for the owner.
    private var reserved = 0

    /// `id` is unique among all owners of the arena's pages, and above 0.
    package init(arena: PageArena, files: FileTable, id: UInt64) {
        precondition(id > 0, "0 is the owner of nodes in files")
        self.arena = arena
        self.files = files
        self.id = id
    }

    deinit { arena.unreserve(reserved) }

    // MARK: - Pages

    /// Makes sure that the next `count` pages can be made. `.outOfMemory`.
    @inline(always)
    func reserve(_ count: Int) throws(EngineError) {
        guard reserved < count else { return }
        try arena.reserve(count &- reserved)
        reserved = count
    }

    /// Makes sure of all pages that inserting an entry, or removing one, can take in a tree whose
    /// root is at `level`. Each level's node is copied, and replaced by two that are divided anew,
    /// and takes the second of two nodes below it, which may split it; a new root comes on top.
    @inline(always)
    func reserve(forChangeBelow level: Int) throws(EngineError) {
        try reserve(5 &* (level &+ 1) &+ 1)
    }

    /// A new page, whose node is still undefined. It was reserved.
    func makePage() -> NodePage {
        assert(reserved > 0, "a change takes no more pages than were reserved for it")
        if reserved == 0, (try? arena.reserve(1)) != nil { reserved = 1 }
        reserved &-= 1
        let page = unsafe arena.allocate()
        unsafe page.storeLittle(id, at: NodeLayout.owner)
        unsafe page.storeLittle(UInt64(created.count), at: NodeLayout.ownerPlace)
        unsafe page.storeLittle(UInt64(0), at: NodeLayout.remembered)
        unsafe created.append(page)
        return unsafe NodePage(page)
    }

    /// The node's page if it is the owner's, else a copy in a new one, and the node is dropped.
    @inline(always)
    func writable(_ node: Node) -> NodePage {
        if node.owner == id {
            let page = unsafe NodePage(UnsafeMutableRawPointer(mutating: node.base))
            // Spilled by the owner itself in vain: what was written isn't what the page will be.
            if page.remembered.word != 0 { page.remember(Location(word: 0)) }
            return page
        }
        let page = makePage()
        page.copy(node)
        drop(node)
        return page
    }

    /// The owner's trees no longer lead to `node`.
    func drop(_ node: Node) {
        let owner = node.owner
        if owner == 0 { return replaced.add(node.location.file, -Int64((node.length + 7) & ~7)) }
        let page = unsafe UnsafeMutableRawPointer(mutating: node.base)
        if owner != id { return unsafe retired.append(page) }
        let place: UInt32 = unsafe page.little(NodeLayout.ownerPlace)
        let last = unsafe created.removeLast()
        if unsafe last != page {
            unsafe created[Int(place)] = last
            unsafe last.storeLittle(place, at: NodeLayout.ownerPlace)
        }
        unsafe arena.free(page)
    }

    /// Nobody counts the nodes that it has replaced so far: all of the collection's are given up.
    func forgetReplaced() { replaced = FileTally() }

    // MARK: - Ending

    /// Frees what the owner made. Its trees must not be used any more; the pages that it replaced
    /// stay as they are.
    package func rollback() {
        unsafe arena.free(contentsOf: created)
        unsafe created.removeAll()
        unsafe retired.removeAll()
    }

    /// Frees what the owner made, since all of it was written to a file. The pages that it replaced
    /// stay on their list.
    package func releaseCreated() {
        unsafe arena.free(contentsOf: created)
        unsafe created.removeAll()
    }

    /// Gives the records of a transaction their place: in all primary leaves that the owner made, a
    /// value with bit 0 set ((offset / 8) << 1 | 1 from the beginning of the transaction's body)
    /// becomes the location at `base` + offset. Only before the pages can be seen by others.
    package func resolveRelative(file: FileNumber, base: UInt64) {
        assert(base % 8 == 0, "records begin at multiples of 8")
        let primary = NodeKind(level: 0, valueWidth: 8)
        let start = UInt64(file.value) << 32 | (base >> 3) << 1
        for place in unsafe created.indices {
            let page = unsafe NodePage(created[place])
            let node = page.node
            if node.kind != primary { continue }
            for index in 0..<node.count {
                let value = node.value(index)
                if value & 1 != 0 { page.setValue(index, start &+ (value & 0xFFFF_FFFE)) }
            }
        }
    }
}

/// Room for the entries of nodes that are rewritten, and for separators on their way up.
@safe
final class NodeScratch {
    let entries = NodeEntries()
    private let separators: UnsafeMutableRawPointer
    private var isSecond = false

    init() {
        unsafe separators = .allocate(byteCount: 2 * NodeLayout.keyBytesMax, alignment: 8)
    }

    deinit { unsafe separators.deallocate() }

    /// Room for a separator. It is good until the next but one is asked for: a separator that is
    /// being inserted is read while the next one is made.
    func separatorRoom() -> UnsafeMutableRawPointer {
        isSecond.toggle()
        return unsafe separators + (isSecond ? NodeLayout.keyBytesMax : 0)
    }
}

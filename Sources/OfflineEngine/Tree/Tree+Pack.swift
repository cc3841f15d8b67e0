// Writing a tree's changed nodes to a node segment: the first half of a checkpoint. (The second is
// `swap`.)
//
// 1. Children before parents, each page is written once, without its gap, with the locations of its
//    children, its own location, and a checksum.
// 2. The page remembers where it was written. That is the only thing that ever changes in a
//    published page, so readers go on, and whoever packs a tree that shares the page doesn't write
//    it again.
// 3. When the checkpoint is complete, `swap` replaces pages by what they remember; if it fails,
//    they forget.
//
// A page remembers a location in a file after `through` only while a checkpoint is at work or
// before it was told to forget. Such a location isn't used, neither here nor by `swap`.
internal import COfflinePlatform
internal import OfflineBytes

/// Where packed nodes go. A node is first given its place, so that it can carry it, then handed
/// over.
package protocol NodeSink {
    /// Where the next node goes; `length` is a multiple of 8, at most 4,096.
    mutating func place(_ length: Int) throws(EngineError) -> Location
    /// Takes the node for which a place was asked last. The bytes are good until it returns.
    mutating func append(_ node: UnsafeRawBufferPointer) throws(EngineError)
}

extension Tree {
    /// Writes all pages of a published tree that aren't written yet, and returns the same tree with
    /// nothing in memory.
    ///
    /// A page that remembers a location in a file up to `through` was written by an earlier,
    /// completed checkpoint, and all below it with it. If this throws, call `forgetLocations`.
    package static func pack(
        _ root: TreeRoot, files: FileTable, through: FileNumber, into sink: inout some NodeSink
    ) throws(EngineError) -> TreeRoot {
        guard !root.isStored else { return root }
        let packer = TreePacker(through: through)
        var packed = root
        packed.node = try packer.pack(root.node, into: &sink)
        return packed
    }

    /// Writes the pages of a part of a tree that nobody else knows; its node's location.
    static func pack(
        _ node: UInt64, into sink: inout some NodeSink
    ) throws(EngineError) -> UInt64 {
        try TreePacker(through: FileNumber(0)).pack(node, into: &sink)
    }

    /// After a failed checkpoint: the pages of a tree that it packed forget locations in files
    /// after `after`.
    package static func forgetLocations(_ root: TreeRoot, after: FileNumber) {
        forget(root.node, after)
    }

    private static func forget(_ reference: UInt64, _ after: FileNumber) {
        guard let page = NodePage(reference: reference) else { return }
        let remembered = page.remembered
        if remembered.word != 0 {
            // Written by a checkpoint that was completed, and so was all below it.
            if remembered.file <= after { return }
            page.remember(Location(word: 0))
        }
        let node = page.node
        guard node.isBranch else { return }
        for index in 0..<node.count { forget(node.child(index), after) }
    }
}

extension NodePage {
    /// The page that a reference leads to; nil for a location and for 0.
    init?(reference: UInt64) {
        guard reference & 1 == 0,
            let page = unsafe UnsafeMutableRawPointer(bitPattern: UInt(reference))
        else { return nil }
        unsafe self.init(page)
    }

    /// Where the last checkpoint that packed the page wrote it; word 0 if none did. Another thread
    /// may be setting it.
    var remembered: Location {
        let field = unsafe (base + NodeLayout.remembered).assumingMemoryBound(to: UInt64.self)
        return Location(word: unsafe offline_load_acquire(field))
    }

    /// Sets what `remembered` says. Only the thread of the checkpoint does.
    func remember(_ location: Location) {
        let field = unsafe (base + NodeLayout.remembered).assumingMemoryBound(to: UInt64.self)
        unsafe offline_store_release(field, location.word)
    }

    /// The location where the page was written, if its file isn't after `through`.
    func location(through: FileNumber) -> Location? {
        let remembered = remembered
        return remembered.word != 0 && remembered.file <= through ? remembered : nil
    }
}

/// One run over one tree.
private final class TreePacker {
    private let through: FileNumber
    private let entries = NodeEntries()
    private let room = unsafe NodePage(
        .allocate(byteCount: NodeLayout.pageSize, alignment: 8))

    init(through: FileNumber) { self.through = through }

    deinit { unsafe room.base.deallocate() }

    /// Writes the page that a reference leads to, after all below it; its location's word. A
    /// location is returned as it is.
    func pack(_ reference: UInt64, into sink: inout some NodeSink) throws(EngineError) -> UInt64 {
        guard let page = NodePage(reference: reference) else { return reference }
        if let location = page.location(through: through) { return location.word }
        let node = page.node
        if node.isBranch {
            for index in 0..<node.count { _ = try pack(node.child(index), into: &sink) }
        }
        // The row is shared by all levels, so it is laid out only now.
        entries.begin(node)
        if node.isBranch {
            for index in 0..<node.count {
                if let child = NodePage(reference: node.child(index)) {
                    entries.setChild(index, child.remembered.word)
                }
            }
        }
        let length = (entries.size(0..<entries.count) + 7) & ~7
        let place = try sink.place(length)
        let location = Location(file: place.file, offset: place.offset, tag: true)
        entries.write(0..<entries.count, to: room, length: length)
        room.seal(location)
        unsafe try sink.append(UnsafeRawBufferPointer(start: room.base, count: length))
        page.remember(location)
        return location.word
    }
}

extension NodePage {
    /// Gives a packed node what it has only on disk: its location, zeros, and the checksum over
    /// all.
    fileprivate func seal(_ location: Location) {
        let node = node
        unsafe base.storeLittle(UInt32(0), at: NodeLayout.lastInsertion)
        unsafe base.storeLittle(location.word, at: NodeLayout.location)
        unsafe base.storeLittle(UInt64(0), at: NodeLayout.owner)
        unsafe base.storeLittle(UInt64(0), at: NodeLayout.ownerPlace)
        unsafe base.storeLittle(UInt64(0), at: NodeLayout.remembered)
        for offset in node.slotsEnd..<node.heapStart {
            unsafe base.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
        }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: base + NodeLayout.magicAt, count: node.length - NodeLayout.magicAt)
        unsafe base.storeLittle(CRC32C.checksum(bytes), at: NodeLayout.checksum)
    }
}

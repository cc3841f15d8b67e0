// The checks that bytes pass before they count as a node. Afterwards everything in `Node` stays
// inside the node, so that reading needs no checks of its own; and what is copied into a page and
// changed there fits (see NodeLayout).
//
// Nothing here trusts a number before it has checked it, and nothing is read beyond `room`.
internal import OfflineBytes

/// Verifies single nodes.
enum NodeVerifier {
    /// What is wrong with the bytes at `base`, of which `room` may be read, as the node that is
    /// stored at `location`. Nil: they are sound.
    static func fault(
        _ base: UnsafeRawPointer, room: Int, location: Location
    ) -> String? {
        guard room >= NodeLayout.slots else { return "a node is cut off" }
        guard unsafe base.little(NodeLayout.magicAt) == NodeLayout.magic else {
            return "there is no node"
        }
        let node = unsafe Node(base)
        let length = node.length
        guard length >= NodeLayout.slots, length <= NodeLayout.pageSize, length % 8 == 0,
            length <= room
        else { return "a node has an impossible length" }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: base + NodeLayout.magicAt, count: length - NodeLayout.magicAt)
        guard unsafe CRC32C.checksum(bytes) == base.little(NodeLayout.checksum) else {
            return "a node's checksum doesn't match"
        }
        guard node.location == location else { return "a node belongs to another place" }
        guard node.owner == 0, node.dead == 0,
            unsafe base.little(NodeLayout.lastInsertion, as: UInt32.self) == 0,
            unsafe base.little(NodeLayout.ownerPlace, as: UInt64.self) == 0,
            unsafe base.little(NodeLayout.remembered, as: UInt64.self) == 0
        else { return "a node has something where zeros must be" }
        guard node.gap >= 0, node.gap < 8 else { return "a node isn't packed" }
        return structureFault(node, isPacked: true)
    }

    /// What is wrong with a node's structure, in a page or in bytes of `length` that may be read.
    static func structureFault(_ node: Node, isPacked: Bool) -> String? {
        let kind = node.kind
        guard kind.level <= NodeLayout.levelMax, kind.valueWidth == 0 || kind.valueWidth == 8 else {
            return "a node has an unknown kind"
        }
        let heapEnd = node.length - node.prefixLength
        guard node.count >= 1, node.prefixLength <= NodeLayout.keyBytesMax,
            node.slotsEnd <= node.heapStart, node.heapStart <= heapEnd
        else { return "a node's parts overlap" }
        var used = 0
        for index in 0..<node.count {
            let (offset, keyLength) = node.slot(index)
            let size = kind.entrySize + keyLength
            guard offset >= node.heapStart, offset + size <= heapEnd,
                node.prefixLength + keyLength <= NodeLayout.keyBytesMax
            else { return "an entry is outside its node" }
            // On disk they follow each other, so that none shares bytes with another.
            guard !isPacked || offset == node.heapStart + used else {
                return "a node's entries overlap"
            }
            used += size
            guard node.head(index) == node.suffix(index).head else {
                return "an entry's head differs from its key"
            }
        }
        // So no node rewritten from these entries is larger than this one.
        guard used + node.dead == heapEnd - node.heapStart else {
            return "a node's entries don't fill its heap"
        }
        guard ascends(node) else { return "a node's keys don't ascend" }
        return kind.isBranch ? branchFault(node) : nil
    }

    private static func ascends(_ node: Node) -> Bool {
        var index = node.firstKey + 1
        while index < node.count {
            if node.suffix(index - 1).order(node.suffix(index)) >= 0 { return false }
            index += 1
        }
        return true
    }

    private static func branchFault(_ node: Node) -> String? {
        guard node.slot(0).keyLength == 0 else { return "a branch's first separator isn't empty" }
        var sum: UInt64 = 0
        for index in 0..<node.count {
            // Bytes of a file lead to bytes of a file, never to an address.
            let child = node.child(index)
            guard child != 0, child & 1 != 0 || node.location.word == 0 else {
                return "a branch leads nowhere"
            }
            let below = node.below(index)
            guard below > 0, below < NodeLayout.belowMax - sum else {
                return "a branch's counts are impossible"
            }
            sum += below
        }
        return nil
    }
}

extension FileTable {
    /// The node that a reference leads to, which must be of `kind`. Everything that reads a node in
    /// a file comes through here: it is verified once, when it is first met, and then its bytes are
    /// trusted.
    ///
    /// Since a child's level is its parent's minus one, no chain of references has an end further
    /// than `levelMax`.
    @inline(always)
    func node(_ reference: UInt64, _ kind: NodeKind) throws(EngineError) -> Node {
        // Magic and kind in one word.
        let wanted = UInt64(NodeLayout.magic) | UInt64(kind.word) << 32
        if reference & 1 == 0 {
            if let page = unsafe UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: reference)),
                unsafe page.little(NodeLayout.magicAt, as: UInt64.self) & 0xFFFF_FFFF_FFFF == wanted
            {
                return unsafe Node(page)
            }
        } else {
            let location = Location(word: reference)
            let offset = Int(location.offset)
            let slot = unsafe slot(location.file)
            // The magic is compared as well because the bit may stand for something else in a file
            // that isn't of nodes.
            if let base = unsafe slot.base, unsafe offset &+ NodeLayout.slots <= slot.length,
                unsafe slot.isVerified(location.offset),
                unsafe base.little(offset &+ NodeLayout.magicAt, as: UInt64.self)
                    & 0xFFFF_FFFF_FFFF == wanted
            {
                return unsafe Node(base + offset)
            }
        }
        let node = try verifiedNode(reference)
        guard node.kind == kind else {
            throw Self.corrupted("a node of another kind than its parent's child", node)
        }
        return node
    }

    /// The root node that a reference leads to.
    @inline(always)
    func root(_ root: TreeRoot) throws(EngineError) -> Node {
        let node = try anyNode(root.node)
        guard node.kind.valueWidth == root.valueWidth else {
            throw Self.corrupted("a tree's root is a node of another kind of tree", node)
        }
        return node
    }

    /// A node of whatever kind.
    @inline(always)
    private func anyNode(_ reference: UInt64) throws(EngineError) -> Node {
        if reference & 1 == 0 {
            if let page = unsafe UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: reference)) {
                return unsafe Node(page)
            }
        } else {
            let location = Location(word: reference)
            let slot = unsafe slot(location.file)
            let offset = Int(location.offset)
            if let base = unsafe slot.base, unsafe offset &+ NodeLayout.slots <= slot.length,
                unsafe slot.isVerified(location.offset),
                unsafe base.little(offset &+ NodeLayout.magicAt) == NodeLayout.magic
            {
                return unsafe Node(base + offset)
            }
        }
        return try verifiedNode(reference)
    }

    /// Verifies a node in a file and remembers that it is sound. A page needs none of that.
    @inline(never)
    func verifiedNode(_ reference: UInt64) throws(EngineError) -> Node {
        let location = Location(word: reference)
        guard location.tag else {
            guard
                let page = unsafe UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: reference))
            else { throw EngineError(.corrupted, "a tree leads nowhere") }
            return unsafe Node(page)
        }
        let slot = unsafe slot(location.file)
        let name = FileNames.tree(location.file)
        guard let base = unsafe slot.base else {
            throw .corrupted(
                "a tree leads into a file that the store doesn't have", file: name,
                offset: location.offset)
        }
        let offset = Int(location.offset)
        let room = unsafe slot.length - offset
        let fault =
            room < NodeLayout.slots
            ? "a tree leads beyond the file's end"
            : unsafe NodeVerifier.fault(base + offset, room: room, location: location)
        if let fault { throw .corrupted(fault, file: name, offset: location.offset) }
        unsafe slot.setVerified(location.offset)
        return unsafe Node(base + offset)
    }

    /// An error that names a node's place, if it is in a file.
    static func corrupted(_ message: String, _ node: Node) -> EngineError {
        let location = node.location
        if location.word == 0 { return EngineError(.corrupted, message) }
        return .corrupted(message, file: FileNames.tree(location.file), offset: location.offset)
    }
}

// A node as the tools see it: copied out of a file's bytes, after all checks, so that it can be looked at without a tree
// and without a map.
internal import OfflineBytes

/// One node of a node segment.
package struct InspectedNode: Sendable {
    package struct Entry: Sendable {
        /// A leaf: the whole key. A branch: the separator, empty in the first entry.
        package let key: [UInt8]
        /// A leaf: the value, 0 where the tree has none. A branch: the child's location word.
        package let value: UInt64
        /// A branch: how many records are below the child.
        package let below: UInt64
    }

    package let location: Location
    package let identity: TreeIdentity
    /// 0: a leaf.
    package let level: Int
    package let valueWidth: UInt8
    /// Bytes that it takes in the file.
    package let length: Int
    /// What all its keys begin with.
    package let prefix: [UInt8]
    package let entries: [Entry]
    /// Records in it or below it.
    package let total: UInt64

    /// More bytes than any node has.
    package static let lengthMax = NodeLayout.pageSize

    /// What stands at a place where a node could be.
    package enum Reading: Sendable {
        case node(InspectedNode)
        case none(reason: String)
    }

    /// Judges `bytes` as the node that is stored at `location`.
    package static func read(_ bytes: UnsafeRawBufferPointer, at location: Location) -> Reading {
        guard let base = bytes.baseAddress else { return .none(reason: "a node is cut off") }
        if let fault = unsafe NodeVerifier.fault(base, room: bytes.count, location: location) {
            return .none(reason: fault)
        }
        return .node(InspectedNode(unsafe Node(base)))
    }

    /// Whether a node may begin at `offset`: its magic number is there.
    package static func mayBegin(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard offset >= 0, offset + NodeLayout.slots <= bytes.count, let base = bytes.baseAddress
        else { return false }
        return unsafe base.little(offset + NodeLayout.magicAt, as: UInt32.self) == NodeLayout.magic
    }

    private init(_ node: Node) {
        location = node.location
        identity = node.identity
        level = node.level
        valueWidth = node.kind.valueWidth
        length = node.length
        prefix = unsafe Array(
            UnsafeRawBufferPointer(start: node.prefix, count: node.prefixLength))
        entries = (0..<node.count).map { index in
            Entry(
                key: node.key(index), value: node.isBranch ? node.child(index) : node.value(index),
                below: node.isBranch ? node.below(index) : 0)
        }
        total = node.total
    }
}

// The whole-tree check: every node, every invariant of the tree (see Tree). `verify` reports what
// it finds, and tests run it after what they change.
internal import OfflineBytes

/// Something wrong in a tree, and where: without a file it is in memory.
package struct TreeFinding: Equatable, Sendable, CustomStringConvertible {
    package let file: String?
    package let offset: UInt64?
    package let reason: String

    package var description: String {
        guard let file, let offset else { return reason }
        return "\(reason) in \(file) at offset \(offset)"
    }
}

extension Tree {
    /// Checks all of a tree; at most `limit` findings. What lies under a damaged node is passed
    /// over. Nodes in files are verified again, even if they passed before.
    package static func check(_ root: TreeRoot, files: FileTable, limit: Int) -> [TreeFinding] {
        var checker = TreeChecker(root: root, files: files, limit: limit)
        checker.run()
        return checker.findings
    }
}

private struct TreeChecker {
    let root: TreeRoot
    let files: FileTable
    let limit: Int
    var findings: [TreeFinding] = []

    init(root: TreeRoot, files: FileTable, limit: Int) {
        self.root = root
        self.files = files
        self.limit = limit
    }

    mutating func run() {
        if root.node == 0 {
            if root.count != 0 { report("an empty tree has a count", nil) }
            return
        }
        guard let node = sound(root.node) else { return }
        if node.kind.valueWidth != root.valueWidth {
            return report("a tree's root is a node of another kind of tree", node)
        }
        if node.isBranch && node.count == 1 { report("a root has a single child", node) }
        check(node, lower: nil, upper: nil, below: root.count)
    }

    /// The node that a reference leads to, if its bytes are sound.
    private mutating func sound(_ reference: UInt64) -> Node? {
        do {
            let node = try files.verifiedNode(reference)
            if node.location.word != 0 { return node }
            let isNode = unsafe node.base.little(NodeLayout.magicAt) == NodeLayout.magic
            guard isNode && node.length == NodeLayout.pageSize && node.owner != 0 else {
                report("a tree leads to a page that isn't in use", nil)
                return nil
            }
            guard let fault = NodeVerifier.structureFault(node, isPacked: false) else {
                return node
            }
            report(fault, node)
        } catch {
            if findings.count < limit {
                findings.append(
                    TreeFinding(file: error.file, offset: error.offset, reason: error.message))
            }
        }
        return nil
    }

    /// Checks a sound node and all below it. Its keys are to be at or above `lower` and below
    /// `upper`.
    private mutating func check(_ node: Node, lower: [UInt8]?, upper: [UInt8]?, below: UInt64) {
        if node.identity != root.identity { report("a node belongs to another tree", node) }
        if node.total != below { report("a node's count isn't its parent's", node) }
        if node.firstKey < node.count {
            let order = lower.map { ByteOrder.compare(node.key(node.firstKey), $0) } ?? 1
            if order < 0 || order == 0 && node.isBranch {
                report("a node's keys are below its separator", node)
            }
            if let upper, ByteOrder.compare(node.key(node.count - 1), upper) >= 0 {
                report("a node's keys are beyond the next separator", node)
            }
        }
        guard node.isBranch else { return }
        for index in 0..<node.count where findings.count < limit {
            guard let child = sound(node.child(index)) else { continue }
            guard child.kind == node.kind.child else {
                report("a node of another kind than its parent's child", child)
                continue
            }
            check(
                child, lower: index == 0 ? lower : node.key(index),
                upper: index + 1 < node.count ? node.key(index + 1) : upper,
                below: node.below(index))
        }
    }

    private mutating func report(_ reason: String, _ node: Node?) {
        guard findings.count < limit else { return }
        guard let location = node?.location, location.word != 0 else {
            return findings.append(TreeFinding(file: nil, offset: nil, reason: reason))
        }
        findings.append(
            TreeFinding(
                file: FileNames.tree(location.file), offset: location.offset, reason: reason))
    }
}

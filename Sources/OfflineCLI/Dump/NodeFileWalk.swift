// A node segment from its first byte to its last: nodes as they were written (children before parents), the catalog at
// the end. Where neither stands, that is damage, and the walk goes on at the next place where one does.
internal import OfflineBytes
internal import OfflineEngine

/// Shows a node segment.
struct NodeFileWalk {
    private let context: DumpContext
    private let file: NumberedFile

    init(_ context: DumpContext, _ file: NumberedFile) {
        self.context = context
        self.file = file
    }

    /// Shows all of it.
    func run() throws {
        try context.reportingFileErrors(file) {
            if case .leave = try FileOpening(context, file).readHeader(isUsed: true) { return }
            let size = try context.open(file).size()
            var offset = UInt64(FileHeader.size)
            while offset < size {
                if let length = try showItem(at: offset) {
                    offset += length
                    continue
                }
                try context.problem("neither a node nor a frame is here", file, at: offset)
                guard let next = try nextItem(after: offset) else { return }
                offset = next
            }
        }
    }

    /// Shows the node or the frame that begins at `offset`.
    func show(at offset: UInt64) throws {
        try context.reportingFileErrors(file) {
            if try showItem(at: offset) != nil { return }
            guard case .none(let reason) = try context.node(file, at: offset) else { return }
            try context.problem(
                "neither a node nor a frame begins here: \(reason)", file, at: offset)
        }
    }

    /// Shows what begins at `offset`; the bytes that it takes, nil where nothing does.
    private func showItem(at offset: UInt64) throws -> UInt64? {
        if case .node(let node) = try context.node(file, at: offset) {
            try context.show(node, file, depth: 0)
            return UInt64(node.length + 7) & ~7
        }
        guard case .frame(let header, _, let body) = try context.frameReader(file).frame(at: offset)
        else { return nil }
        try context.show(header, body, file)
        return UInt64(header.frameLength)
    }

    /// Where the next sound node or frame begins.
    private func nextItem(after offset: UInt64) throws -> UInt64? {
        let frame = try context.frameReader(file).findHeader(from: offset + 8) { _ in true }
        let limit = frame?.position.offset ?? .max
        let open = try context.open(file)
        let chunkBytes = 1 << 20
        var start = (offset & ~7) + 8
        while start < limit {
            let chunk = try open.readArray(count: chunkBytes + InspectedNode.lengthMax, at: start)
            if chunk.isEmpty { break }
            for place in stride(from: 0, to: min(chunkBytes, chunk.count), by: 8) {
                let at = start + UInt64(place)
                guard at < limit,
                    unsafe chunk.withBytes({ unsafe InspectedNode.mayBegin($0, at: place) })
                else { continue }
                if case .node = try context.node(file, at: at) { return at }
            }
            start += UInt64(chunkBytes)
        }
        return frame?.position.offset
    }
}

// A dump for a person: a line for each thing, the offset first, so that it can be asked for by `--file N --offset O`.
internal import OfflineDocuments
internal import OfflineEngine
internal import OfflineKit

/// Shows events as text.
struct TextDump: DumpWriter {
    private let output: Output
    /// Records are shown whole, not cut to a line.
    private let isFull: Bool
    private var hasBegun = false
    /// Columns that a line may take where it is cut.
    private static let lineWidth = 120
    private static let offsetWidth = 9

    init(_ output: Output, isFull: Bool) {
        self.output = output
        self.isFull = isFull
    }

    mutating func write(_ event: DumpEvent) throws {
        switch event {
        case .slot(let number, let slot): try write(slot, number)
        case .catalog(let catalog, let collections, let position):
            try write(catalog, collections, position)
        case .file(let file): try write(file)
        case .frame(let frame): try write(frame)
        case .operation(let operation): try write(operation)
        case .tree(let tree): try write(tree)
        case .node(let node): try write(node)
        case .entry(let entry): try write(entry)
        case .note(let place, let text): try line(place.offset, output.styled(text, .faint))
        case .problem(let place, let reason, let bytes): try write(place, reason, bytes)
        }
    }

    // MARK: - Lines

    /// The offset, right-aligned, then the text.
    private func line(_ offset: UInt64?, _ text: String) throws {
        let digits = offset.map { String($0) } ?? ""
        let blanks = String(repeating: " ", count: max(0, Self.offsetWidth - digits.count))
        try output.line(blanks + output.styled(digits, .accent) + "  " + text)
    }

    /// Text that may be long, cut to what is left of a line unless everything is to be shown.
    private func fitted(_ text: String, used: Int) -> String {
        let room = max(20, Self.lineWidth - used)
        // Characters are counted only as far as they fit: a record may have 16 MiB.
        guard !isFull, text.utf8.count > room, text.prefix(room + 1).count > room else {
            return text
        }
        return text.prefix(room - 1) + "…"
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private mutating func heading(_ text: String) throws {
        if hasBegun { try output.line() }
        hasBegun = true
        try output.line(output.styled(text, .heading))
    }

    // MARK: - Superblock and catalog

    private mutating func write(_ slot: Superblock.Reading, _ number: Int) throws {
        if number == 0 { try heading("SUPERBLOCK") }
        guard case .superblock(let block) = slot else { return }
        let offset = UInt64(number * Superblock.slotSize)
        try line(
            offset,
            "slot \(number): generation \(block.generation), store \(block.store)")
        try line(
            nil,
            "catalog at \(block.catalog), log from \(block.replayPosition)"
                + " (chain \(Figures.hex(block.replayChain)))")
        try line(
            nil,
            "operations up to \(block.durableSequence) durable, "
                + (block.isCleanClose ? "closed cleanly" : "not closed"))
    }

    private func write(
        _ catalog: Catalog, _ collections: [CollectionSummary], _ position: LogPosition
    ) throws {
        try line(
            position.offset,
            "catalog: schema version \(catalog.applicationVersion), next operation "
                + "\(catalog.nextSequence), next file \(catalog.nextFileNumber)")
        for (stored, collection) in zip(catalog.collections, collections) {
            try line(
                nil,
                "  collection \(stored.id)\(about(collection)), \(trees(stored, 0))"
                    + ", \(Figures.counted(stored.names.count, "field name"))")
            for index in collection.indexes {
                let about = [index.keyPaths.joined(separator: ", ")] + index.properties
                try line(
                    nil,
                    "    index \(index.number) \"\(index.name)\" on "
                        + "\(about.joined(separator: ", ")), \(trees(stored, index.number))")
            }
            if let number = collection.changesTree {
                try line(
                    nil,
                    "    \(CollectionSummary.changesTreeName), \(trees(stored, number))")
            }
            if let (number, order) = collection.evictionTree {
                try line(
                    nil,
                    "    \(CollectionSummary.evictionTreeName), by \(order.rawValue), "
                        + "\(trees(stored, number))")
            }
        }
        for file in catalog.files {
            try line(
                nil,
                "  file \(FileNames.name(file.number, file.kind)): "
                    + "\(Figures.counted(file.length, "byte")) in use, "
                    + "\(Figures.grouped(file.live.total)) live\(file.isStaged ? ", staged" : "")")
        }
    }

    private func about(_ collection: CollectionSummary) -> String {
        guard collection.kind == .records else { return ": \(collection.name)" }
        return " \"\(collection.name)\", key \(collection.keyPaths.joined(separator: ", "))"
    }

    private func trees(_ collection: Catalog.Collection, _ number: UInt32) -> String {
        guard let tree = collection.trees.first(where: { $0.index == number }) else {
            return "no tree"
        }
        let count = Figures.counted(
            tree.root.count, number == 0 ? "record" : "entry",
            plural: number == 0 ? nil : "entries")
        return tree.root.node == 0 ? count : count + " from \(Location(word: tree.root.node))"
    }

    // MARK: - Files and frames

    private mutating func write(_ file: FileView) throws {
        var text = "\(file.name)  \(Figures.counted(file.size, "byte")), "
        if let header = file.header {
            text += header.kind == .log ? (header.isStaged ? "staged log" : "log") : "node segment"
            if let end = header.previousEnd { text += ", goes on from \(end)" }
        } else {
            text += "prepared and not used yet"
        }
        try heading(text)
    }

    private func write(_ frame: FrameHeader) throws {
        // What is in it says so.
        if frame.kind == .catalog { return }
        let bytes = Figures.counted(frame.bodyLength, "byte")
        var text: String
        switch frame.kind {
        case .commit: text = "commit \(operations(frame)), \(bytes)"
        case .catalog: text = "catalog frame, \(bytes)"
        case .stagedPart: text = "part of a large commit, \(operations(frame)), \(bytes)"
        case .adoption: text = "large commit \(operations(frame))"
        }
        if let durable = frame.durableThrough { text += ", durable through \(durable)" }
        try line(frame.position.offset, output.styled(text, .heading))
    }

    private func operations(_ frame: FrameHeader) -> String {
        let (last, overflow) = frame.sequence.addingReportingOverflow(
            UInt64(max(1, frame.operationCount)) - 1)
        if overflow || last == frame.sequence { return "\(frame.sequence)" }
        return "\(frame.sequence)-\(last)"
    }

    private func write(_ view: OperationView) throws {
        var text = "  "
        switch view.content {
        case .put(let key, let record):
            text += "\(padded("put", 7))\(view.collection) \(key.text)  "
            if view.operation.isDeflated { text += "deflated " }
            text += fitted(self.text(of: record), used: text.count + Self.offsetWidth + 2)
        case .remove(let key):
            text += "\(padded("remove", 7))\(view.collection) \(key.text)"
        case .clear:
            text += "\(padded("clear", 7))\(view.collection)"
        case .dictionary(let bytes):
            text += "\(padded("dict", 7))\(view.collection), \(Figures.counted(bytes, "byte"))"
        case .names(let names):
            text += "\(padded("names", 7))\(view.collection) + "
            text += fitted(names.joined(separator: ", "), used: text.count + Self.offsetWidth + 2)
        }
        try line(view.place.offset, text)
    }

    private func text(of record: RecordViewing) -> String {
        switch record {
        case .document(let document, let change):
            document.extendedJSON() + (change.map { "  change " + $0.extendedJSON() } ?? "")
        case .unreadable(let reason): "(unreadable: \(reason))"
        }
    }

    // MARK: - Trees

    private mutating func write(_ tree: TreeView) throws {
        let root = tree.root.map { ", root at \($0)" } ?? ""
        try heading(
            "\(tree.collection), \(tree.tree): \(Figures.counted(tree.count, "entry", plural: "entries"))"
                + " at the last checkpoint\(root)")
    }

    private func write(_ node: NodeView) throws {
        var text = String(repeating: "  ", count: max(0, node.depth - 1))
        text += node.level == 0 ? "leaf" : "branch, level \(node.level)"
        text += " of \(node.collection), \(node.tree): "
        text += Figures.counted(node.entryCount, "entry", plural: "entries")
        if node.level > 0 { text += ", \(Figures.counted(node.recordCount, "record")) below" }
        text += ", \(Figures.counted(node.length, "byte"))"
        let file = node.depth > 0 ? " in \(node.place.file)" : ""
        try line(node.place.offset, output.styled(text + file, .heading))
    }

    private func write(_ entry: EntryView) throws {
        var text = String(repeating: "  ", count: max(1, entry.depth))
        switch entry.content {
        case .record(let key, let location, let record):
            text += "\(key.text) -> \(location)  "
            text += fitted(self.text(of: record), used: text.count + Self.offsetWidth + 2)
        case .index(let entry):
            text += fitted(entry.text, used: text.count + Self.offsetWidth + 2)
        case .child(let separator, let location, let count):
            let from = separator.isEmpty ? "the least" : "0x" + Figures.hex(separator)
            text += "-> \(location), \(Figures.counted(count, "record")) from \(from)"
        }
        try line(nil, text)
    }

    // MARK: - Damage

    private func write(_ place: DumpPlace, _ reason: String, _ bytes: [UInt8]) throws {
        try line(
            place.offset, output.styled("DAMAGED \(place.file): \(reason)", .bad))
        for row in Figures.hexRows(bytes, at: place.offset ?? 0) { try line(nil, "  " + row) }
    }
}

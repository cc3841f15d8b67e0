// A dump for programs: one JSON object a line, `type` first. Numbers that may exceed 2^53 (locations, identities) are text.
internal import Foundation
internal import OfflineDocuments
internal import OfflineEngine

/// Shows events as JSON lines.
struct JSONDump: DumpWriter {
    private let output: Output

    init(_ output: Output) { self.output = output }

    mutating func write(_ event: DumpEvent) throws {
        guard let document = Self.document(event) else { return }
        try output.line(document.extendedJSON())
    }

    /// Nil for what another event tells (a bad slot is a problem).
    private static func document(_ event: DumpEvent) -> Document? {
        switch event {
        case .slot(let number, .superblock(let block)): document(block, number)
        case .slot: nil
        case .catalog(let catalog, _, let position): document(catalog, position)
        case .file(let file): document(file)
        case .frame(let frame): document(frame)
        case .operation(let operation): document(operation)
        case .tree(let tree):
            [
                "type": "tree", "collection": .string(tree.collection), "tree": .string(tree.tree),
                "root": location(tree.root), "count": number(tree.count),
            ]
        case .node(let node): document(node)
        case .entry(let entry): document(entry)
        case .note(let place, let text):
            Document(fields: [("type", "note")] + fields(place) + [("text", .string(text))])
        case .problem(let place, let reason, let bytes):
            Document(
                fields: [("type", "problem")] + fields(place) + [
                    ("reason", .string(reason)), ("bytes", .string(Figures.hex(bytes))),
                ])
        }
    }

    // MARK: - Pieces

    private static func number(_ number: some BinaryInteger) -> Value {
        .int(Int64(clamping: number))
    }

    private static func location(_ location: Location?) -> Value {
        location.map { .string($0.description) } ?? .null
    }

    private static func position(_ position: LogPosition?) -> Value {
        position.map { .string($0.description) } ?? .null
    }

    private static func fields(_ place: DumpPlace) -> [(String, Value)] {
        [("file", .string(place.file)), ("offset", place.offset.map(number) ?? .null)]
    }

    /// The record and its latest change, or in its place why it can't be read.
    private static func set(_ record: RecordViewing, in document: inout Document) {
        switch record {
        case .document(let fields, let change):
            document["record"] = .object(fields)
            document["change"] = change.map { .object($0) }
        case .unreadable(let reason): document["unreadable"] = .string(reason)
        }
    }

    // MARK: - Events

    private static func document(_ block: Superblock, _ slot: Int) -> Document {
        [
            "type": "superblock", "slot": number(slot), "generation": number(block.generation),
            "store": .string(block.store.description), "catalog": position(block.catalog),
            "replayPosition": position(block.replayPosition),
            "replayChain": .string(Figures.hex(block.replayChain)),
            "durableSequence": number(block.durableSequence),
            "isCleanClose": .bool(block.isCleanClose),
        ]
    }

    private static func document(_ catalog: Catalog, _ place: LogPosition) -> Document {
        [
            "type": "catalog", "position": position(place),
            "schemaVersion": number(catalog.applicationVersion),
            "nextSequence": number(catalog.nextSequence),
            "nextFileNumber": number(catalog.nextFileNumber),
            "collections": .array(catalog.collections.map(value)),
            "files": .array(catalog.files.map(value)),
        ]
    }

    private static func value(_ collection: Catalog.Collection) -> Value {
        let definition = try? Value(extendedJSON: Data(collection.definition))
        return [
            "id": number(collection.id),
            "definition": definition ?? ["$bytes": .string(Figures.hex(collection.definition))],
            "names": .array(collection.names.map { .string($0) }),
            "trees": .array(
                collection.trees.map { tree in
                    [
                        "index": number(tree.index), "count": number(tree.root.count),
                        "root": location(
                            tree.root.node == 0 ? nil : Location(word: tree.root.node)),
                    ]
                }),
        ]
    }

    private static func value(_ file: Catalog.File) -> Value {
        [
            "file": .string(FileNames.name(file.number, file.kind)),
            "length": number(file.length), "liveBytes": number(file.live.total),
            "isStaged": .bool(file.isStaged),
        ]
    }

    private static func document(_ file: FileView) -> Document {
        var document: Document = [
            "type": "file", "file": .string(file.name), "size": number(file.size),
            "isUsed": .bool(file.header != nil),
        ]
        if let header = file.header {
            document["isStaged"] = .bool(header.isStaged)
            document["previousEnd"] = position(header.previousEnd)
            document["previousChain"] = .string(Figures.hex(header.previousChain))
        }
        return document
    }

    private static func document(_ frame: FrameHeader) -> Document {
        [
            "type": "frame", "position": position(frame.position),
            "kind": .string("\(frame.kind)"), "sequence": number(frame.sequence),
            "operations": number(frame.operationCount), "bodyLength": number(frame.bodyLength),
            "bodyChecksum": .string(Figures.hex(frame.bodyChecksum)),
            "chain": .string(Figures.hex(frame.chain)),
            "durableThrough": position(frame.durableThrough),
        ]
    }

    private static func document(_ view: OperationView) -> Document {
        let header = view.operation
        var document = Document(fields: [("type", "operation")] + fields(view.place))
        document["kind"] = .string("\(header.kind)")
        document["collection"] = .string(view.collection)
        document["sequence"] = number(header.sequence)
        if header.isSequenceRelative { document["isSequenceRelative"] = true }
        if header.isDeflated { document["isDeflated"] = true }
        switch view.content {
        case .put(let key, let record):
            document["key"] = key.json
            set(record, in: &document)
        case .remove(let key):
            document["key"] = key.json
        case .names(let names):
            document["names"] = .array(names.map { .string($0) })
        case .clear: break
        case .dictionary(let bytes):
            document["bytes"] = number(bytes)
        }
        return document
    }

    private static func document(_ node: NodeView) -> Document {
        var document = Document(fields: [("type", "node")] + fields(node.place))
        document["collection"] = .string(node.collection)
        document["tree"] = .string(node.tree)
        document["level"] = number(node.level)
        document["entries"] = number(node.entryCount)
        document["records"] = number(node.recordCount)
        document["length"] = number(node.length)
        document["prefix"] = .string(Figures.hex(node.prefix))
        return document
    }

    private static func document(_ entry: EntryView) -> Document {
        switch entry.content {
        case .record(let key, let place, let record):
            var document: Document = [
                "type": "entry", "key": key.json, "location": location(place),
            ]
            set(record, in: &document)
            return document
        case .index(let entry):
            return Document(fields: [("type", "entry")] + entry.fields)
        case .child(let separator, let place, let count):
            return [
                "type": "entry", "separator": .string(Figures.hex(separator)),
                "child": location(place), "records": number(count),
            ]
        }
    }
}

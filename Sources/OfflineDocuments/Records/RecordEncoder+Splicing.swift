// Encoded objects → record bytes, without decoding them: copied where they are unchanged, spliced where a few of their
// fields are changed. Both need that the ids in them mean the same in the encoder's dictionary.
internal import OfflineBytes

extension RecordEncoder {
    /// Whether an object's ids mean the same in this encoder's dictionary.
    mutating func isCompatible(_ object: StoredObject) -> Bool {
        let names = object.record.names
        if names === compatible { return true }
        guard names.table.isPrefix(of: table) else { return false }
        compatible = names
        return true
    }

    /// Copies an encoded value to where it is `depth` levels deep. One that was as deep before needn't be measured.
    fileprivate func copy(
        _ encoded: EncodedValue, depth: Int, wasAsDeep: Bool
    ) throws(RecordEncodingFault) {
        try unsafe checkSize(adding: encoded.length)
        if !wasAsDeep, unsafe encoded.isNested(deeperThan: RecordLimits.depthMax - depth + 1) {
            throw RecordEncodingFault(.tooDeep)
        }
        unsafe buffer.append(encoded.allBytes)
    }

    /// Copies an object as it is, but for what is to be sealed.
    mutating func copy(
        _ object: StoredObject, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        let unsealed = tree.map { self.unsealed(in: object, $0) } ?? []
        if !unsealed.isEmpty {
            return try splice(OverlaidObject(object, changes: unsealed), depth: depth, tree)
        }
        try unsafe object.withEncoded { (encoded) throws(RecordEncodingFault) in
            try unsafe copy(encoded, depth: depth, wasAsDeep: depth == 1)
        }
    }

    /// Writes a changed object: its unchanged fields are copied, but for what is to be sealed.
    mutating func splice(
        _ object: OverlaidObject, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        var object = object
        if let tree {
            let unsealed = self.unsealed(in: object.base, tree, except: object.changes)
            if !unsealed.isEmpty {
                object = OverlaidObject(object.base, changes: object.changes + unsealed)
            }
        }
        try unsafe object.base.withEncoded { (encoded) throws(RecordEncodingFault) in
            if depth == 1, try unsafe replaceValues(object, encoded, tree) { return }
            let source = unsafe SpliceSource(object, encoded, table) { id(of: $0) }
            try write(source, depth: depth, tree)
        }
    }

    /// The fields of an encoded object in which something is to be sealed, as changes, since what is changed is written anew. What is
    /// sealed already is copied.
    private mutating func unsealed(
        in object: StoredObject, _ tree: FieldTree, except changes: [OverlaidObject.Change] = []
    ) -> [OverlaidObject.Change] {
        var result: [OverlaidObject.Change] = []
        for branch in tree.branches
        where !changes.contains(where: { $0.name.hasSameUTF8(as: branch.name) }) {
            let names = object.record.names
            let contents: FieldContents = unsafe object.withEncoded { encoded in
                guard let field = unsafe encoded.field(FieldName(branch.name, in: names)) else {
                    return []
                }
                return unsafe branch.tree.contents(of: field, names)
            }
            if contents.contains(.sealed) { isVerbatim = false }
            if contents.contains(.open), let value = object[branch.name] {
                result.append(.init(name: branch.name, value: value, isInBase: true))
            }
        }
        return result
    }
}

// MARK: - Other values of the same fields

extension RecordEncoder {
    /// Writes a record of which only values change: the header is copied, and the values between the changed ones as they
    /// lie. Returns false, and has written nothing, where it has other fields than before or needs a wide header.
    private mutating func replaceValues(
        _ object: OverlaidObject, _ encoded: EncodedValue, _ tree: FieldTree?
    ) throws(RecordEncodingFault) -> Bool {
        let layout = unsafe ContainerLayout(encoded.start)
        guard unsafe !layout.isWide else { return false }
        var places: [Int] = []
        for change in object.changes {
            guard change.isInBase, change.value != nil, let id = table.id(of: change.name),
                let place = unsafe layout.index(id: id)
            else { return false }
            places.append(place)
        }
        let start = buffer.count
        let header = unsafe layout.valuesOffset
        unsafe buffer.append(UnsafeRawBufferPointer(start: encoded.start, count: header))
        var copied = header
        for place in 0..<(unsafe layout.count) {
            if let index = places.firstIndex(of: place) {
                let extent = unsafe layout.extent(place)
                unsafe buffer.append(encoded.bytes(copied..<extent.offset))
                let name = object.changes[index].name
                do {
                    try write(
                        object.changes[index].value ?? .null, depth: 2, tree?.branch(name))
                } catch {
                    throw error.within(name)
                }
                copied = extent.offset + extent.length
            }
            // The bytes not yet copied up to this value's end count as if they were.
            let end = unsafe buffer.count - start - header + (header + layout.end(place) - copied)
            guard end <= RecordLayout.narrowBytesMax else {
                buffer.truncate(to: start)
                return false
            }
            buffer.setNarrowEnd(end, at: start + (unsafe layout.endsOffset) + place * 2)
        }
        unsafe buffer.append(encoded.bytes(copied..<encoded.length))
        return true
    }
}

extension EncodedValue {
    /// Some of its bytes, counted from the tag.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
    }
}

// MARK: - Other fields

/// The fields of an encoded object with changes. It is used while the object's bytes are kept alive.
@safe
private struct SpliceSource: FieldSource {
    /// A field: the change with this index, or the base's field at this place of its table.
    private enum Item {
        case change(Int)
        case stored(Int)
    }

    private let changes: [OverlaidObject.Change]
    private let names: NameDictionary
    private let encoded: EncodedValue
    private var items: [Item] = []
    private var ids: [UInt16] = []

    /// Lists the fields in kept order. `giveID` finds the id of a name that is to be written, `table` of any other.
    init(
        _ object: OverlaidObject, _ encoded: EncodedValue, _ table: NameTable,
        giveID: (String) -> UInt16
    ) {
        changes = object.changes
        names = object.base.record.names
        unsafe self.encoded = encoded
        let changeIDs = changes.map { change in
            change.value == nil
                ? table.id(of: change.name) ?? RecordLayout.inlineName : giveID(change.name)
        }
        let layout = unsafe ContainerLayout(encoded.start)
        for position in 0..<(unsafe layout.count) {
            let place = unsafe layout.tableIndex(position: position)
            let field = unsafe encoded.field(at: place, layout)
            let change = unsafe field.change(in: changes, changeIDs)
            let id =
                if let change { changeIDs[change] } else if unsafe field.isInline {
                    // A name that was inline may have got an id since.
                    unsafe table.id(of: field.inlineName) ?? RecordLayout.inlineName
                } else { unsafe field.id }
            if let change, changes[change].value == nil { continue }
            items.append(change.map { .change($0) } ?? .stored(place))
            ids.append(id)
        }
        for index in changes.indices where !changes[index].isInBase {
            items.append(.change(index))
            ids.append(changeIDs[index])
        }
    }

    var count: Int { items.count }

    func name(_ index: Int) -> String {
        switch items[index] {
        case .change(let index): return changes[index].name
        case .stored(let place):
            let layout = unsafe ContainerLayout(encoded.start)
            return unsafe encoded.field(at: place, layout).name(names)
        }
    }

    func id(_ index: Int, after previous: UInt16?, _ encoder: inout RecordEncoder) -> UInt16 {
        ids[index]
    }

    func write(
        _ index: Int, _ encoder: inout RecordEncoder, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        switch items[index] {
        case .change(let index):
            try encoder.write(changes[index].value ?? .null, depth: depth, tree)
        case .stored(let place):
            let layout = unsafe ContainerLayout(encoded.start)
            let value = unsafe encoded.field(at: place, layout).value
            try unsafe encoder.copy(value, depth: depth, wasAsDeep: depth == 2)
        }
    }
}

extension EncodedField {
    /// The index of the change that concerns this field.
    fileprivate func change(
        in changes: [OverlaidObject.Change], _ changeIDs: [UInt16]
    ) -> Int? {
        guard unsafe isInline else { return unsafe changeIDs.firstIndex(of: id) }
        return changes.firstIndex { change in
            unsafe change.name.withUTF8Bytes { unsafe ByteOrder.isEqual($0, inlineName) }
        }
    }
}

extension EncodedValue {
    /// Whether containers are nested in each other more than `levels` times, this one included.
    fileprivate func isNested(deeperThan levels: Int) -> Bool {
        guard unsafe tag >= ValueTag.array else { return false }
        guard levels > 0 else { return true }
        let layout = unsafe ContainerLayout(start)
        let isObject = unsafe ValueTag.isObject(tag)
        for index in 0..<(unsafe layout.count) {
            let extent = unsafe layout.extent(index)
            let child =
                isObject
                ? unsafe field(at: index, layout).value
                : unsafe EncodedValue(start: start + extent.offset, length: extent.length)
            if unsafe child.isNested(deeperThan: levels - 1) { return true }
        }
        return false
    }
}

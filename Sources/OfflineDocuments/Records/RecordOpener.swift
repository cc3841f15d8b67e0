// Record bytes → record bytes in which the sealed values at some paths are opened. Nothing is decoded: what isn't on a path is copied
// as it lies, and what is opened has its names inline, which any record may have. The containers above a path get the one form that
// the layout allows.
internal import OfflineBytes

/// Opens records, one after another, in a buffer that is kept and wiped.
package final class RecordOpener {
    private let buffer = RecordBuffer(isSecret: true)

    package init() {}

    /// Opens a sealed value: fills the plaintext, which is as long as the payload says; or returns false, and it stays sealed.
    package typealias Open = (
        _ path: Int, _ payload: UnsafeRawBufferPointer, _ plaintext: UnsafeMutableRawBufferPointer
    ) throws -> Bool

    /// Calls `body` with the record, whose sealed values at the tree's paths are opened; with `record` itself where there are none.
    /// The opened record lasts as long as the call, and is wiped then. Within the call this opener isn't to be used for another record.
    @unsafe
    package func withOpened<Result>(
        _ record: RecordView, _ tree: FieldTree, _ open: Open,
        _ body: (RecordView) throws -> Result
    ) throws -> Result {
        let root = unsafe record.root
        let names = unsafe record.names
        buffer.removeAll()
        defer { buffer.removeAll() }
        buffer.append(RecordLayout.format)
        guard try unsafe write(root, tree, names, depth: 1, open) else {
            return try unsafe body(record)
        }
        return try unsafe buffer.withContents { bytes in
            try unsafe body(RecordView(bytes, names: names))
        }
    }

    /// Writes the value with what is sealed in it opened; whether anything was. The recursion is bounded by the record's depth.
    private func write(
        _ value: EncodedValue, _ tree: FieldTree, _ names: NameDictionary, depth: Int,
        _ open: Open
    ) throws -> Bool {
        let tag = unsafe value.tag
        if let path = tree.path {
            if tag == ValueTag.sealed, try unsafe self.open(value, path, depth, open) {
                return true
            }
        } else if ValueTag.isObject(tag) {
            return tag & ValueTag.wide == 0
                ? try unsafe writeNarrow(value, tree, names, depth, open)
                : try unsafe writeWide(value, tree, names, depth, open)
        } else if ValueTag.isArray(tag) {
            var isChanged = false
            let count = unsafe value.count
            var container = buffer.open(count: count, isObject: false)
            for index in 0..<count {
                if try unsafe write(value.element(index), tree, names, depth: depth + 1, open) {
                    isChanged = true
                }
                buffer.endValue(in: &container)
            }
            return isChanged
        }
        unsafe buffer.append(value.allBytes)
        return false
    }

    /// The header is copied and the ends in it patched: what is opened is shorter than it was, so the object stays narrow.
    private func writeNarrow(
        _ value: EncodedValue, _ tree: FieldTree, _ names: NameDictionary, _ depth: Int,
        _ open: Open
    ) throws -> Bool {
        let layout = unsafe ContainerLayout(value.start)
        let start = buffer.count
        var copied = unsafe layout.valuesOffset
        unsafe buffer.append(value.bytes(0..<copied))
        var isChanged = false
        /// How much shorter than before it is so far.
        var saved = 0
        for place in 0..<(unsafe layout.count) {
            let field = unsafe value.field(at: place, layout)
            if let branch = unsafe branch(of: field, in: tree, names) {
                let offset = unsafe field.value.start - value.start
                unsafe buffer.append(value.bytes(copied..<offset))
                if try unsafe write(field.value, branch, names, depth: depth + 1, open) {
                    isChanged = true
                }
                copied = unsafe offset + field.value.length
                saved = copied - (buffer.count - start)
            }
            if saved > 0 {
                let end = unsafe layout.end(place) - saved
                buffer.setNarrowEnd(end, at: start + (unsafe layout.endsOffset) + place * 2)
            }
        }
        unsafe buffer.append(value.bytes(copied..<value.length))
        return isChanged
    }

    /// The header is built anew: the object may become narrow.
    private func writeWide(
        _ value: EncodedValue, _ tree: FieldTree, _ names: NameDictionary, _ depth: Int,
        _ open: Open
    ) throws -> Bool {
        let layout = unsafe ContainerLayout(value.start)
        let count = unsafe layout.count
        let isOrdered = unsafe layout.isOrdered
        var isChanged = false
        var container = buffer.open(count: count, isObject: true, isOrdered: isOrdered)
        for place in 0..<count {
            unsafe buffer.setID(layout.id(place), at: place, in: container)
            if isOrdered {
                unsafe buffer.setOrder(
                    layout.tableIndex(position: place), position: place, in: container)
            }
        }
        for place in 0..<count {
            let field = unsafe value.field(at: place, layout)
            if unsafe field.isInline { unsafe buffer.appendInlineName(field.inlineName) }
            if let branch = unsafe branch(of: field, in: tree, names) {
                if try unsafe write(field.value, branch, names, depth: depth + 1, open) {
                    isChanged = true
                }
            } else {
                unsafe buffer.append(field.value.allBytes)
            }
            buffer.endValue(in: &container)
        }
        return isChanged
    }

    /// The branch that the field is on. Only what is sealed, or has something sealed in it, is worth asking.
    @inline(__always)
    private func branch(
        of field: EncodedField, in tree: FieldTree, _ names: NameDictionary
    ) -> FieldTree? {
        let tag = unsafe field.value.tag
        guard tag == ValueTag.sealed || tag >= ValueTag.array else { return nil }
        return unsafe field.withName(names) { name in
            tree.branches.first { branch in
                unsafe branch.name.withUTF8Bytes { unsafe ByteOrder.isEqual($0, name) }
            }?.tree
        }
    }

    /// Writes what was sealed; false, and nothing is written, where it is to stay sealed.
    private func open(
        _ value: EncodedValue, _ path: Int, _ depth: Int, _ open: Open
    ) throws -> Bool {
        let payload = unsafe value.bytes
        let length = unsafe SealedValue.plaintextLength(payload)
        let start = buffer.count
        let plaintext = unsafe UnsafeMutableRawBufferPointer(
            start: buffer.grow(length), count: length)
        guard try unsafe open(path, payload, plaintext) else {
            buffer.truncate(to: start)
            return false
        }
        let opened = try unsafe SealedPlaintext.validated(
            UnsafeRawBufferPointer(plaintext), depth: depth)
        unsafe buffer.keep(opened.allBytes, at: start)
        return true
    }
}

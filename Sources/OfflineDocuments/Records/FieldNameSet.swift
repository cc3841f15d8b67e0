// Some names, to ask the fields of encoded objects whether they have one of them.
package import OfflineBytes

/// A set of names, ready for records of one collection.
package struct FieldNameSet: Sendable {
    /// The ids of those names that have one, ascending.
    private let ids: [UInt16]
    /// All names, ascending by their bytes: any may be inline in a record that is older than its id.
    private let texts: [String]

    /// The names as records written with `names`, or fewer of them, know them.
    package init(_ texts: [String], in names: NameDictionary) {
        self.texts = texts.sorted { String.orderByUTF8($0, $1) < 0 }
        ids = texts.compactMap(names.id).sorted()
    }

    /// Whether the field has one of the names.
    package func contains(_ field: EncodedField) -> Bool {
        unsafe field.isInline ? contains(field.inlineName) : contains(field.id)
    }

    private func contains(_ id: UInt16) -> Bool {
        search(count: ids.count) { Int(ids[$0]) - Int(id) }
    }

    private func contains(_ name: UnsafeRawBufferPointer) -> Bool {
        search(count: texts.count) { index in
            unsafe texts[index].withUTF8Bytes { unsafe ByteOrder.compare($0, name) }
        }
    }

    /// Halves `count` ordered places; `order`: how what is at one is to what is sought.
    @inline(__always)
    private func search(count: Int, _ order: (Int) -> Int) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let found = order(middle)
            if found == 0 { return true }
            if found < 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

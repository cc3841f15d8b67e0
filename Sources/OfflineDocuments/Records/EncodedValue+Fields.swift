// Fields of an encoded object: one by name without decoding the others, or all in kept order.
package import OfflineBytes

/// A field's name, ready to be sought in records of one collection.
package struct FieldName: Hashable, Sendable {
    package let text: String
    /// Its id in the dictionary; `RecordLayout.inlineName` where it has none.
    let id: UInt16

    /// The name as records written with `names` know it. Records written with an older dictionary are found too.
    package init(_ text: String, in names: NameDictionary) {
        self.text = text
        id = names.id(of: text) ?? RecordLayout.inlineName
    }

    package static func == (a: FieldName, b: FieldName) -> Bool {
        a.id == b.id && a.text.hasSameUTF8(as: b.text)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// One field of an encoded object.
@unsafe
package struct EncodedField {
    /// The name's id, or `RecordLayout.inlineName`.
    let id: UInt16
    /// The name's bytes where it is inline; else empty.
    let inlineName: UnsafeRawBufferPointer
    package let value: EncodedValue

    var isInline: Bool { unsafe id == RecordLayout.inlineName }

    /// The field's name.
    package func name(_ names: NameDictionary) -> String {
        if unsafe isInline {
            return unsafe String(decoding: inlineName, as: UTF8.self)
        }
        return unsafe names.name(of: id) ?? ""
    }

    /// Calls `body` with the name's UTF-8.
    package func withName<Result>(
        _ names: NameDictionary, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        if unsafe isInline { return unsafe body(inlineName) }
        return unsafe (names.name(of: id) ?? "").withUTF8Bytes(body)
    }
}

extension EncodedValue {
    /// The value of an object's field, found without decoding any other; nil where there is none, or this is no object.
    package func field(_ name: FieldName) -> EncodedValue? {
        guard unsafe ValueTag.isObject(tag) else { return nil }
        let layout = unsafe ContainerLayout(start)
        if name.id != RecordLayout.inlineName, let index = unsafe layout.index(id: name.id) {
            let extent = unsafe layout.extent(index)
            return unsafe EncodedValue(start: start + extent.offset, length: extent.length)
        }
        // A name that has an id by now was inline as long as the dictionary was full.
        guard unsafe layout.count > 0,
            unsafe layout.id(layout.count &- 1) == RecordLayout.inlineName
        else { return nil }
        return unsafe name.text.withUTF8Bytes { unsafe inlineField(layout, $0) }
    }

    private func inlineField(
        _ layout: ContainerLayout, _ name: UnsafeRawBufferPointer
    ) -> EncodedValue? {
        var low = unsafe layout.firstInlineIndex
        var high = unsafe layout.count
        while low < high {
            let middle = (low &+ high) / 2
            let field = unsafe field(at: middle, layout)
            let order = unsafe ByteOrder.compare(field.inlineName, name)
            if order == 0 { return unsafe field.value }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        return nil
    }

    /// Field `index` of the table.
    @inline(__always)
    func field(at index: Int, _ layout: ContainerLayout) -> EncodedField {
        let id = unsafe layout.id(index)
        let extent = unsafe layout.extent(index)
        guard id == RecordLayout.inlineName else {
            return unsafe EncodedField(
                id: id, inlineName: UnsafeRawBufferPointer(start: nil, count: 0),
                value: EncodedValue(start: start + extent.offset, length: extent.length))
        }
        let name = unsafe InlineName(start + extent.offset)
        let value = unsafe name.bytes.baseAddress.unsafelyUnwrapped + name.bytes.count
        return unsafe EncodedField(
            id: id, inlineName: name.bytes,
            value: EncodedValue(start: value, length: extent.length &- name.valueOffset))
    }

    /// Calls `body` with every field of an object in kept order, until it returns false.
    @inline(__always)
    package func forEachField(_ body: (EncodedField) -> Bool) {
        guard unsafe ValueTag.isObject(tag) else { return }
        let layout = unsafe ContainerLayout(start)
        for position in 0..<(unsafe layout.count) {
            let index = unsafe layout.tableIndex(position: position)
            guard unsafe body(field(at: index, layout)) else { return }
        }
    }
}

extension ContainerLayout {
    /// Up to so many fields are searched one by one, which is faster than halving them.
    private static var linearSearchMax: Int { 16 }

    /// The place in the table of the field with this id; nil where there is none.
    @inline(__always)
    func index(id: UInt16) -> Int? {
        var low = 0
        var high = unsafe count
        if unsafe high <= ContainerLayout.linearSearchMax {
            while low < high {
                let found = unsafe self.id(low)
                if found >= id { return found == id ? low : nil }
                low &+= 1
            }
            return nil
        }
        while low < high {
            let middle = (low &+ high) / 2
            let found = unsafe self.id(middle)
            if found == id { return middle }
            if found < id { low = middle &+ 1 } else { high = middle }
        }
        return nil
    }

    /// The place in the table of the first field with an inline name; the count where there is none.
    var firstInlineIndex: Int {
        var low = 0
        var high = unsafe count
        while low < high {
            let middle = (low &+ high) / 2
            if unsafe self.id(middle) == RecordLayout.inlineName {
                high = middle
            } else {
                low = middle &+ 1
            }
        }
        return low
    }
}

/// The inline name at the start of a field.
@unsafe
struct InlineName {
    let bytes: UnsafeRawBufferPointer
    /// Where the field's value begins, from the field's start.
    let valueOffset: Int

    /// Reads a name whose length the validator has proven to be a varint of at most four bytes.
    init(_ start: UnsafeRawPointer) {
        var length = 0
        var offset = 0
        while true {
            let next = unsafe Int(start.little(offset, as: UInt8.self))
            length |= (next & 0x7F) &<< (7 &* offset)
            offset &+= 1
            if next < 0x80 { break }
        }
        unsafe bytes = UnsafeRawBufferPointer(start: start + offset, count: length)
        unsafe valueOffset = offset &+ length
    }
}

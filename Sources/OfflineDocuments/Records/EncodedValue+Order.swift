// The one total order (see Value+Order.swift) on encoded bytes, without decoding them. Two records may be of different
// dictionaries, so ids say nothing about order: objects are compared by names.
package import OfflineBytes

extension EncodedValue {
    /// Negative, zero or positive as `a`, whose fields `aNames` names, is before, equal to or after `b`.
    ///
    /// Allocates only where it compares two objects that are not the same bytes.
    package static func order(
        _ a: EncodedValue, _ aNames: NameDictionary, _ b: EncodedValue, _ bNames: NameDictionary
    ) -> Int {
        let left = unsafe a.tag
        let right = unsafe b.tag
        if left == right {
            switch left {
            case ValueTag.int: return unsafe Number.order(a.int, b.int)
            case ValueTag.double: return unsafe Number.order(a.double, b.double)
            case ValueTag.date: return unsafe Number.order(a.dateSeconds, b.dateSeconds)
            case ValueTag.string, ValueTag.data, ValueTag.sealed:
                return unsafe ByteOrder.compare(a.bytes, b.bytes)
            case ValueTag.null, ValueTag.false, ValueTag.true: return 0
            default: break
            }
        }
        if left == ValueTag.int, right == ValueTag.double {
            return unsafe Number.order(a.int, b.double)
        }
        if left == ValueTag.double, right == ValueTag.int {
            return unsafe -Number.order(b.int, a.double)
        }
        let rank = unsafe a.kind.rank - b.kind.rank
        if rank != 0 { return rank }
        if ValueTag.isArray(left) { return unsafe orderArrays(a, aNames, b, bNames) }
        if ValueTag.isObject(left) { return unsafe orderObjects(a, aNames, b, bNames) }
        return (left == ValueTag.true ? 1 : 0) - (right == ValueTag.true ? 1 : 0)
    }

    private static func orderArrays(
        _ a: EncodedValue, _ aNames: NameDictionary, _ b: EncodedValue, _ bNames: NameDictionary
    ) -> Int {
        let left = unsafe ContainerLayout(a.start)
        let right = unsafe ContainerLayout(b.start)
        for index in 0..<(unsafe min(left.count, right.count)) {
            let result = unsafe order(left.value(index), aNames, right.value(index), bNames)
            if result != 0 { return result }
        }
        return unsafe left.count - right.count
    }

    private static func orderObjects(
        _ a: EncodedValue, _ aNames: NameDictionary, _ b: EncodedValue, _ bNames: NameDictionary
    ) -> Int {
        if aNames === bNames, unsafe ByteOrder.isEqual(a.allBytes, b.allBytes) { return 0 }
        let left = unsafe a.fieldsByName(aNames)
        let right = unsafe b.fieldsByName(bNames)
        for index in 0..<(unsafe min(left.count, right.count)) {
            let names = unsafe EncodedField.orderNames(
                left[index], aNames, right[index], bNames)
            if names != 0 { return names }
            let values = unsafe order(left[index].value, aNames, right[index].value, bNames)
            if values != 0 { return values }
        }
        return unsafe left.count - right.count
    }

    /// The fields of an object, sorted by name.
    package func fieldsByName(_ names: NameDictionary) -> [EncodedField] {
        let layout = unsafe ContainerLayout(start)
        var fields = unsafe (0..<layout.count).map { unsafe field(at: $0, layout) }
        unsafe fields.sort { unsafe EncodedField.orderNames($0, names, $1, names) < 0 }
        return unsafe fields
    }
}

extension ContainerLayout {
    /// Element `index` of an array.
    @inline(__always)
    func value(_ index: Int) -> EncodedValue {
        let extent = unsafe extent(index)
        return unsafe EncodedValue(start: start + extent.offset, length: extent.length)
    }
}

extension EncodedField {
    fileprivate static func orderNames(
        _ a: EncodedField, _ aNames: NameDictionary, _ b: EncodedField, _ bNames: NameDictionary
    ) -> Int {
        unsafe a.withName(aNames) { left in
            unsafe b.withName(bNames) { unsafe ByteOrder.compare(left, $0) }
        }
    }
}

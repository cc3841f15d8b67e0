// Where a record refers to others: the field of a relationship, read and emptied.
//
// A field refers to a key where an equality filter would match it: it is the key, or an array with the key among its elements; on
// the way to it, a path steps through arrays as everywhere else. The key of a collection with a compound key is an array
// itself.
internal import OfflineBytes
import OfflineDocuments

/// A foreign key in the records of one collection.
struct ForeignKey: Sendable {
    private let path: CompiledPath
    /// Whether the keys that it refers to are compound.
    private let isCompound: Bool

    /// The field `path` of records with these names, which refers to records of `referred`.
    init(_ path: FieldPath, in names: NameDictionary, to referred: CollectionState) {
        self.path = path.compiled(in: names)
        isCompound = referred.singleKeyPath == nil
    }

    /// The encoded keys that the record may refer to, each once, ascending.
    @unsafe
    func keys(in record: RecordView) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        unsafe record.root.visit(path) { value, isElement in
            guard let value = unsafe value else { return true }
            unsafe append(value, record.names, to: &keys)
            if !isElement, unsafe value.kind == .array {
                for index in 0..<(unsafe value.count) {
                    unsafe append(value.element(index), record.names, to: &keys)
                }
            }
            return true
        }
        return keys.count > 1 ? KeyBounds.distinct(keys) : keys
    }

    @unsafe
    private func append(_ value: EncodedValue, _ names: NameDictionary, to keys: inout [[UInt8]]) {
        guard unsafe value.kind != .null, unsafe (value.kind == .array) == isCompound else {
            return
        }
        var key: [UInt8] = []
        unsafe KeyEncoder.append(value, names, to: &key)
        if key.count <= KeyLayout.recordKeyBytesMax { keys.append(key) }
    }
}

// MARK: - Taking references away

extension ForeignKey {
    /// The record without its references to these keys, which are keys of `referred`: what is such a key becomes null, and an
    /// array loses the elements that are.
    static func removing(
        _ keys: Set<[UInt8]>, at path: FieldPath, of referred: CollectionState,
        from record: Document
    ) -> Document {
        let isCompound = referred.singleKeyPath == nil
        let removal = ReferenceRemoval { value in
            !value.isNull && (value.kind == .array) == isCompound
                && keys.contains(KeyEncoder.key(value))
        }
        return removal.document(record, path.components[...])
    }
}

/// Follows a path as `visit` does, and rebuilds what it passes.
private struct ReferenceRemoval {
    typealias Path = ArraySlice<PathComponent<String>>
    let isReference: (Value) -> Bool

    func document(_ document: Document, _ path: Path) -> Document {
        guard let name = path.first?.name, let value = document[name] else { return document }
        var result = document
        result[name] = self.value(value, path.dropFirst(), isElement: false)
        return result
    }

    private func value(_ value: Value, _ path: Path, isElement: Bool) -> Value {
        guard let first = path.first else { return end(value, isElement: isElement) }
        switch value {
        case .object(let object): return .object(document(object, path))
        case .array(var elements):
            if let position = first.position, position < elements.count {
                elements[position] = self.value(
                    elements[position], path.dropFirst(), isElement: true)
                return .array(elements)
            }
            return .array(
                elements.map { element in
                    guard case .object(let object) = element else { return element }
                    return .object(document(object, path))
                })
        default: return value
        }
    }

    /// What is left of the value that the path leads to; `isElement`: by its position in an array.
    private func end(_ value: Value, isElement: Bool) -> Value {
        if isReference(value) { return .null }
        guard !isElement, case .array(let elements) = value else { return value }
        return .array(elements.filter { !isReference($0) })
    }
}

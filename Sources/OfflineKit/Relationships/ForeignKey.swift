// Where a record refers to others: the field of a relationship, read and emptied.
//
// A field refers to a key where an equality filter would match it: it is the key, or an array with the key among its elements; on
// the way to it, a path steps through arrays as everywhere else. The key of a collection with a compound key is an array
// itself.
internal import OfflineBytes
import OfflineDocuments

/// A foreign key in the records of one collection.
struct ForeignKey {
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
